//! When to try again.

use std::time::Duration;

/// How often and how long an event of the spool is tried after failures that are its own. An
/// unreachable cluster does not count: for that there is no limit.
///
/// Waits grow with full jitter: the n-th is anything between nothing and `first` times two to the
/// n-th, at most `longest`, so that events that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Longest wait after the first failure.
    pub initial_backoff: Duration,
    /// Longest wait at all.
    pub max_backoff: Duration,
    /// Failures after which the event is a dead letter.
    pub max_attempts: u32,
    /// Age after which a failure makes the event a dead letter. `None` is any age.
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
    /// Whether an event with this many failures, this old, is given up.
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

/// Random numbers that need not be good, only different in each process: `SplitMix64`.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(0))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Anything from nothing to `ceiling`.
    pub(crate) fn below(&mut self, ceiling: Duration) -> Duration {
        let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next() % micros.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_a_ceiling_that_doubles() {
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
    fn a_limit_in_number_or_age_ends_it() {
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
