//! Secrets that stand where others can read them.

use super::names;
use super::property::{Property, Value};

impl Property {
    /// Whether the value of a secret stands in it as text. On a command line others see it in
    /// the list of processes, and in a file of settings it ends in a repository.
    pub fn exposes_secret(&self) -> bool {
        // `sasl.oauthbearer.token.endpoint.url` is where tokens come from.
        matches!(self.value, Value::Text(_))
            && names::is_sensitive(&self.name)
            && self.name.rsplit('.').next() != Some("url")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_exposed_as_text_and_not_as_a_reference() {
        let exposes = |text: &str| text.parse::<Property>().unwrap().exposes_secret();
        for text in [
            "sasl.password=hunter2",
            "SASL.PASSWORD=hunter2",
            "ssl.key.pem=-----BEGIN",
            "sasl.oauthbearer.client.secret=x",
        ] {
            assert!(exposes(text), "{text}");
        }
        for text in [
            "sasl.password=env:KAFKA_PASSWORD",
            "ssl.key.password=file:/run/secrets/key",
            "sasl.username=orders",
            "sasl.oauthbearer.token.endpoint.url=https://id.example/token",
        ] {
            assert!(!exposes(text), "{text}");
        }
    }
}
