//! Properties of librdkafka: their notation and the meaning of their names.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::secret::Secret;
use crate::failure::Failure;

/// Property of librdkafka with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    pub(super) name: String,
    pub(super) value: Value,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Secret(Secret),
}

impl Property {
    /// Creates a property from a command line or a settings file. `env:NAME` reads the value from
    /// the environment and `file:PATH` from a file; neither is ever shown.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        let value = if let Some(variable) = text.strip_prefix("env:") {
            Value::Secret(Secret::from_env(variable))
        } else if let Some(path) = text.strip_prefix("file:") {
            Value::Secret(Secret::from_file(path))
        } else {
            Value::Text(text.to_owned())
        };
        Self {
            name: name.into(),
            value,
        }
    }

    /// Creates a property from a project file. Paths are relative to the folder of the file.
    pub fn of_file(name: impl Into<String>, text: &str, folder: Option<&Path>) -> Self {
        let name = name.into();
        // Without a folder, paths are relative to the working folder.
        let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
            return Self::new(name, text);
        };
        let below = |path: &str| folder.join(path).to_string_lossy().into_owned();
        if let Some(path) = text.strip_prefix("file:") {
            return Self::new(name, &format!("file:{}", below(path)));
        }
        // `probe` makes librdkafka look for the system's certificates.
        if name.ends_with(".location") && text != "probe" && !text.starts_with("env:") {
            return Self::new(name, &below(text));
        }
        Self::new(name, text)
    }

    /// Creates a property with exactly this text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Value::Text(text.into()),
        }
    }

    /// Creates a property whose value is read for each connection, and never shown.
    pub fn secret(name: impl Into<String>, secret: Secret) -> Self {
        Self {
            name: name.into(),
            value: Value::Secret(secret),
        }
    }

    /// Returns the name as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether a secret is written as text. On a command line others see it in the list of
    /// processes, and from a settings file it gets into a repository.
    pub fn exposes_secret(&self) -> bool {
        matches!(self.value, Value::Text(_)) && is_sensitive(&self.name)
    }
}

/// Parses `NAME=VALUE`, with a value as in [`Property::new`].
impl FromStr for Property {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Self::new(name.trim(), value.trim()))
            }
            // The text is not repeated: it may be a secret without a name.
            _ => Err(Failure::invalid_property(
                "a property is written NAME=VALUE, such as security.protocol=ssl",
            )),
        }
    }
}

/// Omits the value, which may be secret whatever the name.
impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Aliases of properties: alias of librdkafka, and canonical name.
const ALIASES: &[(&str, &str)] = &[
    ("auto.commit.enable", "enable.auto.commit"),
    ("compression.codec", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("message.send.max.retries", "retries"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    (
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.id",
    ),
    (
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.client.secret",
    ),
    ("sasl.mechanism", "sasl.mechanisms"),
];

/// Properties of producers only, about which a consumer would log warnings.
const PRODUCERS_ONLY: &[&str] = &[
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "linger.ms",
    "message.timeout.ms",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queuing.strategy",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Properties of consumers only, which commands such as `herald listen` may share with publishers.
const CONSUMERS_ONLY: &[&str] = &[
    "allow.auto.create.topics",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];

/// Parts of the names of secret properties.
const SENSITIVE: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "jaas",
    "oauthbearer.config",
    ".pem",
];

/// Returns the canonical name of a property.
pub(super) fn canonical(name: &str) -> &str {
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, canonical)| canonical)
}

pub(super) fn is_for_producers_only(canonical: &str) -> bool {
    PRODUCERS_ONLY.contains(&canonical)
}

pub(in crate::kafka) fn is_for_consumers_only(canonical: &str) -> bool {
    CONSUMERS_ONLY.contains(&canonical)
}

pub(in crate::kafka) fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // The address of a token endpoint is not a secret.
    SENSITIVE.iter().any(|part| name.contains(part)) && name.rsplit('.').next() != Some("url")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;

    #[test]
    fn parses_values_from_environment_and_files() {
        let cases = [
            ("acks=all", "acks", Value::Text("all".to_owned())),
            (
                " sasl.password = env:KAFKA_PASSWORD",
                "sasl.password",
                Value::Secret(Secret::from_env("KAFKA_PASSWORD")),
            ),
            (
                "ssl.key.pem=file:/run/secrets/key.pem",
                "ssl.key.pem",
                Value::Secret(Secret::from_file("/run/secrets/key.pem")),
            ),
            (
                "sasl.password=a=b",
                "sasl.password",
                Value::Text("a=b".to_owned()),
            ),
        ];
        for (text, name, value) in cases {
            let property: Property = text.parse().unwrap();
            assert!(property.name() == name && property.value == value, "{text}");
        }
    }

    #[test]
    fn resolves_paths_relative_to_the_project_file() {
        let folder = Some(Path::new("/srv/shop"));
        for (name, text, expected) in [
            ("ssl.ca.location", "certs/ca.pem", "/srv/shop/certs/ca.pem"),
            ("sasl.password", "file:secret", "file:/srv/shop/secret"),
            ("ssl.ca.location", "/etc/ca.pem", "/etc/ca.pem"),
            ("ssl.ca.location", "probe", "probe"),
            ("ssl.ca.location", "env:CA", "env:CA"),
            ("sasl.password", "env:PASSWORD", "env:PASSWORD"),
            ("client.id", "certs/ca.pem", "certs/ca.pem"),
        ] {
            let property = Property::of_file(name, text, folder);
            assert!(property == Property::new(name, expected), "{name}={text}");
        }
        assert!(
            Property::of_file("ssl.ca.location", "ca.pem", None)
                == Property::new("ssl.ca.location", "ca.pem")
        );
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        for text in ["hunter2", "=hunter2", " =hunter2"] {
            let failure = text.parse::<Property>().unwrap_err();
            assert_eq!(failure.code, FailureCode::InvalidProperty);
            assert!(!failure.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn debug_omits_the_value() {
        let property: Property = "sasl.pasword=hunter2".parse().unwrap();
        assert!(!format!("{property:?}").contains("hunter2"));
    }

    #[test]
    fn detects_secrets_written_as_text() {
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
