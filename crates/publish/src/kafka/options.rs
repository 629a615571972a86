//! How to reach a cluster.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::defaults::{DEFAULTS, For};
use super::property::{Property, Value};
use super::refused::Refused;
use super::secret::{Scrub, Secret};
use super::{names, promises};
use crate::failure::{Failure, FailureCode, FailureKind};

/// Where a cluster is, and how its clients behave.
///
/// Any property of librdkafka passes through; of two with the same name the later one counts,
/// also when one is an alias of the other. Properties with which the publisher could not keep
/// its promises are refused. Neither `Debug` nor any error or log line shows the value of a
/// secret.
#[derive(Clone)]
pub struct KafkaOptions {
    properties: Vec<Property>,
    refused: Refused,
}

/// What a client is made of.
pub(crate) struct Resolved {
    pub config: ClientConfig,
    /// Hides the secrets that are in the configuration.
    pub scrub: Scrub,
}

impl KafkaOptions {
    /// A cluster by some of its brokers: `host:port`, several with commas between.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            properties: Vec::new(),
            refused: Refused::default(),
        }
        .property("bootstrap.servers", bootstrap_servers)
    }

    /// Sets a property of librdkafka to exactly this text.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push(Property::text(name, value));
        self
    }

    /// Sets a property whose value is read when a connection is made, and never shown.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.properties.push(Property::secret(name, secret));
        self
    }

    /// Sets a property that was read from a command line or a file of settings.
    #[must_use]
    pub fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// The brokers, for a person to read.
    pub fn bootstrap_servers(&self) -> &str {
        self.text("bootstrap.servers")
            .unwrap_or("addresses from a secret")
    }

    pub(super) fn refused(&self) -> &Refused {
        &self.refused
    }

    /// The value of a property that is no secret.
    pub(super) fn text(&self, canonical: &str) -> Option<&str> {
        let last = self
            .properties
            .iter()
            .rfind(|property| names::canonical(&property.name) == canonical)?;
        match &last.value {
            Value::Text(text) => Some(text),
            Value::Secret(_) => None,
        }
    }

    /// The settings of a producer, secrets included: its `Debug` must not be shown.
    ///
    /// # Errors
    /// `invalid_property`, `refused_property` and `missing_secret`.
    pub fn producer_config(&self) -> Result<ClientConfig, Failure> {
        self.resolve(For::Producers).map(|resolved| resolved.config)
    }

    /// The settings of a consumer or an admin client, secrets included: its `Debug` must not be
    /// shown. Properties that only producers have are left out.
    ///
    /// # Errors
    /// `invalid_property` and `missing_secret`.
    pub fn client_config(&self) -> Result<ClientConfig, Failure> {
        self.resolve(For::All).map(|resolved| resolved.config)
    }

    /// As [`Self::producer_config`] or [`Self::client_config`], with the secrets to hide.
    pub(crate) fn resolve(&self, clients: For) -> Result<Resolved, Failure> {
        let mut settings = BTreeMap::new();
        let mut secrets = Vec::new();
        for (whose, name, value) in DEFAULTS {
            if clients == For::Producers || *whose == For::All {
                settings.insert(*name, (*name, (*value).to_owned()));
            }
        }
        for Property { name, value } in &self.properties {
            let canonical = names::canonical(name);
            if clients == For::All && names::is_for_producers_only(canonical) {
                continue;
            }
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Secret(secret) => secret.reveal().map_err(|failure| Failure {
                    detail: format!("{name}: {}", failure.detail),
                    ..failure
                })?,
            };
            if matches!(value, Value::Secret(_)) || names::is_sensitive(name) {
                secrets.push(text.clone());
            }
            settings.insert(canonical, (name, text));
        }
        let scrub = Scrub::new(secrets.iter().map(String::as_str));
        let mut config = ClientConfig::new();
        for (canonical, (name, value)) in settings {
            if clients == For::Producers
                && let Some(why) = promises::broken_by(canonical, &value)
            {
                return Err(Failure::new(
                    FailureKind::Permanent,
                    FailureCode::RefusedProperty,
                    format!("{name}={} is not possible: {why}", scrub.clean(&value)),
                ));
            }
            if canonical == "log_level" {
                config.set_log_level(log_level(&value)?);
            }
            config.set(canonical, value);
        }
        if config.get("bootstrap.servers").is_some_and(str::is_empty) {
            return Err(Failure::new(
                FailureKind::Permanent,
                FailureCode::InvalidProperty,
                "bootstrap.servers names no broker; expected host:port",
            ));
        }
        config
            .create_native_config()
            .map_err(|error| invalid(&error, &scrub))?;
        Ok(Resolved { config, scrub })
    }
}

/// librdkafka's log level by its number: rdkafka keeps it beside the other settings.
fn log_level(value: &str) -> Result<RDKafkaLogLevel, Failure> {
    Ok(match value {
        "0" => RDKafkaLogLevel::Emerg,
        "1" => RDKafkaLogLevel::Alert,
        "2" => RDKafkaLogLevel::Critical,
        "3" => RDKafkaLogLevel::Error,
        "4" => RDKafkaLogLevel::Warning,
        "5" => RDKafkaLogLevel::Notice,
        "6" => RDKafkaLogLevel::Info,
        "7" => RDKafkaLogLevel::Debug,
        _ => {
            return Err(Failure::new(
                FailureKind::Permanent,
                FailureCode::InvalidProperty,
                "log_level is a number from 0 (emergencies only) to 7 (debug)",
            ));
        }
    })
}

/// What librdkafka has against the settings.
pub(super) fn invalid(error: &KafkaError, scrub: &Scrub) -> Failure {
    let detail = match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            format!("librdkafka has no property named {name:?}")
        }
        KafkaError::ClientConfig(_, _, name, _) if names::is_sensitive(name) => {
            format!("librdkafka does not take the value of {name}")
        }
        KafkaError::ClientConfig(_, reason, name, _) => {
            format!("{name}: {}", reason.trim())
        }
        KafkaError::ClientCreation(reason) => reason.trim().to_owned(),
        other => other.to_string(),
    };
    Failure::new(
        FailureKind::Permanent,
        FailureCode::InvalidProperty,
        scrub.clean(&detail),
    )
}

/// Names of properties without their values.
impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.iter().map(Property::name).collect();
        f.debug_struct("KafkaOptions")
            .field("bootstrap_servers", &self.bootstrap_servers())
            .field("properties", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::secret::Secret;
    use crate::transport::{ConnectionListener, Connector};

    struct Deaf;

    impl ConnectionListener for Deaf {
        fn on_unreachable(&self, _: Failure) {}
        fn on_fatal(&self, _: Failure) {}
    }

    fn options() -> KafkaOptions {
        KafkaOptions::new("127.0.0.1:1")
    }

    #[track_caller]
    fn connect_error(options: &KafkaOptions) -> Failure {
        match options.connect(std::sync::Arc::new(Deaf), None) {
            Ok(_) => panic!("these settings are no good"),
            Err(failure) => failure,
        }
    }

    #[test]
    fn of_two_settings_the_later_one_counts_also_under_another_name() {
        let config = options()
            .property("linger.ms", "7")
            .property("queue.buffering.max.ms", "9")
            .property("compression.codec", "zstd")
            .property("client.id", "orders")
            .producer_config()
            .unwrap()
            .create_native_config()
            .unwrap();
        for (name, value) in [
            ("linger.ms", "9"),
            ("compression.type", "zstd"),
            ("client.id", "orders"),
            ("acks", "-1"),
            ("enable.idempotence", "true"),
            ("message.timeout.ms", "0"),
        ] {
            assert_eq!(config.get(name).unwrap(), value, "{name}");
        }
    }

    #[test]
    fn what_breaks_a_promise_is_refused_and_what_does_not_is_taken() {
        for (name, broken, kept) in [
            ("acks", "1", "all"),
            ("request.required.acks", "0", "-1"),
            ("enable.idempotence", "false", "true"),
            ("enable.gapless.guarantee", "false", "true"),
            ("max.in.flight", "6", "5"),
            ("max.in.flight.requests.per.connection", "7", "1"),
            ("message.timeout.ms", "1000", "0"),
            ("delivery.timeout.ms", "1000", "0"),
            ("retries", "3", "2147483647"),
            ("message.send.max.retries", "0", "2147483647"),
            ("delivery.report.only.error", "true", "false"),
            ("queuing.strategy", "lifo", "fifo"),
            ("partitioner", "random", "fnv1a_random"),
            ("transactional.id", "t", ""),
        ] {
            let failure = options().property(name, broken).producer_config();
            let failure = failure.map(|_| name).unwrap_err();
            assert_eq!(failure.code, FailureCode::RefusedProperty, "{name}");
            assert!(
                failure.detail.starts_with(&format!("{name}={broken} ")),
                "{failure}"
            );
            options().property(name, kept).producer_config().unwrap();
            // A consumer promises none of it.
            options().property(name, broken).client_config().unwrap();
        }
    }

    #[test]
    fn a_property_that_librdkafka_does_not_take_is_named() {
        for (name, value, said) in [
            (
                "no.such.property",
                "1",
                "no property named \"no.such.property\"",
            ),
            ("linger.ms", "soon", "linger.ms: "),
            ("log_level", "loud", "log_level is a number"),
            ("dr_cb", "1", "dr_cb"),
            ("sasl.password\0", "hunter2", "nul"),
            ("metadata.broker.list", "", "names no broker"),
        ] {
            let failure = connect_error(&options().property(name, value));
            assert_eq!(failure.code, FailureCode::InvalidProperty);
            assert_eq!(failure.kind, FailureKind::Permanent);
            assert!(failure.detail.contains(said), "{failure}");
            assert!(!failure.detail.contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn a_missing_secret_is_told_with_the_property_that_wants_it() {
        let options = options().secret("sasl.password", Secret::from_env("HERALD_NEVER_SET"));
        let failure = connect_error(&options);
        assert_eq!(failure.code, FailureCode::MissingSecret);
        assert_eq!(
            failure.detail,
            "sasl.password: environment variable HERALD_NEVER_SET is not set"
        );
    }

    #[test]
    fn secrets_come_from_where_they_are_said_to_be_at_each_connection() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let options = options()
            .secret("sasl.password", Secret::from_file(&file))
            .secret("sasl.username", Secret::from_env("PATH"));
        for password in ["one", "two"] {
            std::fs::write(&file, format!("{password}\n")).unwrap();
            let config = options.producer_config().unwrap();
            assert_eq!(config.get("sasl.password"), Some(password));
            let path = std::env::var("PATH").unwrap();
            assert_eq!(config.get("sasl.username"), Some(path.as_str()));
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_secret() {
        let secretive = options()
            .property("sasl.password", "hunter2")
            .property("sasl.pasword", "hunter2")
            .secret("ssl.key.pem", Secret::literal("hunter2"));
        let shown = format!("{secretive:?} {}", secretive.describe());
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"));

        // In each of these librdkafka quotes the value.
        for (name, broken) in [
            (
                "linger.ms",
                options().secret("linger.ms", Secret::literal("hunter2")),
            ),
            ("acks", options().secret("acks", Secret::literal("hunter2"))),
            (
                "sasl.oauthbearer.config",
                options()
                    .property("security.protocol", "sasl_plaintext")
                    .property("sasl.mechanisms", "OAUTHBEARER")
                    .property("enable.sasl.oauthbearer.unsecure.jwt", "true")
                    .property("sasl.oauthbearer.config", "principal=a hunter2=hunter2"),
            ),
            (
                "ssl.key.pem",
                options()
                    .property("security.protocol", "ssl")
                    .property("ssl.key.pem", "-----BEGIN PRIVATE KEY-----\nhunter2\n"),
            ),
        ] {
            if let Err(failure) = broken.connect(std::sync::Arc::new(Deaf), None) {
                assert!(
                    !failure.to_string().contains("hunter2"),
                    "{name}: {failure}"
                );
            }
        }
    }

    #[test]
    fn other_clients_get_nothing_that_only_producers_have() {
        let config = options()
            .property("linger.ms", "7")
            .property("compression.codec", "zstd")
            .property("security.protocol", "ssl")
            .client_config()
            .unwrap();
        for name in ["linger.ms", "compression.codec", "acks", "partitioner"] {
            assert_eq!(config.get(name), None, "{name}");
        }
        assert_eq!(config.get("security.protocol"), Some("ssl"));
        assert_eq!(config.get("client.id"), Some("herald"));
    }
}
