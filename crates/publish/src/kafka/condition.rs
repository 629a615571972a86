//! How a connection is, as far as librdkafka says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::classify;
use super::log::Log;
use crate::clock::lock;
use crate::failure::{Failure, FailureKind};
use crate::transport::Watch;

/// How a connection is. Its lanes share it.
pub(super) struct Condition {
    watch: Arc<dyn Watch>,
    pub(super) log: Log,
    /// The cluster's addresses, for people.
    about: String,
    broken: OnceLock<Failure>,
    closing: AtomicBool,
    /// Why the last attempt to reach a broker failed.
    trouble: Mutex<Option<Failure>>,
}

impl Condition {
    pub(super) fn new(watch: Arc<dyn Watch>, log: Log, about: String) -> Self {
        Self {
            watch,
            log,
            about,
            broken: OnceLock::new(),
            closing: AtomicBool::new(false),
            trouble: Mutex::new(None),
        }
    }

    /// Hears an error of the client as a whole. `fatal` asks librdkafka what is behind a fatal
    /// one.
    pub(super) fn hear(&self, error: Code, reason: &str, fatal: impl FnOnce() -> Option<Code>) {
        let reason = self.log.clean(reason);
        match error {
            Code::Fatal => {
                let about = format!("{}: {reason}", self.about);
                let cause = classify::failure(fatal().unwrap_or(error), &about);
                self.break_off(cause);
            }
            // Follows what says why.
            Code::AllBrokersDown => {
                let failure = lock(&self.trouble)
                    .clone()
                    .unwrap_or_else(|| classify::failure(error, &self.about));
                if !self.is_closing() {
                    self.watch.unreachable(failure);
                }
            }
            Code::Authentication | Code::SSL | Code::Resolve | Code::BrokerTransportFailure => {
                *lock(&self.trouble) = Some(classify::failure(error, &reason));
            }
            _ => {}
        }
    }

    /// Makes the connection one that can't be used any more, whatever the cause. Told once.
    pub(super) fn break_off(&self, cause: Failure) {
        let failure = Failure {
            kind: FailureKind::Fatal,
            ..cause
        };
        if self.broken.set(failure.clone()).is_ok() && !self.is_closing() {
            self.watch.fatal(failure);
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
            .clone()
            .unwrap_or_else(|| classify::failure(error, &self.about))
    }

    /// The cluster answered.
    pub(super) fn good_news(&self) {
        if self.log.good_news() {
            *lock(&self.trouble) = None;
        }
    }
}
