//! Configuration of Kafka clients.

mod defaults;
pub mod environment;
mod property;
mod required_config;
mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub(super) use self::defaults::ClientKind;
use self::defaults::DEFAULTS;
pub use self::property::Property;
use self::property::Value;
pub(super) use self::property::is_for_consumers_only;
#[cfg(feature = "librdkafka")]
pub(super) use self::property::is_sensitive;
pub(super) use self::secret::Redactor;
pub use self::secret::Secret;
#[cfg(feature = "librdkafka")]
use super::librdkafka::{LimitRequests, RefusedBatchTopics};
use super::oauth::{self, TokenProvider, TokenSource, Tokens};
use super::topic_limits::TopicLimits;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Address of a cluster, and properties of its clients.
///
/// Properties have the names and meanings of librdkafka; a later one replaces an earlier one with the same name
/// or an alias of it. Properties that would break a delivery guarantee are refused. Neither `Debug`
/// nor any error or log line shows the value of a secret.
///
/// The property `transport` is Herald's: `native` (default) publishes through Herald's own producer,
/// `librdkafka` through that one, in builds with the feature of this name. The first has fewer
/// properties; [`Connector::connect`](crate::Connector::connect) names those that it does not have.
#[derive(Clone)]
pub struct KafkaOptions {
    properties: Vec<Property>,
    limits: TopicLimits,
    provider: Option<Arc<dyn TokenProvider>>,
    tokens: Tokens,
    #[cfg(feature = "librdkafka")]
    refused: RefusedBatchTopics,
    #[cfg(feature = "librdkafka")]
    limit_requests: LimitRequests,
}

/// Name of the property that chooses the producer.
const TRANSPORT: &str = "transport";

/// Token of OAuth 2: Herald gives it to its clients.
pub(super) const TOKEN: &str = "sasl.oauthbearer.token";

/// Resolved properties of a client.
pub(super) struct Resolved {
    /// Values by canonical names, with their secrets.
    #[cfg_attr(
        not(feature = "librdkafka"),
        expect(
            dead_code,
            reason = "the native transport reads each property by its name"
        )
    )]
    pub(super) properties: BTreeMap<String, String>,
    /// Redactor of the secrets in the properties.
    pub(super) redactor: Redactor,
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
            limits: TopicLimits::default(),
            provider: None,
            tokens: Tokens::default(),
            #[cfg(feature = "librdkafka")]
            refused: RefusedBatchTopics::default(),
            #[cfg(feature = "librdkafka")]
            limit_requests: LimitRequests::default(),
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

    /// Sets the provider of the tokens for logins. It takes precedence over the properties of tokens.
    #[must_use]
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self.tokens = Tokens::default();
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

    pub(super) fn provider(&self) -> Option<&Arc<dyn TokenProvider>> {
        self.provider.as_ref()
    }

    /// Tokens that were fetched for logins.
    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn limits(&self) -> &TopicLimits {
        &self.limits
    }

    #[cfg(feature = "librdkafka")]
    pub(super) fn refused(&self) -> &RefusedBatchTopics {
        &self.refused
    }

    #[cfg(feature = "librdkafka")]
    pub(super) fn limit_requests(&self) -> &LimitRequests {
        &self.limit_requests
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

    /// Resolves the properties of a client, with their secrets.
    ///
    /// # Errors
    /// `invalid_property`, `refused_property` and `missing_secret`.
    pub(super) fn resolve(&self, clients: ClientKind) -> Result<Resolved, Failure> {
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
        if clients == ClientKind::Producer {
            for (canonical, (name, value)) in &settings {
                if let Some(why) = required_config::violated_by(canonical, value) {
                    return Err(Failure::new(
                        FailureKind::Permanent,
                        FailureCode::RefusedProperty,
                        format!("{name}={} is not possible: {why}", redactor.redact(value)),
                    ));
                }
            }
        }
        let properties: BTreeMap<_, _> = settings
            .into_iter()
            .map(|(canonical, (_, value))| (canonical.to_owned(), value))
            .collect();
        if properties
            .get("bootstrap.servers")
            .is_some_and(String::is_empty)
        {
            return Err(Failure::invalid_property(
                "bootstrap.servers is empty; expected host:port",
            ));
        }
        Ok(Resolved {
            properties,
            redactor,
        })
    }
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

    fn options() -> KafkaOptions {
        KafkaOptions::new("127.0.0.1:1")
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
}
