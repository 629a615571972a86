//! Client for metadata: reaches a cluster, and explains why that failed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataTopic};

use super::client_config::invalid;
use super::error::error_code;
use super::tokens::TokenKeeper;
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::classify;
use crate::kafka::config::{ClientKind, KafkaOptions};
use crate::kafka::error_code::ErrorCode;
use crate::kafka::log::Log;

/// Time to wait for a broker that refuses connections or can't be resolved: it may be starting. A
/// silent one gets the whole time.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(3);

/// Time to wait for a silent broker before a new client tries.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout of the first request. It doubles with each further one, so that a slow cluster has time,
/// and an error is noticed soon.
const INITIAL_TIMEOUT: Duration = Duration::from_millis(200);

/// Context that stores librdkafka's last error, to explain a failed request.
pub(super) struct ErrorRecorder {
    log: Log,
    last: Mutex<Option<Failure>>,
    tokens: Mutex<Option<TokenKeeper>>,
}

impl ClientContext for ErrorRecorder {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
        // Some failures are logged, but not reported as errors.
        if facility == "FAIL" {
            lock(&self.last).get_or_insert_with(|| {
                let reason = self.log.clean(message);
                Failure {
                    detail: reason.clone(),
                    ..classify::connection_failure(ErrorCode::BrokerTransportFailure, &reason)
                }
            });
        }
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error_code(&error) else {
            return;
        };
        // Comes after the error with the cause. Without one, a broker that just started or resumed
        // closed its connections, and librdkafka connects again.
        if code != ErrorCode::AllBrokersDown {
            let reason = self.log.clean(reason);
            *lock(&self.last) = Some(Failure {
                detail: reason.clone(),
                ..classify::connection_failure(code, &reason)
            });
        }
    }
}

impl ConsumerContext for ErrorRecorder {}

impl ErrorRecorder {
    /// Takes the last error, in librdkafka's words.
    pub(super) fn take(&self) -> Option<Failure> {
        lock(&self.last).take()
    }

    /// Returns how long to wait for an answer, at most `max`, after the errors so far.
    fn timeout(&self, max: Duration) -> Duration {
        match lock(&self.last).as_ref().map(|error| error.code) {
            Some(FailureCode::AuthenticationFailed | FailureCode::TlsFailed) => Duration::ZERO,
            Some(_) => REFUSED_TIMEOUT.min(max),
            None => max,
        }
    }
}

/// Creates a client for metadata, and for reading with the given `properties`.
///
/// # Errors
/// Those of [`KafkaOptions::client_config`].
fn client(
    options: &KafkaOptions,
    properties: &[(&str, &str)],
) -> Result<BaseConsumer<ErrorRecorder>, Failure> {
    let mut resolved = options.configure(ClientKind::Any)?;
    for (name, value) in properties {
        resolved.config.set(*name, *value);
    }
    let redactor = resolved.redactor.clone();
    let contact = ErrorRecorder {
        log: Log::new(resolved.redactor),
        last: Mutex::default(),
        tokens: Mutex::new(TokenKeeper::new(options)?),
    };
    let client: BaseConsumer<ErrorRecorder> = resolved
        .config
        .create_with_context(contact)
        .map_err(|error| invalid(&error, &redactor))?;
    keep_token(&client)?;
    Ok(client)
}

/// Renews the token with which a client logs in, if it has one that is old.
///
/// # Errors
/// `authentication_failed`: there is no token.
pub(super) fn keep_token(client: &BaseConsumer<ErrorRecorder>) -> Result<(), Failure> {
    match &mut *lock(&client.context().tokens) {
        Some(tokens) => tokens
            .keep(client.client())
            .map_err(|problem| classify::connection_failure(ErrorCode::Authentication, &problem)),
        None => Ok(()),
    }
}

/// Returns the id of the cluster; `None` if it has none. Development clusters share one.
///
/// # Errors
/// `unreachable`, `authentication_failed` or `tls_failed`, and those of
/// [`KafkaOptions::client_config`].
pub fn cluster_id(options: &KafkaOptions, timeout: Duration) -> Result<Option<String>, Failure> {
    let client = connect(options, &[], timeout)?;
    let id = client.client().fetch_cluster_id(timeout);
    Ok(id.map(crate::kafka::cluster_id::shared))
}

/// Returns the topics that do not exist, or that this client may not describe.
///
/// # Errors
/// Those of [`cluster_id`].
pub fn missing_topics(
    options: &KafkaOptions,
    topics: &[String],
    timeout: Duration,
) -> Result<Vec<String>, Failure> {
    let began = Instant::now();
    let client = connect(options, &[], timeout)?;
    let left = timeout.saturating_sub(began.elapsed());
    let metadata = reach(&client, options.bootstrap_servers(), left)?;
    let existing: HashSet<_> = metadata.topics().iter().map(MetadataTopic::name).collect();
    let missing = topics
        .iter()
        .filter(|topic| !existing.contains(topic.as_str()));
    Ok(missing.cloned().collect())
}

/// Creates a client and waits until the cluster answers, for at most `timeout`.
///
/// A client that gets no answer is replaced: librdkafka 2.12 removes brokers that a metadata response
/// leaves out, and a broker that has just come back lists none for a moment. Such a client got no
/// answer within a minute from a broker that answered others.
///
/// # Errors
/// Those of [`client`] and [`reach`].
pub(super) fn connect(
    options: &KafkaOptions,
    properties: &[(&str, &str)],
    timeout: Duration,
) -> Result<BaseConsumer<ErrorRecorder>, Failure> {
    let started = Instant::now();
    loop {
        let client = client(options, properties)?;
        let left = timeout.saturating_sub(started.elapsed());
        let answer = request_metadata(&client, left.min(SILENCE_TIMEOUT));
        let is_silent = lock(&client.context().last).is_none();
        if answer.is_some() {
            return Ok(client);
        }
        if !is_silent || started.elapsed() >= timeout {
            let servers = options.bootstrap_servers();
            return Err(no_answer(
                servers,
                started.elapsed(),
                client.context().take(),
            ));
        }
    }
}

/// Requests the metadata of the cluster, for at most `timeout`.
///
/// # Errors
/// `unreachable`, `authentication_failed` or `tls_failed`, with the addresses, the time waited
/// and what to check.
pub(super) fn reach(
    client: &BaseConsumer<ErrorRecorder>,
    servers: &str,
    timeout: Duration,
) -> Result<Metadata, Failure> {
    let started = Instant::now();
    request_metadata(client, timeout)
        .ok_or_else(|| no_answer(servers, started.elapsed(), client.context().take()))
}

/// Requests the metadata of the cluster, for at most `timeout`, and less after an error.
fn request_metadata(client: &BaseConsumer<ErrorRecorder>, timeout: Duration) -> Option<Metadata> {
    let started = Instant::now();
    let mut wait = INITIAL_TIMEOUT;
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        // For all topics: a request for one by name could create it.
        match client.fetch_metadata(None, wait.min(left)) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Some(metadata),
            Ok(_) | Err(_) => {}
        }
        // librdkafka calls the error callback only from `poll`.
        while client.poll(Duration::ZERO).is_some() {}
        if started.elapsed() >= client.context().timeout(timeout) {
            return None;
        }
        wait = wait.saturating_mul(2);
    }
}

fn no_answer(servers: &str, waited: Duration, last_error: Option<Failure>) -> Failure {
    let waited = waited.as_secs_f64();
    let mut failure = Failure::new(
        FailureKind::Retriable,
        FailureCode::Unreachable,
        format!("no answer from Kafka at {servers} within {waited:.1} s"),
    );
    if let Some(last_error) = last_error {
        failure.kind = last_error.kind;
        failure.code = last_error.code;
        let reason = last_error.detail.trim_end_matches(['.', ' ']);
        let _ = write!(failure.detail, ": {reason}");
    }
    let check = match failure.code {
        FailureCode::AuthenticationFailed => {
            "check security.protocol, sasl.mechanism, user and password"
        }
        FailureCode::TlsFailed => {
            "check security.protocol and ssl.ca.location, and that the certificate is for this host"
        }
        _ => "check the address, that the broker runs, and security.protocol (TLS, SASL)",
    };
    let _ = write!(failure.detail, "; {check}");
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_has_address_time_and_advice() {
        // Bound and closed again: nobody listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let options = KafkaOptions::new(&address);
        let client = client(&options, &[]).unwrap();
        let failure = reach(&client, &address, Duration::from_secs(10)).unwrap_err();
        assert_eq!(failure.code, FailureCode::Unreachable);
        assert_eq!(failure.kind, FailureKind::Retriable);
        for part in [&address, " s: ", "Connection refused", "check the address"] {
            assert!(failure.detail.contains(part), "{failure}");
        }
    }

    #[test]
    fn gives_up_a_silent_port_in_time() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let options = KafkaOptions::new(&address);
        let client = client(&options, &[]).unwrap();
        let failure = reach(&client, &address, Duration::from_millis(500)).unwrap_err();
        assert_eq!(failure.code, FailureCode::Unreachable);
        assert!(failure.detail.contains(&address), "{failure}");
    }
}
