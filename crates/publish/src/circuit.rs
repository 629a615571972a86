//! Whether the cluster can be reached: the breaker between events and time-outs.

use std::time::Duration;

use crate::retry::Jitter;

/// Open (`Down`), half open (`Asking`, `Trying`) or closed (`Up`).
///
/// A cluster that was lost is asked for a sign of life, again and again, less and less often. One
/// that answers is tried with a single event, because one that answers need not be one that
/// writes. Only an acknowledgement, or nothing to acknowledge, makes it reachable again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CircuitState {
    Closed,
    Open { outage: Outage, probe_at: Duration },
    Probing { outage: Outage },
    HalfOpen { outage: Outage, since: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    pub(crate) since: Duration,
    /// Times that the cluster was asked, or tried, in vain.
    attempts: u32,
}

/// The wait between two questions grows to this many times the first.
const MAX_WAIT: u32 = 8;

impl CircuitState {
    pub(crate) fn is_up(self) -> bool {
        self == Self::Closed
    }

    /// The cluster was lost. An outage that is known goes on.
    pub(crate) fn lost(self, now: Duration, interval: Duration, jitter: &mut Jitter) -> Self {
        match self {
            Self::Closed => Self::Open {
                outage: Outage {
                    since: now,
                    attempts: 0,
                },
                probe_at: now + wait(0, interval, jitter),
            },
            known => known,
        }
    }

    /// Asking or trying was in vain.
    pub(crate) fn failed(self, now: Duration, interval: Duration, jitter: &mut Jitter) -> Self {
        match self {
            Self::Probing { mut outage } | Self::HalfOpen { mut outage, .. } => {
                outage.attempts = outage.attempts.saturating_add(1);
                Self::Open {
                    outage,
                    probe_at: now + wait(outage.attempts, interval, jitter),
                }
            }
            other => other,
        }
    }

    /// The cluster answered.
    pub(crate) fn answered(self, now: Duration) -> Self {
        match self {
            Self::Probing { outage } => Self::HalfOpen { outage, since: now },
            other => other,
        }
    }
}

/// Half of the wait is sure, the other half is chance: many services must not ask in one moment,
/// and none should ask without a pause.
fn wait(attempts: u32, interval: Duration, jitter: &mut Jitter) -> Duration {
    let factor = 1_u32.checked_shl(attempts).unwrap_or(u32::MAX);
    let wait = interval.saturating_mul(factor.clamp(1, MAX_WAIT));
    wait / 2 + jitter.below(wait / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(500);

    #[test]
    fn backoff_doubles_up_to_a_limit_and_is_at_least_half_of_it() {
        let mut jitter = Jitter::new();
        for (attempts, most) in [(0, 500), (1, 1_000), (3, 4_000), (9, 4_000), (99, 4_000)] {
            let most = Duration::from_millis(most);
            for _ in 0..100 {
                let wait = wait(attempts, FIRST, &mut jitter);
                assert!(wait >= most / 2 && wait <= most, "{attempts}: {wait:?}");
            }
        }
    }

    #[test]
    fn answered_probe_only_half_opens_the_circuit() {
        let mut jitter = Jitter::new();
        let now = Duration::from_secs(1);
        let CircuitState::Open { outage, .. } = CircuitState::Closed.lost(now, FIRST, &mut jitter)
        else {
            panic!("lost is down");
        };
        let trying = CircuitState::Probing { outage }.answered(now);
        assert!(matches!(trying, CircuitState::HalfOpen { .. }) && !trying.is_up());
        assert!(matches!(
            trying.failed(now, FIRST, &mut jitter),
            CircuitState::Open { outage, .. } if outage.attempts == 1
        ));
    }
}
