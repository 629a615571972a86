//! Retry policy of spooled events.

use std::time::Duration;

/// Retry policy for spooled events after failures of their own. An unreachable cluster does not
/// count, and is retried without limit.
///
/// The backoff is exponential with full jitter: the n-th wait is random between zero and
/// `initial_backoff` times two to the n-th, at most `max_backoff`, so that events that failed
/// together are not retried together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum wait after the first failure.
    pub initial_backoff: Duration,
    /// Maximum wait after any failure.
    pub max_backoff: Duration,
    /// Number of failures after which the event becomes a dead letter.
    pub max_attempts: u32,
    /// Age after which a failure makes the event a dead letter. `None` means no limit.
    pub max_age: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            max_attempts: 20,
            max_age: None,
        }
    }
}

impl RetryPolicy {
    /// Returns whether an event with this many failures and this age becomes a dead letter.
    pub(crate) fn gives_up(&self, attempts: u32, age: Duration) -> bool {
        attempts >= self.max_attempts || self.max_age.is_some_and(|most| age >= most)
    }

    pub(crate) fn wait(&self, attempts: u32, jitter: &mut Jitter) -> Duration {
        jitter.below(self.ceiling(attempts))
    }

    fn ceiling(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.initial_backoff
            .saturating_mul(1 << doublings)
            .min(self.max_backoff)
    }
}

/// Random numbers for jitter (`SplitMix64`): they need not be good, only different in each process.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(0))
    }

    #[cfg(test)]
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a random duration from zero to `ceiling`.
    pub(crate) fn below(&mut self, ceiling: Duration) -> Duration {
        let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next() % micros.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_a_doubling_ceiling() {
        let policy = RetryPolicy::default();
        let mut jitter = Jitter::new();
        for (attempts, ceiling) in [(1, 100), (2, 200), (5, 1_600), (10, 30_000), (99, 30_000)] {
            let ceiling = Duration::from_millis(ceiling);
            assert_eq!(policy.ceiling(attempts), ceiling);
            assert!((0..1000).all(|_| policy.wait(attempts, &mut jitter) <= ceiling));
        }
    }

    #[test]
    fn waits_spread_over_the_whole_range() {
        let mut jitter = Jitter::new();
        let ceiling = Duration::from_secs(1);
        let waits: Vec<_> = (0..1000).map(|_| jitter.below(ceiling)).collect();
        assert!(waits.iter().any(|wait| *wait < ceiling / 10));
        assert!(waits.iter().any(|wait| *wait > ceiling * 9 / 10));
    }

    #[test]
    fn gives_up_after_max_attempts_or_max_age() {
        let policy = RetryPolicy {
            max_attempts: 3,
            max_age: Some(Duration::from_secs(60)),
            ..RetryPolicy::default()
        };
        assert!(!policy.gives_up(2, Duration::from_secs(59)));
        assert!(policy.gives_up(3, Duration::ZERO));
        assert!(policy.gives_up(1, Duration::from_secs(60)));
    }
}
