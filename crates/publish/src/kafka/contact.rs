//! Reaching a cluster, and saying why that failed.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use super::classify;
use super::defaults::For;
use super::log::Log;
use super::options::{KafkaOptions, invalid};
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};

/// How long a broker is waited for that refuses connections, or whose name nobody knows: it may
/// be starting. One that says nothing at all gets the whole time.
const REFUSED: Duration = Duration::from_secs(3);

/// How long the first question waits for its answer. Each further one waits twice as long, so
/// that a slow cluster has time, and a complaint is noticed soon.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Hears librdkafka's complaints and keeps the last one, so that a failed request can say why.
pub(super) struct Contact {
    log: Log,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// What happened to a connection, in librdkafka's words.
    complaint: Option<Failure>,
    /// Whether no broker could be reached at some time.
    is_down: bool,
}

impl ClientContext for Contact {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
        // Not everything that is logged is an error too.
        if facility == "FAIL" {
            let mut last = lock(&self.last);
            last.complaint.get_or_insert_with(|| Failure {
                detail: self.log.clean(message),
                ..classify::failure(Code::BrokerTransportFailure, "")
            });
        }
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else {
            return;
        };
        let mut last = lock(&self.last);
        // It follows what says why.
        if code == Code::AllBrokersDown {
            last.is_down = true;
        } else {
            last.complaint = Some(Failure {
                detail: self.log.clean(reason),
                ..classify::failure(code, "")
            });
        }
    }
}

impl ConsumerContext for Contact {}

impl Contact {
    /// The last complaint, in librdkafka's words. It is forgotten by asking.
    pub(super) fn take(&self) -> Option<Failure> {
        std::mem::take(&mut *lock(&self.last)).complaint
    }

    /// How long it is worth to wait for an answer, if it is at all.
    fn timeout(&self, most: Duration) -> Duration {
        let last = lock(&self.last);
        match &last.complaint {
            Some(complaint)
                if matches!(
                    complaint.code,
                    FailureCode::AuthenticationFailed | FailureCode::TlsFailed
                ) =>
            {
                Duration::ZERO
            }
            complaint if complaint.is_some() || last.is_down => REFUSED.min(most),
            _ => most,
        }
    }
}

/// A client that asks about the cluster, and reads from it where `properties` say so.
///
/// # Errors
/// Those of [`KafkaOptions::client_config`].
pub(super) fn client(
    options: &KafkaOptions,
    properties: &[(&str, &str)],
) -> Result<BaseConsumer<Contact>, Failure> {
    let mut resolved = options.resolve(For::All)?;
    for (name, value) in properties {
        resolved.config.set(*name, *value);
    }
    let scrub = resolved.scrub.clone();
    let contact = Contact {
        log: Log::new(resolved.scrub),
        last: Mutex::default(),
    };
    resolved
        .config
        .create_with_context(contact)
        .map_err(|error| invalid(&error, &scrub))
}

/// Asks what there is on the cluster, for at most `timeout`.
///
/// # Errors
/// `unreachable`, `authentication_failed` or `tls_failed`, with the addresses, the time waited
/// and what to check.
pub(super) fn reach(
    client: &BaseConsumer<Contact>,
    servers: &str,
    timeout: Duration,
) -> Result<Metadata, Failure> {
    let started = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        // Asked for all topics: asking for one by name could create it.
        match client.fetch_metadata(None, wait.min(left)) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Ok(metadata),
            Ok(_) | Err(_) => {}
        }
        // Complaints are only heard when somebody listens.
        while client.poll(Duration::ZERO).is_some() {}
        let waited = started.elapsed();
        if waited >= client.context().timeout(timeout) {
            return Err(no_answer(servers, waited, client.context().take()));
        }
        wait = wait.saturating_mul(2);
    }
}

fn no_answer(servers: &str, waited: Duration, complaint: Option<Failure>) -> Failure {
    let waited = waited.as_secs_f64();
    let mut failure = Failure::new(
        FailureKind::Retriable,
        FailureCode::Unreachable,
        format!("no answer from Kafka at {servers} within {waited:.1} s"),
    );
    if let Some(complaint) = complaint {
        failure.kind = complaint.kind;
        failure.code = complaint.code;
        let reason = complaint.detail.trim_end_matches(['.', ' ']);
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
    fn nobody_at_the_address_is_told_with_address_and_time_and_what_to_check() {
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
    fn a_port_that_says_nothing_is_given_up_in_time() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let options = KafkaOptions::new(&address);
        let client = client(&options, &[]).unwrap();
        let failure = reach(&client, &address, Duration::from_millis(500)).unwrap_err();
        assert_eq!(failure.code, FailureCode::Unreachable);
        assert!(failure.detail.contains(&address), "{failure}");
    }
}
