//! Log messages about events that the cluster refuses.

use std::time::Duration;

use tracing::warn;

use super::thread::RelayThread;
use crate::failure::Failure;

/// Interval of the log messages: a clock that is wrong, or a missing topic, lets every event be
/// refused.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// Refused events that were not logged yet.
#[derive(Default)]
pub(super) struct RefusalLog {
    refused: u64,
    /// Refused events that no dead letter topic accepted.
    kept_in_spool: u64,
    /// The last refusal.
    failure: Option<Failure>,
    log_at: Duration,
}

impl RefusalLog {
    pub(super) fn refused(&mut self, failure: &Failure) {
        self.refused += 1;
        self.failure = Some(failure.clone());
    }

    pub(super) fn kept_in_spool(&mut self, rows: u64) {
        self.kept_in_spool += rows;
    }

    /// Time of the next log message; `None` while there is nothing to log.
    pub(super) fn next(&self) -> Option<Duration> {
        (self.refused + self.kept_in_spool > 0).then_some(self.log_at)
    }

    /// Takes what is to be logged now.
    fn take(&mut self, now: Duration) -> Option<Self> {
        if self.next()? > now {
            return None;
        }
        let next = Self {
            log_at: now + LOG_INTERVAL,
            ..Self::default()
        };
        Some(std::mem::replace(self, next))
    }
}

impl RelayThread {
    pub(super) fn log_refusals(&mut self) {
        let Some(log) = self.refusal_log.take(self.now()) else {
            return;
        };
        let (code, detail) = log.failure.map_or(("", String::new()), |failure| {
            (failure.code.as_str(), failure.detail)
        });
        warn!(
            target: "herald::publisher",
            refused = log.refused,
            kept_in_spool = log.kept_in_spool,
            code,
            detail,
            "the cluster refuses events: they are kept as dead letters"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{FailureCode, FailureKind};

    #[test]
    fn first_refusal_is_logged_at_once_and_later_ones_together() {
        let failure = Failure::new(FailureKind::Permanent, FailureCode::TooLarge, "");
        let mut log = RefusalLog::default();
        assert!(log.next().is_none() && log.take(Duration::ZERO).is_none());
        log.refused(&failure);
        assert_eq!(log.take(Duration::ZERO).unwrap().refused, 1);
        for _ in 0..1000 {
            log.refused(&failure);
            assert!(log.take(LOG_INTERVAL / 2).is_none());
        }
        log.kept_in_spool(7);
        assert_eq!(log.next(), Some(LOG_INTERVAL));
        let logged = log.take(LOG_INTERVAL).unwrap();
        assert_eq!((logged.refused, logged.kept_in_spool), (1000, 7));
        assert!(log.next().is_none());
    }
}
