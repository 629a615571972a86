//! State of a connection, from what its producer reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use super::classify;
use super::config::KafkaOptions;
use super::error_code::ErrorCode;
use super::log::Log;
use super::topic_sets::{ABSENCE_TTL, RejectedTopics, VERDICT_TTL};
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::transport::{ConnectionListener, Connector};

/// State of a connection, shared by its producers.
pub(super) struct ConnectionState {
    pub(super) listener: Arc<dyn ConnectionListener>,
    pub(super) log: Log,
    pub(super) rejected_topics: RejectedTopics,
    /// Topics that do not exist, or not yet.
    pub(super) absent_topics: RejectedTopics,
    /// Addresses of the cluster, for messages.
    pub(super) about: String,
    pub(super) options: KafkaOptions,
    /// Failure after which it can't be used any more.
    pub(super) broken: OnceLock<Failure>,
    closing: AtomicBool,
    /// Whether the cluster has ever answered.
    met: AtomicBool,
    /// Whether `trouble` has content: read without the lock for each message. Relaxed is enough: a
    /// stale `false` leaves the old cause in place until the next acknowledgement clears it.
    troubled: AtomicBool,
    /// Errors since the last answer.
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    /// Cause of the last failed attempt to reach a broker.
    cause: Option<Failure>,
    /// Time at which the last connection was lost.
    since: Option<Instant>,
}

/// Time after which a lost connection is an outage. librdkafka reconnects at once, and reports
/// `ALL_BROKERS_DOWN` again about every second while it can't; it reports each error twice.
pub(super) const OUTAGE_CONFIRMATION: Duration = Duration::from_millis(100);

/// Failure of a message on a connection that was closed.
pub(super) fn closed() -> Failure {
    Failure::new(
        FailureKind::Abandoned,
        FailureCode::Closed,
        "the connection to Kafka is closed",
    )
}

/// Returns the failure of a thread that could not be started.
pub(super) fn no_thread(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Retriable,
        FailureCode::NoThread,
        format!("the system can't start a thread for Kafka: {error}"),
    )
}

impl ConnectionState {
    pub(super) fn new(
        listener: Arc<dyn ConnectionListener>,
        log: Log,
        options: KafkaOptions,
    ) -> Self {
        Self {
            listener,
            log,
            rejected_topics: RejectedTopics::new(VERDICT_TTL),
            absent_topics: RejectedTopics::new(ABSENCE_TTL),
            about: options.describe(),
            options,
            broken: OnceLock::new(),
            closing: AtomicBool::new(false),
            met: AtomicBool::new(false),
            troubled: AtomicBool::new(false),
            trouble: Mutex::default(),
        }
    }

    /// Handles a failed connection attempt while no broker is connected.
    pub(super) fn on_unreachable(&self, error: ErrorCode, cause: &str) {
        let cause = self.log.clean(cause);
        self.log.warning("CONNECT", &cause);
        self.store_cause(error, &cause);
        self.report_outage();
    }

    pub(super) fn report_outage(&self) {
        let is_outage = self.is_outage();
        if is_outage && !self.is_closing() {
            self.listener
                .on_unreachable(self.explain(ErrorCode::AllBrokersDown));
        }
    }

    fn is_outage(&self) -> bool {
        let since = *self.trouble().since.get_or_insert_with(Instant::now);
        since.elapsed() >= OUTAGE_CONFIRMATION || !self.met.load(Ordering::Relaxed)
    }

    pub(super) fn store_cause(&self, error: ErrorCode, reason: &str) {
        let failure = classify::connection_failure(error, reason);
        let mut trouble = self.trouble();
        let cause = &mut trouble.cause;
        // Between two refused logins the broker only looks unreachable; the refusal is the cause.
        if failure.code != FailureCode::Unreachable
            || cause.as_ref().is_none_or(|old| old.code == failure.code)
        {
            *cause = Some(failure);
        }
    }

    /// Locks `trouble` for writing.
    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        let trouble = lock(&self.trouble);
        self.troubled.store(true, Ordering::Relaxed);
        trouble
    }

    /// Returns the failure of a broken connection.
    pub(super) fn broken(&self) -> Option<&Failure> {
        self.broken.get()
    }

    /// Checks whether a message to this topic may be sent.
    ///
    /// # Errors
    /// The connection is closing or broken, or the cluster rejected the topic a moment ago.
    pub(super) fn check(&self, topic: &str) -> Result<(), Failure> {
        // First: librdkafka reports a fatal error when it closes with messages in flight.
        if self.is_closing() {
            return Err(closed());
        }
        if let Some(failure) = self.broken() {
            return Err(failure.clone());
        }
        match self.rejected_topics.get(topic) {
            Some(error) => Err(self.message_failure(error, topic)),
            None => Ok(()),
        }
    }

    /// Returns why messages of a topic are not acknowledged, if it does not exist.
    pub(super) fn topic_failure(&self, topic: &str) -> Option<Failure> {
        let error = self.absent_topics.get(topic)?;
        Some(classify::failure(error, topic))
    }

    /// Returns the failure of a message to this topic.
    pub(super) fn message_failure(&self, error: ErrorCode, topic: &str) -> Failure {
        let mut failure = classify::failure(error, topic);
        if error == ErrorCode::MessageTimedOut
            && let Some(absent) = self.topic_failure(topic)
        {
            // It may exist by the next attempt.
            return Failure {
                kind: failure.kind,
                ..absent
            };
        }
        if failure.code == FailureCode::UnknownTopic {
            self.absent_topics.insert(topic, error);
        }
        if error == ErrorCode::TopicAuthorizationFailed {
            failure.detail = format!(
                "{topic}: {} may not write to this topic: it needs an ACL that allows the \
                 operation WRITE [{error}]",
                self.options.principal()
            );
        }
        if failure.code == FailureCode::TooLarge {
            #[cfg(feature = "librdkafka")]
            super::librdkafka::ask_limit(&self.options, topic);
            if let Some(most) = self.options.limits().get(topic) {
                failure.detail = format!(
                    "{topic}: the message is larger than the {most} bytes that the topic allows \
                     (`max.message.bytes`) [{error}]"
                );
            }
        }
        failure
    }

    /// Marks the connection as closing: errors of librdkafka's own shutdown are not reported.
    pub(super) fn close(&self) {
        // Relaxed: the polling threads read it in a loop, and nothing else is published through it.
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Returns why no broker could be reached, if none has answered since.
    pub(super) fn outage(&self) -> Option<Failure> {
        lock(&self.trouble).cause.clone()
    }

    /// Explains why a request got no answer: by the last error of a connection, or by the error.
    pub(super) fn explain(&self, error: ErrorCode) -> Failure {
        self.outage()
            .unwrap_or_else(|| classify::failure(error, &self.about))
    }

    /// Notes that the cluster answered.
    pub(super) fn on_success(&self) {
        self.log.on_success();
        // Read before written: this runs for each message, and a write would contend for the cache
        // line between threads.
        if !self.met.load(Ordering::Relaxed) {
            self.met.store(true, Ordering::Relaxed);
        }
        if self.troubled.load(Ordering::Relaxed) {
            let mut trouble = lock(&self.trouble);
            self.troubled.store(false, Ordering::Relaxed);
            *trouble = Trouble::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::config::Redactor;
    use crate::transport::IgnoreEvents;

    #[test]
    fn denied_topic_is_named_with_the_operation_and_the_principal() {
        let options = KafkaOptions::new("k:9092").property("sasl.username", "orders");
        let log = Log::new(Redactor::default());
        let state = ConnectionState::new(Arc::new(IgnoreEvents), log, options);
        let failure = state.message_failure(ErrorCode::TopicAuthorizationFailed, "payments");
        assert_eq!(failure.code, FailureCode::NotAuthorized);
        for part in ["payments: ", "User:orders", "WRITE"] {
            assert!(failure.detail.contains(part), "{failure}");
        }
    }
}
