//! Configuration of librdkafka's clients.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::failure::Failure;
use crate::kafka::config::{ClientKind, KafkaOptions, Redactor, Resolved, is_sensitive};

/// Configuration that librdkafka accepts.
pub(super) struct Configured {
    pub(super) config: ClientConfig,
    /// Redactor of the secrets in the configuration.
    pub(super) redactor: Redactor,
}

impl KafkaOptions {
    /// Returns the configuration of a producer. It contains secrets: do not show its `Debug`
    /// output.
    ///
    /// # Errors
    /// `invalid_property`, `refused_property` and `missing_secret`.
    pub fn producer_config(&self) -> Result<ClientConfig, Failure> {
        self.configure(ClientKind::Producer)
            .map(|resolved| resolved.config)
    }

    /// Returns the configuration of a consumer or an admin client, without properties of producers
    /// only. It contains secrets: do not show its `Debug` output.
    ///
    /// # Errors
    /// `invalid_property` and `missing_secret`.
    pub fn client_config(&self) -> Result<ClientConfig, Failure> {
        self.configure(ClientKind::Any)
            .map(|resolved| resolved.config)
    }

    /// Returns the configuration of a client, with its secrets.
    pub(super) fn configure(&self, clients: ClientKind) -> Result<Configured, Failure> {
        let Resolved {
            properties,
            redactor,
        } = self.resolve(clients)?;
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            if name == "log_level" {
                config.set_log_level(log_level(&value)?);
            }
            config.set(name, value);
        }
        config
            .create_native_config()
            .map_err(|error| invalid(&error, &redactor))?;
        Ok(Configured { config, redactor })
    }
}

/// Parses librdkafka's log level, which rdkafka keeps apart from the other properties.
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
            return Err(Failure::invalid_property(
                "log_level is a number from 0 (emergencies only) to 7 (debug)",
            ));
        }
    })
}

/// Converts librdkafka's error about the configuration.
pub(super) fn invalid(error: &KafkaError, redactor: &Redactor) -> Failure {
    let detail = match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            format!("librdkafka has no property named {name:?}")
        }
        KafkaError::ClientConfig(_, _, name, _) if is_sensitive(name) => {
            format!("librdkafka does not accept the value of {name}")
        }
        KafkaError::ClientConfig(_, reason, name, _) => {
            format!("{name}: {}", reason.trim())
        }
        KafkaError::ClientCreation(reason) => reason.trim().to_owned(),
        other => other.to_string(),
    };
    Failure::invalid_property(redactor.redact(&detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FailureCode, FailureKind};
    use crate::kafka::config::Secret;
    use crate::transport::{Connector, IgnoreEvents};

    fn options() -> KafkaOptions {
        KafkaOptions::new("127.0.0.1:1")
    }

    #[track_caller]
    fn connect_error(options: &KafkaOptions) -> Failure {
        match options.connect(std::sync::Arc::new(IgnoreEvents), None) {
            Ok(_) => panic!("these settings are invalid"),
            Err(failure) => failure,
        }
    }

    #[test]
    fn later_property_replaces_an_earlier_one_or_its_alias() {
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
    fn refuses_properties_that_break_a_guarantee() {
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
    fn names_an_invalid_property() {
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
            ("metadata.broker.list", "", "is empty; expected"),
        ] {
            let options = options().property("transport", "librdkafka");
            let failure = connect_error(&options.property(name, value));
            assert_eq!(failure.code, FailureCode::InvalidProperty);
            assert_eq!(failure.kind, FailureKind::Permanent);
            assert!(failure.detail.contains(said), "{failure}");
            assert!(!failure.detail.contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn names_the_property_of_a_missing_secret() {
        let options = options().secret("sasl.password", Secret::from_env("HERALD_NEVER_SET"));
        let failure = connect_error(&options);
        assert_eq!(failure.code, FailureCode::MissingSecret);
        assert_eq!(
            failure.detail,
            "sasl.password: environment variable HERALD_NEVER_SET is not set"
        );
    }

    #[test]
    fn reads_secrets_for_each_connection() {
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
    fn debug_and_errors_show_no_secret() {
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
            if let Err(failure) = broken.connect(std::sync::Arc::new(IgnoreEvents), None) {
                assert!(
                    !failure.to_string().contains("hunter2"),
                    "{name}: {failure}"
                );
            }
        }
    }

    #[test]
    fn client_config_omits_producer_properties() {
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
