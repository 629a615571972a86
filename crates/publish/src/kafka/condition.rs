//! How a connection is, as far as librdkafka says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::absent::Absent;
use super::classify;
use super::log::Log;
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::transport::ConnectionListener;

/// How a connection is. Its lanes share it.
pub(super) struct Condition {
    watch: Arc<dyn ConnectionListener>,
    pub(super) log: Log,
    pub(super) absent: Absent,
    /// The cluster's addresses, for people.
    about: String,
    broken: OnceLock<Failure>,
    closing: AtomicBool,
    /// Whether the cluster ever answered.
    met: AtomicBool,
    /// Whether there is something in `trouble`.
    troubled: AtomicBool,
    /// What was heard since the last answer.
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    /// Why the last attempt to reach a broker failed.
    cause: Option<Failure>,
    /// When the last connection was lost.
    since: Option<Instant>,
}

/// A lost connection is an outage when it is still lost after this time. librdkafka tries at
/// once to make another one, and complains again about every second while it can't. It also
/// comes with each complaint twice.
const CONFIRMED: Duration = Duration::from_millis(100);

impl Condition {
    pub(super) fn new(watch: Arc<dyn ConnectionListener>, log: Log, about: String) -> Self {
        Self {
            watch,
            log,
            absent: Absent::default(),
            about,
            broken: OnceLock::new(),
            closing: AtomicBool::new(false),
            met: AtomicBool::new(false),
            troubled: AtomicBool::new(false),
            trouble: Mutex::default(),
        }
    }

    /// Hears that librdkafka does nothing more, and why.
    pub(super) fn hear_fatal(&self, cause: Code, reason: &str) {
        let about = format!("{}: {}", self.about, self.log.clean(reason));
        self.break_off(classify::failure(cause, &about));
    }

    /// Hears an error of the client as a whole.
    pub(super) fn hear(&self, error: Code, reason: &str) {
        let reason = self.log.clean(reason);
        match error {
            // Follows what says why.
            Code::AllBrokersDown => {
                let is_outage = self.is_outage();
                if is_outage && !self.is_closing() {
                    self.watch.on_unreachable(self.explain(error));
                }
            }
            Code::BrokerTransportFailure if reason.contains("SSL handshake failed") => {
                self.remember(Code::SSL, &reason);
            }
            Code::Authentication | Code::SSL | Code::Resolve | Code::BrokerTransportFailure => {
                self.remember(error, &reason);
            }
            _ => {}
        }
    }

    fn is_outage(&self) -> bool {
        let since = *self.trouble().since.get_or_insert_with(Instant::now);
        since.elapsed() >= CONFIRMED || !self.met.load(Ordering::Relaxed)
    }

    fn remember(&self, error: Code, reason: &str) {
        let failure = classify::failure(error, reason);
        let mut trouble = self.trouble();
        let cause = &mut trouble.cause;
        // Between two refusals brokers are only not there; the refusal says more.
        if failure.code != FailureCode::Unreachable
            || cause.as_ref().is_none_or(|old| old.code == failure.code)
        {
            *cause = Some(failure);
        }
    }

    /// To put something in.
    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        let trouble = lock(&self.trouble);
        self.troubled.store(true, Ordering::Relaxed);
        trouble
    }

    /// Makes the connection one that can't be used any more, whatever the cause. Told once.
    pub(super) fn break_off(&self, cause: Failure) {
        let failure = Failure {
            kind: FailureKind::Fatal,
            ..cause
        };
        if self.broken.set(failure.clone()).is_ok() && !self.is_closing() {
            self.watch.on_fatal(failure);
        }
    }

    /// Why the connection can't be used any more.
    pub(super) fn broken(&self) -> Option<&Failure> {
        self.broken.get()
    }

    /// From here on nothing is news: librdkafka complains about its own end.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Why a request got no answer: by what was heard, else by the error itself.
    pub(super) fn explain(&self, error: Code) -> Failure {
        lock(&self.trouble)
            .cause
            .clone()
            .unwrap_or_else(|| classify::failure(error, &self.about))
    }

    /// The cluster answered.
    pub(super) fn good_news(&self) {
        self.log.good_news();
        // Read first: this happens for each message.
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
    use std::thread;

    use super::*;
    use crate::kafka::secret::Scrub;

    #[derive(Default)]
    struct Heard(Mutex<Vec<Failure>>);

    impl ConnectionListener for Heard {
        fn on_unreachable(&self, failure: Failure) {
            lock(&self.0).push(failure);
        }

        fn on_fatal(&self, failure: Failure) {
            lock(&self.0).push(failure);
        }
    }

    fn condition() -> (Condition, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let log = Log::new(Scrub::new(["hunter2"]));
        (
            Condition::new(heard.clone(), log, "Kafka".to_owned()),
            heard,
        )
    }

    fn told(heard: &Heard) -> Vec<FailureCode> {
        lock(&heard.0)
            .drain(..)
            .map(|failure| failure.code)
            .collect()
    }

    #[test]
    fn a_cluster_that_never_answered_is_away_at_the_first_complaint() {
        let (condition, heard) = condition();
        condition.hear(Code::Resolve, "k:9092: no such host");
        condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
        assert_eq!(told(&heard), [FailureCode::Unreachable]);
    }

    #[test]
    fn a_lost_connection_is_an_outage_only_when_no_other_can_be_made() {
        let (condition, heard) = condition();
        condition.good_news();
        for _ in 0..3 {
            // librdkafka says it twice.
            condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
            condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
            assert!(told(&heard).is_empty());
            condition.good_news();
        }
        condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
        thread::sleep(CONFIRMED);
        condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
        assert_eq!(told(&heard), [FailureCode::Unreachable]);
    }

    #[test]
    fn a_refusal_says_more_than_the_silence_after_it() {
        let (condition, heard) = condition();
        condition.hear(Code::Authentication, "k:9092: no to hunter2");
        condition.hear(Code::BrokerTransportFailure, "k:9092: Disconnected");
        condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
        let failure = lock(&heard.0).remove(0);
        assert_eq!(failure.code, FailureCode::AuthenticationFailed);
        assert!(failure.detail.contains("no to [secret]"), "{failure}");
        assert_eq!(
            condition.explain(Code::OperationTimedOut).code,
            failure.code
        );
        condition.good_news();
        assert_eq!(
            condition.explain(Code::OperationTimedOut).code,
            FailureCode::TimedOut
        );
    }

    #[test]
    fn a_connection_breaks_once_and_says_nothing_while_it_ends() {
        let (condition, heard) = condition();
        condition.hear_fatal(Code::ClusterAuthorizationFailed, "no");
        condition.hear_fatal(Code::GaplessGuarantee, "also no");
        assert_eq!(told(&heard), [FailureCode::NotAuthorized]);
        let broken = condition.broken().unwrap();
        assert_eq!(
            (broken.kind, broken.code),
            (FailureKind::Fatal, FailureCode::NotAuthorized)
        );

        let (condition, heard) = self::condition();
        condition.close();
        condition.hear_fatal(Code::GaplessGuarantee, "purged");
        condition.hear(Code::AllBrokersDown, "1/1 brokers are down");
        assert!(told(&heard).is_empty());
    }
}
