//! Properties from environment variables, under the names that Kafka clients have in common.

use super::property::Property;
use super::secret::Secret;

/// Variable with the bootstrap servers: `host:port`, several separated by commas.
pub const BOOTSTRAP_SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

/// Variables, and the properties of librdkafka that they set.
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

/// Returns the bootstrap servers of the environment. `variable` reads a variable, such as `|name|
/// std::env::var(name).ok()`; an empty one counts as unset.
pub fn bootstrap_servers(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    set(variable, BOOTSTRAP_SERVERS).map(|servers| servers.trim().to_owned())
}

/// Returns the properties of the environment. Passwords are read again for each connection, and
/// never shown.
pub fn properties(variable: &dyn Fn(&str) -> Option<String>) -> Vec<Property> {
    let properties = VARIABLES.iter().filter_map(|(name, property)| {
        let value = set(variable, name)?;
        // A secret is redacted wherever it occurs in a message, so a user name must not be one.
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
