//! Configuration of Kafka clients.

mod defaults;
pub mod environment;
mod property;
mod required_config;
mod secret;

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

pub(crate) use self::defaults::ClientKind;
use self::defaults::DEFAULTS;
pub use self::property::Property;
use self::property::Value;
pub(super) use self::property::is_for_consumers_only;
pub(crate) use self::secret::Redactor;
pub use self::secret::Secret;
use super::oauth::{self, TokenSource, Tokens};
use super::topic_limits::TopicLimits;
use super::topic_sets::RefusedBatchTopics;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Address of a cluster, and properties of its clients.
///
/// Any property of librdkafka is accepted; a later one replaces an earlier one with the same name
/// or an alias of it. Properties that would break a delivery guarantee are refused. Neither `Debug`
/// nor any error or log line shows the value of a secret.
///
/// The property `transport` is Herald's: `native` (default) publishes through Herald's own producer,
/// `librdkafka` through that one. The first has fewer properties;
/// [`Connector::connect`](crate::Connector::connect) names those that it does not have.
#[derive(Clone)]
pub struct KafkaOptions {
    properties: Vec<Property>,
    refused: RefusedBatchTopics,
    limits: TopicLimits,
    tokens: Tokens,
}

/// Name of the property that chooses the producer.
const TRANSPORT: &str = "transport";

/// Token of OAuth 2: Herald gives it to its clients.
pub(super) const TOKEN: &str = "sasl.oauthbearer.token";

/// Resolved configuration of a client.
pub(crate) struct Resolved {
    pub config: ClientConfig,
    /// Redactor of the secrets in the configuration.
    pub redactor: Redactor,
}

/// Security of a connection, as far as it is not secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// Whether it has TLS.
    pub is_encrypted: bool,
    /// Whether the certificates of brokers are verified.
    pub is_verified: bool,
    /// Whether certificates have to be for the host.
    pub verifies_names: bool,
    /// Mechanism of the login, if there is one.
    pub mechanism: Option<String>,
    /// User that logs in.
    pub user: Option<String>,
}

impl KafkaOptions {
    /// Creates options for a cluster with these bootstrap servers: `host:port`, several separated
    /// by commas.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            properties: Vec::new(),
            refused: RefusedBatchTopics::default(),
            limits: TopicLimits::default(),
            tokens: Tokens::default(),
        }
        .property("bootstrap.servers", bootstrap_servers)
    }

    /// Returns whether events are published through Herald's own producer.
    ///
    /// # Errors
    /// The property `transport` has another value than `native` or `librdkafka`.
    pub(super) fn is_native(&self) -> Result<bool, Failure> {
        match self.text(TRANSPORT) {
            None | Some("native") => Ok(true),
            Some("librdkafka") => Ok(false),
            Some(other) => Err(Failure::invalid_property(format!(
                "{TRANSPORT}={other} is not possible: expected native or librdkafka"
            ))),
        }
    }

    /// Returns the canonical names and the values of the properties that were set, the last of each
    /// name; `None` instead of a secret.
    pub(super) fn texts(&self) -> BTreeMap<&str, Option<&str>> {
        let properties = self.properties.iter();
        let texts = properties.map(|property| {
            let text = match &property.value {
                Value::Text(text) => Some(text.as_str()),
                Value::Secret(_) => None,
            };
            (property::canonical(&property.name), text)
        });
        texts.collect()
    }

    /// Reads the value of a property.
    ///
    /// # Errors
    /// `missing_secret`.
    pub(super) fn reveal(&self, canonical: &str) -> Result<Option<String>, Failure> {
        match self.value(canonical) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(Value::Secret(secret)) => secret.reveal().map(Some),
        }
    }

    /// Sets a property of librdkafka to exactly this text.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push(Property::text(name, value));
        self
    }

    /// Sets a property whose value is read for each connection, and never shown.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.properties.push(Property::secret(name, secret));
        self
    }

    /// Sets a property that was read from a command line or a settings file.
    #[must_use]
    pub fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Returns the bootstrap servers, for display.
    pub fn bootstrap_servers(&self) -> &str {
        self.text("bootstrap.servers")
            .unwrap_or("addresses from a secret")
    }

    /// Returns how the connection is secured.
    pub fn security(&self) -> Security {
        let protocol = self.text("security.protocol").unwrap_or("plaintext");
        let protocol = protocol.to_ascii_lowercase();
        let is = |name: &str, value: &str| self.text(name) == Some(value);
        let logs_in = protocol.starts_with("sasl");
        let mechanism = self.text("sasl.mechanisms").unwrap_or("GSSAPI");
        Security {
            is_encrypted: protocol.ends_with("ssl"),
            is_verified: !is("enable.ssl.certificate.verification", "false"),
            verifies_names: !is("ssl.endpoint.identification.algorithm", "none"),
            mechanism: logs_in.then(|| mechanism.to_owned()),
            user: self.text("sasl.username").map(str::to_owned),
        }
    }

    /// Returns the name by which the brokers know the client, for messages.
    pub(super) fn principal(&self) -> String {
        let protocol = self.text("security.protocol").unwrap_or("plaintext");
        match self.text("sasl.username") {
            Some(user) => format!("User:{user}"),
            None if protocol.eq_ignore_ascii_case("plaintext") => {
                "User:ANONYMOUS, a client that does not log in,".to_owned()
            }
            None => "the user of this client".to_owned(),
        }
    }

    /// Tokens that were fetched for logins.
    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn limits(&self) -> &TopicLimits {
        &self.limits
    }

    pub(super) fn refused(&self) -> &RefusedBatchTopics {
        &self.refused
    }

    /// Returns the value of a property that is not secret.
    pub(super) fn text(&self, canonical: &str) -> Option<&str> {
        match self.value(canonical)? {
            Value::Text(text) => Some(text),
            Value::Secret(_) => None,
        }
    }

    /// Returns the last value of a property.
    fn value(&self, canonical: &str) -> Option<&Value> {
        let mut properties = self.properties.iter();
        let last = properties.rfind(|it| property::canonical(&it.name) == canonical)?;
        Some(&last.value)
    }

    /// Returns the configuration of a producer. It contains secrets: do not show its `Debug`
    /// output.
    ///
    /// # Errors
    /// `invalid_property`, `refused_property` and `missing_secret`.
    pub fn producer_config(&self) -> Result<ClientConfig, Failure> {
        self.resolve(ClientKind::Producer)
            .map(|resolved| resolved.config)
    }

    /// Returns the configuration of a consumer or an admin client, without properties of producers
    /// only. It contains secrets: do not show its `Debug` output.
    ///
    /// # Errors
    /// `invalid_property` and `missing_secret`.
    pub fn client_config(&self) -> Result<ClientConfig, Failure> {
        self.resolve(ClientKind::Any)
            .map(|resolved| resolved.config)
    }

    /// Resolves the configuration of a client, with its secrets.
    pub(crate) fn resolve(&self, clients: ClientKind) -> Result<Resolved, Failure> {
        let mut settings = BTreeMap::new();
        let mut secrets = Vec::new();
        let has_token = TokenSource::of(self)?.is_some();
        for (whose, name, value) in DEFAULTS {
            if clients == ClientKind::Producer || *whose == ClientKind::Any {
                settings.insert(*name, (*name, (*value).to_owned()));
            }
        }
        for Property { name, value } in &self.properties {
            let canonical = property::canonical(name);
            if canonical == TRANSPORT {
                continue;
            }
            if clients == ClientKind::Any && property::is_for_producers_only(canonical) {
                continue;
            }
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Secret(secret) => secret.reveal().map_err(|failure| Failure {
                    detail: format!("{name}: {}", failure.detail),
                    ..failure
                })?,
            };
            if matches!(value, Value::Secret(_)) || property::is_sensitive(name) {
                secrets.push(text.clone());
            }
            if has_token && oauth::has_property(canonical) {
                continue;
            }
            if canonical == TOKEN {
                return Err(Failure::invalid_property(format!(
                    "{name} needs sasl.mechanism=OAUTHBEARER"
                )));
            }
            settings.insert(canonical, (name, text));
        }
        let redactor = Redactor::new(secrets.iter().map(String::as_str));
        let mut config = ClientConfig::new();
        for (canonical, (name, value)) in settings {
            if clients == ClientKind::Producer
                && let Some(why) = required_config::violated_by(canonical, &value)
            {
                return Err(Failure::new(
                    FailureKind::Permanent,
                    FailureCode::RefusedProperty,
                    format!("{name}={} is not possible: {why}", redactor.redact(&value)),
                ));
            }
            if canonical == "log_level" {
                config.set_log_level(log_level(&value)?);
            }
            config.set(canonical, value);
        }
        if config.get("bootstrap.servers").is_some_and(str::is_empty) {
            return Err(Failure::invalid_property(
                "bootstrap.servers is empty; expected host:port",
            ));
        }
        config
            .create_native_config()
            .map_err(|error| invalid(&error, &redactor))?;
        Ok(Resolved { config, redactor })
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
        KafkaError::ClientConfig(_, _, name, _) if property::is_sensitive(name) => {
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

/// Shows the names of the properties without their values.
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
    fn principal_is_named_if_it_is_no_secret() {
        assert!(options().principal().starts_with("User:ANONYMOUS"));
        let secure = options().property("security.protocol", "sasl_ssl");
        assert_eq!(secure.principal(), "the user of this client");
        let named = secure.clone().property("sasl.username", "orders");
        assert_eq!(named.principal(), "User:orders");
        let secret = secure.secret("sasl.username", Secret::literal("hunter2"));
        assert_eq!(secret.principal(), "the user of this client");
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
