//! Reaching a cluster, and saying why that failed.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::defaults::For;
use super::options::{KafkaOptions, invalid};
use super::secret::Scrub;
use crate::failure::{Failure, FailureKind};

/// How long a broker is waited for that refuses connections, or whose name nobody knows: it may
/// be starting. One that says nothing at all gets the whole time.
const REFUSED: Duration = Duration::from_secs(3);

/// How often is asked again.
const SLICE: Duration = Duration::from_millis(200);

/// Hears librdkafka's complaints and keeps the last one, so that a failed request can say why.
pub(super) struct Contact {
    scrub: Scrub,
    last: Mutex<Option<Complaint>>,
}

/// What librdkafka said about a connection, without secrets.
#[derive(Clone)]
pub(super) struct Complaint {
    pub(super) code: RDKafkaErrorCode,
    pub(super) reason: String,
}

impl ClientContext for Contact {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = self.scrub.clean(message);
        tracing::debug!(target: "librdkafka", facility, "{message}");
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else {
            return;
        };
        let mut last = self.last();
        // "All brokers are down" follows each complaint that says what really happened.
        if code == RDKafkaErrorCode::AllBrokersDown && last.is_some() {
            return;
        }
        let reason = self.scrub.clean(essence(reason));
        *last = Some(Complaint { code, reason });
    }
}

impl ConsumerContext for Contact {}

impl Contact {
    fn last(&self) -> MutexGuard<'_, Option<Complaint>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last complaint. It is forgotten by asking.
    pub(super) fn take(&self) -> Option<Complaint> {
        self.last().take()
    }

    fn code(&self) -> Option<RDKafkaErrorCode> {
        self.last().as_ref().map(|complaint| complaint.code)
    }
}

/// A complaint without its end, which tells states of librdkafka.
fn essence(reason: &str) -> &str {
    let end = reason.find(" (after ").unwrap_or(reason.len());
    let reason = &reason[..end];
    // Some begin with the name of a thread, `[thrd:sasl_ssl://host:9093/bootstrap]: `.
    reason
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
        .map_or(reason, |(_, rest)| rest)
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
        scrub: resolved.scrub,
        last: Mutex::new(None),
    };
    resolved
        .config
        .create_with_context(contact)
        .map_err(|error| invalid(&error, &scrub))
}

/// Asks what there is on the cluster, for at most `patience`.
///
/// # Errors
/// `unreachable`, `authentication_failed` or `tls_failed`, with the addresses, the time waited
/// and what to check.
pub(super) fn reach(
    client: &BaseConsumer<Contact>,
    servers: &str,
    patience: Duration,
) -> Result<Metadata, Failure> {
    let started = Instant::now();
    loop {
        let slice = SLICE.min(patience.saturating_sub(started.elapsed()));
        // Asked for all topics: asking for one by name could create it.
        match client.fetch_metadata(None, slice) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Ok(metadata),
            Ok(_) | Err(_) => {}
        }
        // Complaints are only heard when somebody listens.
        while client.poll(Duration::ZERO).is_some() {}
        let waited = started.elapsed();
        let patience = match client.context().code() {
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => Duration::ZERO,
            Some(_) => REFUSED.min(patience),
            None => patience,
        };
        if waited >= patience {
            return Err(no_answer(servers, waited, client.context().take()));
        }
    }
}

fn no_answer(servers: &str, waited: Duration, complaint: Option<Complaint>) -> Failure {
    let mut detail = format!(
        "no answer from Kafka at {servers} within {:.1} s",
        waited.as_secs_f64()
    );
    let code = complaint.as_ref().map(|complaint| complaint.code);
    if let Some(Complaint { reason, .. }) = complaint {
        let _ = write!(detail, ": {}", reason.trim_end_matches(['.', ' ']));
    }
    let (code, check) = match code {
        Some(RDKafkaErrorCode::Authentication) => (
            "authentication_failed",
            "check security.protocol, sasl.mechanism, user and password",
        ),
        Some(RDKafkaErrorCode::SSL) => (
            "tls_failed",
            "check security.protocol and ssl.ca.location, and that the certificate is for this \
             host",
        ),
        Some(RDKafkaErrorCode::Resolve) => ("unreachable", "check the name of the host"),
        _ => (
            "unreachable",
            "check the address, that the broker runs, and whether it wants TLS \
             (security.protocol)",
        ),
    };
    let kind = if code == "unreachable" {
        FailureKind::Retriable
    } else {
        FailureKind::Permanent
    };
    Failure::new(kind, code, format!("{detail}; {check}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_told_without_states_and_threads() {
        assert_eq!(
            essence(
                "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused \
                 (after 0ms in state CONNECT, 1 identical error(s) suppressed)"
            ),
            "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused"
        );
        assert_eq!(
            essence("[thrd:sasl_ssl://k:9093/1]: sasl_ssl://k:9093/1: no"),
            "sasl_ssl://k:9093/1: no"
        );
    }

    #[test]
    fn nobody_at_the_address_is_told_with_address_and_time_and_what_to_check() {
        // Bound and closed again: nobody listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let options = KafkaOptions::new(&address);
        let client = client(&options, &[]).unwrap();
        let failure = reach(&client, &address, Duration::from_secs(10)).unwrap_err();
        assert_eq!(failure.code, "unreachable");
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
        assert_eq!(failure.code, "unreachable");
        assert!(failure.detail.contains(&address), "{failure}");
    }
}
