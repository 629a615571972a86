//! Transport of Kafka through Herald's own producer.

use std::sync::Arc;
use std::time::Duration;

use herald_process::ForkGuard;
use herald_wire::record_batch::{Compression, Record};
use herald_wire::{
    BrokerStatistics, ClientIdentity, Delivery, Failed, Listener, Login, Mechanism, Producer,
    Refused, Security, Settings, Source, Tls, Trouble, TroubleKind, Verification,
};

use super::classify;
use super::cluster_id;
use super::config::{ClientKind, KafkaOptions, TOKEN, is_for_consumers_only};
use super::connection_state::{ConnectionState, closed, no_thread};
use super::connector::{DROP_TIMEOUT, MAX_WAIT};
use super::error_code::ErrorCode;
use super::log::Log;
use super::oauth::{self, TokenSource};
use crate::failure::Failure;
use crate::message::Message;
use crate::transport::{
    ConnectionListener, Connector, DeliveryCallback, LimitsAnswered, RecordMetadata, Transport,
};

/// Connection to Kafka without librdkafka.
struct NativeTransport {
    producer: Option<Producer<Report>>,
    state: Arc<ConnectionState>,
    max_message_bytes: usize,
    fork_guard: ForkGuard,
}

/// Delivery of one message.
struct Report(Arc<dyn DeliveryCallback>);

impl Delivery for Report {
    type Context = Arc<ConnectionState>;

    fn delivered(self, state: &Self::Context, partition: i32, offset: i64) {
        state.on_success();
        self.0.on_delivery(Ok(RecordMetadata { partition, offset }));
    }

    fn failed(self, state: &Self::Context, topic: &str, failed: Failed) {
        let failure = match failed {
            Failed::Refused(code) => state.message_failure(ErrorCode::from(code), topic),
            Failed::Expired => state.message_failure(ErrorCode::MessageTimedOut, topic),
            Failed::Closed => classify::failure(ErrorCode::PurgeInflight, topic),
        };
        self.0.on_delivery(Err(failure));
    }
}

struct Watch(Arc<ConnectionState>);

impl Listener for Watch {
    fn unreachable(&self, trouble: &Trouble) {
        let code = match trouble.kind {
            TroubleKind::Network => ErrorCode::BrokerTransportFailure,
            TroubleKind::Tls => ErrorCode::Ssl,
            TroubleKind::Login => ErrorCode::Authentication,
        };
        self.0.on_unreachable(code, &trouble.cause);
    }

    fn absent(&self, topic: &str) {
        let code = ErrorCode::UnknownTopicOrPartition;
        self.0.absent_topics.insert(topic, code);
    }

    fn limit(&self, topic: &str, bytes: usize) {
        self.0.options.note_limit(topic, bytes);
    }
}

/// Opens a connection.
pub(super) fn connect(
    options: &KafkaOptions,
    listener: Arc<dyn ConnectionListener>,
    delivery_timeout: Option<Duration>,
) -> Result<Arc<dyn Transport>, Failure> {
    let settings = Settings {
        delivery_timeout,
        ..settings(options)?
    };
    let resolved = options.resolve(ClientKind::Producer)?;
    let log = Log::new(resolved.redactor);
    let state = Arc::new(ConnectionState::new(listener, log, options.clone()));
    let watch = Arc::new(Watch(state.clone()));
    let producer = Producer::start(settings, watch, state.clone());
    let producer = producer.map_err(|error| no_thread(&error))?;
    Ok(Arc::new(NativeTransport {
        producer: Some(producer),
        state,
        max_message_bytes: options.max_message_bytes().unwrap_or(usize::MAX),
        fork_guard: ForkGuard::new(),
    }))
}

/// Reads the properties that the native transport has.
fn settings(options: &KafkaOptions) -> Result<Settings, Failure> {
    let servers = options.reveal("bootstrap.servers")?.unwrap_or_default();
    let servers = servers.split(',').map(address);
    let mut settings = Settings::new(servers.collect::<Result<_, _>>()?);
    settings.security = security(options)?;
    for (name, value) in options.texts() {
        if is_read_elsewhere(name) {
            continue;
        }
        let unknown = || {
            let advice = match nearest(name) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if cfg!(feature = "librdkafka") => {
                    "if librdkafka has it, add `transport=librdkafka`".to_owned()
                }
                None => "see the documentation for those that it has".to_owned(),
            };
            let failure = format!("the native transport has no property `{name}`; {advice}");
            Failure::invalid_property(failure)
        };
        let value = value.ok_or_else(unknown)?;
        let number = || {
            value.parse().map_err(|_| {
                Failure::invalid_property(format!("{name}: the value is not a number"))
            })
        };
        let time = || number().map(Duration::from_millis);
        let size = || number().map(|size: u64| usize::try_from(size).unwrap_or(usize::MAX));
        match name {
            "client.id" => value.clone_into(&mut settings.client_id),
            "linger.ms" => settings.linger = time()?,
            "batch.size" => settings.batch_bytes = size()?,
            "max.in.flight.requests.per.connection" => settings.max_in_flight = size()?.clamp(1, 5),
            "request.timeout.ms" => settings.request_timeout = time()?,
            "socket.timeout.ms" => settings.socket_timeout = time()?,
            "socket.connection.setup.timeout.ms" => settings.connect_timeout = time()?,
            "topic.metadata.propagation.max.ms" => settings.topic_propagation = time()?,
            "metadata.max.age.ms" | "topic.metadata.refresh.interval.ms" => {
                settings.metadata_age = time()?;
            }
            "compression.type" => {
                settings.compression = match value {
                    "none" => Compression::None,
                    "gzip" => Compression::Gzip,
                    "snappy" => Compression::Snappy,
                    "lz4" => Compression::Lz4,
                    "zstd" => Compression::Zstd,
                    other => {
                        return Err(Failure::invalid_property(format!(
                            "{name}={other} is not possible: expected none, gzip, snappy, lz4 or \
                             zstd"
                        )));
                    }
                };
            }
            "partitioner" if value != PARTITIONER => {
                return Err(Failure::invalid_property(format!(
                    "{name}={value} is not possible: the native transport has {PARTITIONER}"
                )));
            }
            "partitioner" => {}
            _ => return Err(unknown()),
        }
    }
    Ok(settings)
}

/// Properties of connections and batches, which [`settings`] reads.
const PROPERTIES: &[&str] = &[
    "batch.size",
    "bootstrap.servers",
    "client.id",
    "compression.type",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "metadata.max.age.ms",
    "partitioner",
    "request.timeout.ms",
    "socket.connection.setup.timeout.ms",
    "socket.timeout.ms",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.interval.ms",
];

/// Properties with one possible value, which [`KafkaOptions::resolve`] checks, and those that others
/// read.
const FIXED: &[&str] = &[
    "acks",
    "delivery.report.only.error",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "message.max.bytes",
    "message.timeout.ms",
    "queuing.strategy",
    "retries",
    "transactional.id",
    "transport",
];

/// Partitioner of Java's clients: a key lands where they put it.
const PARTITIONER: &str = "murmur2_random";

fn is_read_elsewhere(name: &str) -> bool {
    SECURITY.contains(&name)
        || FIXED.contains(&name)
        || name == "bootstrap.servers"
        || oauth::has_property(name)
        || is_for_consumers_only(name)
}

/// Returns the property whose name is most like this one: one edit for every three characters.
fn nearest(name: &str) -> Option<&'static str> {
    let known = PROPERTIES.iter().chain(SECURITY).chain(FIXED).copied();
    let distances = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let tolerated = name.len() / 3;
    let (_, nearest) = distances
        .filter(|(distance, _)| *distance <= tolerated)
        .min()?;
    Some(nearest)
}

/// Properties of TLS and of the login. The names of files, and what is secret, are read for each
/// connection.
const SECURITY: &[&str] = &[
    "security.protocol",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.key.location",
    "ssl.key.pem",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "enable.ssl.certificate.verification",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
];

fn security(options: &KafkaOptions) -> Result<Security, Failure> {
    let protocol = options.text("security.protocol").unwrap_or("plaintext");
    let (has_tls, has_login) = match protocol.to_ascii_lowercase().as_str() {
        "plaintext" => (false, false),
        "ssl" => (true, false),
        "sasl_plaintext" => (false, true),
        "sasl_ssl" => (true, true),
        _ => {
            return Err(Failure::invalid_property(format!(
                "security.protocol={protocol} is not possible: expected plaintext, ssl, \
                 sasl_plaintext or sasl_ssl"
            )));
        }
    };
    let mut security = Security::default();
    if has_tls {
        let verification = verification(options)?;
        let options = options.clone();
        let now = tls(&options, verification).and_then(|tls| tls.check());
        now.map_err(Failure::invalid_property)?;
        security.tls = Some(Source::new(move || tls(&options, verification)));
    }
    if has_login {
        let way = Way::of(options)?;
        way.check(options).map_err(Failure::invalid_property)?;
        if let Way::Token(source) = way {
            let options = options.clone();
            security.preparation = Some(Source::new(move || {
                source.prepare(&options);
                Ok(())
            }));
        }
        let options = options.clone();
        security.login = Some(Source::new(move || way.login(&options)));
    }
    Ok(security)
}

fn verification(options: &KafkaOptions) -> Result<Verification, Failure> {
    let verifies = options.text("enable.ssl.certificate.verification");
    let names = options.text("ssl.endpoint.identification.algorithm");
    match (verifies.unwrap_or("true"), names.unwrap_or("https")) {
        ("false", _) => Ok(Verification::Nothing),
        ("true", "https") => Ok(Verification::Full),
        ("true", "none") => Ok(Verification::AnyHost),
        ("true", other) => Err(Failure::invalid_property(format!(
            "ssl.endpoint.identification.algorithm={other} is not possible: expected https or none"
        ))),
        (other, _) => Err(Failure::invalid_property(format!(
            "enable.ssl.certificate.verification={other} is not possible: expected true or false"
        ))),
    }
}

/// Way of logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Password(Mechanism),
    Token(TokenSource),
}

impl Way {
    fn of(options: &KafkaOptions) -> Result<Self, Failure> {
        let name = options.text("sasl.mechanisms").unwrap_or_default();
        let known = Mechanism::ALL.into_iter().find(|it| it.name() == name);
        match (known, TokenSource::of(options)?) {
            (_, Some(source)) => Ok(Self::Token(source)),
            (Some(Mechanism::OauthBearer), None) => Err(Failure::invalid_property(format!(
                "{TOKEN} is missing, or {}=oidc",
                oauth::METHOD
            ))),
            (Some(mechanism), None) => Ok(Self::Password(mechanism)),
            (None, None) => Err(Failure::invalid_property(format!(
                "sasl.mechanism={name} is not possible with the native transport: it has {}",
                Mechanism::ALL.map(Mechanism::name).join(", ")
            ))),
        }
    }

    /// Checks what can be known before a connection.
    fn check(self, options: &KafkaOptions) -> Result<(), String> {
        match self {
            Self::Token(source) => source.check(options),
            Self::Password(_) => self.login(options).map(drop),
        }
    }

    fn login(self, options: &KafkaOptions) -> Result<Login, String> {
        let read = |name: &str| {
            options
                .reveal(name)
                .map_err(|failure| failure.detail)?
                .ok_or_else(|| format!("{name} is missing"))
        };
        Ok(match self {
            Self::Password(mechanism) => Login {
                mechanism,
                user: read("sasl.username")?,
                secret: read("sasl.password")?,
                extensions: Vec::new(),
            },
            Self::Token(source) => Login {
                mechanism: Mechanism::OauthBearer,
                user: String::new(),
                secret: source.token(options)?.text,
                extensions: oauth::extensions(options)?,
            },
        })
    }
}

fn tls(options: &KafkaOptions, verification: Verification) -> Result<Tls, String> {
    let reveal = |name: &str| options.reveal(name).map_err(|failure| failure.detail);
    // Its text, or the file with it.
    let pem = |what: &str| {
        if let Some(text) = reveal(&format!("{what}.pem"))? {
            return Ok(Some(text.into_bytes()));
        }
        let name = format!("{what}.location");
        let Some(path) = reveal(&name)? else {
            return Ok(None);
        };
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(format!("{name}={path} can't be read: {error}")),
        }
    };
    let identity = match (pem("ssl.certificate")?, pem("ssl.key")?) {
        (None, None) => None,
        (Some(certificates), Some(key)) => Some(ClientIdentity {
            certificates,
            key,
            password: reveal("ssl.key.password")?,
        }),
        (Some(_), None) => return Err("a certificate without ssl.key.location".to_owned()),
        (None, Some(_)) => return Err("a key without ssl.certificate.location".to_owned()),
    };
    Ok(Tls {
        roots: pem("ssl.ca")?,
        identity,
        verification,
    })
}

/// Parses `host:port`, where a port is 9092 if it is left out, as in librdkafka.
fn address(text: &str) -> Result<(String, u16), Failure> {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, address)| address);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, port),
        _ => (text, "9092"),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match port.parse() {
        Ok(port) if !host.is_empty() => Ok((host.to_owned(), port)),
        _ => Err(Failure::invalid_property(format!(
            "bootstrap.servers: `{text}` is not an address; expected host:port"
        ))),
    }
}

impl NativeTransport {
    fn producer(&self) -> Result<&Producer<Report>, Failure> {
        let producer = self.producer.as_ref();
        producer
            .filter(|producer| !producer.is_closed() && !self.state.is_closing())
            .ok_or_else(closed)
    }

    fn push(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
        has_more: bool,
    ) -> Result<(), Failure> {
        let topic = message.topic();
        message.check_wire_bytes(self.max_message_bytes)?;
        let record = Record {
            timestamp: message.created_milliseconds(),
            key: message.key(),
            value: message.payload(),
            headers: message.headers(),
        };
        let producer = self.producer()?;
        let sent = producer.send(topic, &record, Report(delivery), has_more);
        sent.map_err(|refused| match refused {
            Refused::Closed => closed(),
            Refused::Topic(code) => self.state.message_failure(ErrorCode::from(code), topic),
            Refused::TooLarge => self
                .state
                .message_failure(ErrorCode::MessageTooLarge, topic),
        })
    }
}

impl Transport for NativeTransport {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        self.push(message, delivery, false)
    }

    fn send_with_more(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        self.push(message, delivery, true)
    }

    fn flush(&self) {
        if let Ok(producer) = self.producer() {
            producer.flush();
        }
    }

    fn ask_limits(&self, topic: &str, answered: LimitsAnswered) -> bool {
        if self.state.check(topic).is_err() {
            return false;
        }
        let Ok(producer) = self.producer() else {
            return false;
        };
        producer.ask_limit(topic, answered);
        true
    }

    fn statistics(&self) -> Vec<BrokerStatistics> {
        let producer = self.producer.as_ref();
        producer.map(Producer::statistics).unwrap_or_default()
    }

    fn topic_failure(&self, topic: &str) -> Option<Failure> {
        self.state.topic_failure(topic)
    }

    fn outage(&self) -> Option<Failure> {
        self.state.outage()
    }

    fn probe(&self, timeout: Duration) -> Result<(), Failure> {
        let answer = self.producer()?.probe(timeout.min(MAX_WAIT));
        answer.ok_or_else(|| self.state.explain(ErrorCode::OperationTimedOut))?;
        self.state.on_success();
        Ok(())
    }

    fn cluster_id(&self, timeout: Duration) -> Result<Option<String>, Failure> {
        let answer = self.producer()?.probe(timeout.min(MAX_WAIT));
        let id = answer.ok_or_else(|| self.state.explain(ErrorCode::OperationTimedOut))?;
        self.state.on_success();
        Ok(id.map(cluster_id::shared))
    }

    fn close(&self, timeout: Duration) {
        self.state.close();
        if let Some(producer) = &self.producer {
            producer.close(timeout.clamp(DROP_TIMEOUT, MAX_WAIT));
        }
    }
}

impl Drop for NativeTransport {
    fn drop(&mut self) {
        if self.fork_guard.is_forked() {
            // Its thread does not exist here, and it may have held a lock.
            std::mem::forget(self.producer.take());
        } else {
            self.close(DROP_TIMEOUT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;
    use crate::kafka::{LoginToken, Secret, TokenProvider};

    #[test]
    fn properties_of_consumers_are_left_to_them() {
        settings(&KafkaOptions::new("127.0.0.1:1").property("group.id", "audit")).unwrap();
    }

    #[test]
    fn properties_that_are_suggested_are_known() {
        for name in PROPERTIES {
            if let Err(failure) = settings(&KafkaOptions::new("127.0.0.1:1").property(*name, "?")) {
                assert!(!failure.detail.contains("no property"), "{failure}");
            }
        }
    }

    struct NoToken;

    impl TokenProvider for NoToken {
        fn token(&self) -> Result<LoginToken, String> {
            Err("none".to_owned())
        }
    }

    #[test]
    fn a_token_provider_needs_its_mechanism() {
        let options = KafkaOptions::new("127.0.0.1:1").token_provider(NoToken);
        let login = options.clone().property("security.protocol", "sasl_ssl");
        for options in [options, login.clone().property("sasl.mechanism", "PLAIN")] {
            let failure = options.resolve(ClientKind::Producer).map(drop).unwrap_err();
            assert!(
                failure.detail.contains("sasl.mechanism=OAUTHBEARER"),
                "{failure}"
            );
        }
        settings(&login.property("sasl.mechanism", "OAUTHBEARER")).unwrap();
    }

    fn refusal(options: &KafkaOptions) -> String {
        let failure = settings(options).unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidProperty);
        failure.detail
    }

    #[test]
    fn properties_that_can_not_be_used_are_refused_before_a_connection() {
        let options = || KafkaOptions::new("127.0.0.1:1");
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, "no certificate").unwrap();
        let text = text.to_str().unwrap();
        let ssl = || options().property("security.protocol", "ssl");
        let login = || options().property("security.protocol", "sasl_plaintext");
        let oauth = || login().property("sasl.mechanism", "OAUTHBEARER");
        let oidc = || oauth().property("sasl.oauthbearer.method", "oidc");
        for (options, part) in [
            (
                options().property("statistics.interval.ms", "3"),
                "no property `statistics.interval.ms`; if librdkafka has it, add",
            ),
            (
                options().property("partitioner", "fnv1a_random"),
                "partitioner=fnv1a_random is not possible: the native transport has murmur2_random",
            ),
            (
                options().property("lingre.ms", "3"),
                "no property `lingre.ms`; did you mean `linger.ms`?",
            ),
            (options().property("linger.ms", "soon"), "not a number"),
            (options().property("security.protocol", "tls"), "sasl_ssl"),
            (options().property("compression.type", "brotli"), "snappy"),
            (
                options().secret("sasl.kerberos.secret", Secret::literal("s")),
                "secret",
            ),
            (ssl().property("ssl.ca.location", "/absent"), "/absent"),
            (ssl().property("ssl.ca.location", text), "the CA"),
            (
                ssl().property("ssl.key.location", text),
                "ssl.certificate.location",
            ),
            (
                ssl().property("enable.ssl.certificate.verification", "no"),
                "true or false",
            ),
            (
                login().property("sasl.mechanism", "GSSAPI"),
                "SCRAM-SHA-256",
            ),
            (
                login().property("sasl.mechanism", "PLAIN"),
                "sasl.username is missing",
            ),
            (
                login().property("sasl.mechanism", "OAUTHBEARER"),
                "sasl.oauthbearer.token is missing, or sasl.oauthbearer.method=oidc",
            ),
            (
                oauth().property("sasl.oauthbearer.method", "azure"),
                "expected default or oidc",
            ),
            (
                oidc(),
                "sasl.oauthbearer.token.endpoint.url is missing, which",
            ),
            (
                oidc().property("sasl.oauthbearer.token.endpoint.url", "http://id.example/"),
                "must begin with https://",
            ),
            (
                oidc().property(
                    "sasl.oauthbearer.token.endpoint.url",
                    "https://a:b@id.example/",
                ),
                "must not have a user",
            ),
            (
                oidc()
                    .property("sasl.oauthbearer.token.endpoint.url", "https://id.example/")
                    .property("https.ca.location", "/absent"),
                "https.ca.location=/absent can't be read",
            ),
            (
                oidc()
                    .property("sasl.oauthbearer.token.endpoint.url", "https://id.example/")
                    .property("https.ca.location", text),
                "has no certificate",
            ),
            (
                oidc().property("sasl.oauthbearer.extensions", "lkc-1"),
                "expected NAME=VALUE",
            ),
        ] {
            let detail = refusal(&options);
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
}
