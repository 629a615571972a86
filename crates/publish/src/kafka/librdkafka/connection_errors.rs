//! Errors that librdkafka reports about a connection.

use crate::failure::{Failure, FailureKind};
use crate::kafka::classify;
use crate::kafka::connection_state::ConnectionState;
use crate::kafka::error_code::ErrorCode;

impl ConnectionState {
    /// Handles a fatal error: librdkafka does nothing any more.
    pub(super) fn on_fatal_error(&self, cause: ErrorCode, reason: &str) {
        let about = format!("{}: {}", self.about, self.log.clean(reason));
        self.fail_fatally(classify::failure(cause, &about));
    }

    /// Handles an error of the client as a whole.
    pub(super) fn on_error(&self, error: ErrorCode, reason: &str) {
        let reason = self.log.clean(reason);
        match error {
            // Comes after the error with the cause.
            ErrorCode::AllBrokersDown => self.report_outage(),
            ErrorCode::Authentication
            | ErrorCode::Ssl
            | ErrorCode::Resolve
            | ErrorCode::BrokerTransportFailure => {
                self.store_cause(error, &reason);
            }
            _ => {}
        }
    }

    /// Marks the connection as broken for good, and reports it once.
    pub(super) fn fail_fatally(&self, cause: Failure) {
        let failure = Failure {
            kind: FailureKind::Fatal,
            ..cause
        };
        if self.broken.set(failure.clone()).is_ok() && !self.is_closing() {
            self.listener.on_fatal(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;
    use crate::clock::lock;
    use crate::failure::FailureCode;
    use crate::kafka::config::{KafkaOptions, Redactor};
    use crate::kafka::connection_state::OUTAGE_CONFIRMATION;
    use crate::kafka::log::Log;
    use crate::transport::ConnectionListener;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Failure>>);

    impl ConnectionListener for Recorder {
        fn on_unreachable(&self, failure: Failure) {
            lock(&self.0).push(failure);
        }

        fn on_fatal(&self, failure: Failure) {
            lock(&self.0).push(failure);
        }
    }

    fn state() -> (ConnectionState, Arc<Recorder>) {
        let recorder = Arc::new(Recorder::default());
        let log = Log::new(Redactor::new(["hunter2"]));
        (
            ConnectionState::new(
                recorder.clone(),
                log,
                KafkaOptions::new("k:9092").property("sasl.username", "orders"),
            ),
            recorder,
        )
    }

    fn reported(recorder: &Recorder) -> Vec<FailureCode> {
        lock(&recorder.0)
            .drain(..)
            .map(|failure| failure.code)
            .collect()
    }

    #[test]
    fn unknown_cluster_is_unreachable_at_the_first_error() {
        let (state, recorder) = state();
        state.on_error(ErrorCode::Resolve, "k:9092: no such host");
        state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
        assert_eq!(reported(&recorder), [FailureCode::Unreachable]);
    }

    #[test]
    fn lost_connection_is_an_outage_only_after_confirmation() {
        let (state, recorder) = state();
        state.on_success();
        for _ in 0..3 {
            // librdkafka reports it twice.
            state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
            state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
            assert!(reported(&recorder).is_empty());
            state.on_success();
        }
        state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
        thread::sleep(OUTAGE_CONFIRMATION);
        state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
        assert_eq!(reported(&recorder), [FailureCode::Unreachable]);
    }

    #[test]
    fn refused_certificate_is_a_tls_failure_whatever_librdkafka_calls_it() {
        for reason in [
            "k:9093: SSL handshake failed: Disconnected",
            "k:9093: error:0A000086:SSL routines::certificate verify failed",
        ] {
            let (state, recorder) = state();
            state.on_error(ErrorCode::BrokerTransportFailure, reason);
            state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
            assert_eq!(reported(&recorder), [FailureCode::TlsFailed], "{reason}");
        }
    }

    #[test]
    fn refused_login_takes_precedence_over_unreachable() {
        let (state, recorder) = state();
        state.on_error(ErrorCode::Authentication, "k:9092: no to hunter2");
        state.on_error(ErrorCode::BrokerTransportFailure, "k:9092: Disconnected");
        state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
        let failure = lock(&recorder.0).remove(0);
        assert_eq!(failure.code, FailureCode::AuthenticationFailed);
        assert!(failure.detail.contains("no to [secret]"), "{failure}");
        assert_eq!(
            state.explain(ErrorCode::OperationTimedOut).code,
            failure.code
        );
        state.on_success();
        assert_eq!(
            state.explain(ErrorCode::OperationTimedOut).code,
            FailureCode::TimedOut
        );
    }

    #[test]
    fn reports_a_broken_connection_once_and_not_while_closing() {
        let (state, recorder) = state();
        state.on_fatal_error(ErrorCode::ClusterAuthorizationFailed, "no");
        state.on_fatal_error(ErrorCode::GaplessGuarantee, "also no");
        assert_eq!(reported(&recorder), [FailureCode::NotAuthorized]);
        let broken = state.broken().unwrap();
        assert_eq!(
            (broken.kind, broken.code),
            (FailureKind::Fatal, FailureCode::NotAuthorized)
        );

        let (state, recorder) = self::state();
        state.close();
        state.on_fatal_error(ErrorCode::GaplessGuarantee, "purged");
        state.on_error(ErrorCode::AllBrokersDown, "1/1 brokers are down");
        assert!(reported(&recorder).is_empty());
    }
}
