//! Circuit breaker: whether events are sent to the cluster or spooled at once.

use std::time::Duration;

use crate::retry::Jitter;

/// State of the circuit breaker.
///
/// An unreachable cluster is probed with exponential backoff. A probe is a metadata request, and a
/// broker that answers it need not be able to write (too few in-sync replicas, no leader). So after
/// an answered probe the circuit is half open: the relay sends one row, then more. Only an
/// acknowledgement, or an empty spool, closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CircuitState {
    /// The cluster is reachable.
    Closed,
    /// The cluster is unreachable, and is probed at `probe_at`.
    Open { outage: Outage, probe_at: Duration },
    /// A probe is running.
    Probing { outage: Outage },
    /// A probe was answered; the relay tries rows.
    HalfOpen { outage: Outage, since: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    pub(crate) since: Duration,
    /// Number of failed probes and trials.
    attempts: u32,
}

/// Maximum backoff between two probes, as a multiple of the probe interval.
const MAX_WAIT: u32 = 8;

impl CircuitState {
    pub(crate) fn is_up(self) -> bool {
        self == Self::Closed
    }

    /// Opens the circuit. A known outage continues unchanged.
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

    /// Handles a failed probe or trial.
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

    /// Handles an answered probe.
    pub(crate) fn answered(self, now: Duration) -> Self {
        match self {
            Self::Probing { outage } => Self::HalfOpen { outage, since: now },
            other => other,
        }
    }
}

/// Returns the backoff: half of it fixed, half of it random ("equal jitter"). Services that lost the
/// cluster together do not probe it together, and none probes without a pause.
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
            panic!("a lost connection opens the circuit");
        };
        let half_open = CircuitState::Probing { outage }.answered(now);
        assert!(matches!(half_open, CircuitState::HalfOpen { .. }) && !half_open.is_up());
        assert!(matches!(
            half_open.failed(now, FIRST, &mut jitter),
            CircuitState::Open { outage, .. } if outage.attempts == 1
        ));
    }
}
