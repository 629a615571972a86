//! Settings from the environment, under the names that Kafka's clients have in common.

use super::property::Property;
use super::secret::Secret;

/// The variable that says where a cluster is: `host:port`, several with commas between.
pub const BOOTSTRAP_SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

/// Variables, and the properties of librdkafka that they stand for.
pub const VARIABLES: &[(&str, &str)] = &[
    ("KAFKA_CLIENT_ID", "client.id"),
    ("KAFKA_SECURITY_PROTOCOL", "security.protocol"),
    ("KAFKA_SASL_MECHANISM", "sasl.mechanism"),
    ("KAFKA_SASL_MECHANISMS", "sasl.mechanism"),
    ("KAFKA_SASL_USERNAME", "sasl.username"),
    ("KAFKA_SASL_PASSWORD", "sasl.password"),
    ("KAFKA_SSL_CAFILE", "ssl.ca.location"),
    ("KAFKA_SSL_CA_LOCATION", "ssl.ca.location"),
    ("KAFKA_SSL_CERTFILE", "ssl.certificate.location"),
    ("KAFKA_SSL_CERTIFICATE_LOCATION", "ssl.certificate.location"),
    ("KAFKA_SSL_KEYFILE", "ssl.key.location"),
    ("KAFKA_SSL_KEY_LOCATION", "ssl.key.location"),
    ("KAFKA_SSL_PASSWORD", "ssl.key.password"),
    ("KAFKA_SSL_KEY_PASSWORD", "ssl.key.password"),
];

/// The brokers that the environment names; `variable` reads it, such as `|name|
/// std::env::var(name).ok()`. A variable without text is unset.
pub fn bootstrap_servers(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    set(variable, BOOTSTRAP_SERVERS).map(|servers| servers.trim().to_owned())
}

/// The properties that the environment sets. Passwords are read again when a connection is made,
/// and never shown.
pub fn properties(variable: &dyn Fn(&str) -> Option<String>) -> Vec<Property> {
    let properties = VARIABLES.iter().filter_map(|(name, property)| {
        let value = set(variable, name)?;
        // What is a secret is hidden wherever it occurs in a message, so a user's name is none.
        Some(if property.ends_with("password") {
            Property::secret(*property, Secret::from_env(*name))
        } else {
            Property::text(*property, value)
        })
    });
    properties.collect()
}

fn set(variable: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}
