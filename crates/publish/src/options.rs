//! Settings of a publisher.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use herald_envelope::Profile;
use herald_envelope::headers::HeaderSet;
use herald_envelope::topic::{DEFAULT_NAMESPACE, TopicPattern};
use herald_spool::SpoolOptions;

use crate::clock::Clock;
use crate::retry::{Jitter, RetryPolicy};
use crate::schemas::SchemaOptions;
use crate::transport::Connector;

/// Publishing mode: the disk only when the cluster is slow, or at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Cluster first; events that it does not acknowledge in time are spooled. An event without a
    /// receipt may be lost if the process is killed.
    #[default]
    Direct,
    /// Disk and cluster at once: the first that has the event gives the receipt. An event that the
    /// cluster acknowledges before the next commit is not written to the disk. Needs a spool.
    WriteAhead,
}

/// Settings of a publisher. All except the cluster have defaults.
#[derive(Clone)]
pub struct PublisherOptions {
    pub(crate) connect: Arc<dyn Connector>,
    pub(crate) spool: Option<SpoolOptions>,
    pub(crate) mode: Mode,
    pub(crate) max_in_flight: usize,
    pub(crate) max_in_flight_bytes: usize,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) relay_window: usize,
    pub(crate) relay_rate: Option<NonZeroU32>,
    pub(crate) probe_interval: Duration,
    pub(crate) stats_interval: Option<Duration>,
    /// `None`: that of the envelope profile.
    pub(crate) pattern: Option<TopicPattern>,
    profile_pattern: TopicPattern,
    pub(crate) namespace: String,
    pub(crate) profile: Profile,
    pub(crate) headers: HeaderSet,
    pub(crate) environment: String,
    pub(crate) schemas: Option<SchemaOptions>,
    pub(crate) clock: Clock,
    /// The seed of a simulation, which has one thread.
    #[cfg(test)]
    pub(crate) simulated: Option<u64>,
}

/// Default deadline with a spool: long enough for a healthy cluster, short enough for a waiting
/// caller.
const DEADLINE_WITH_SPOOL: Duration = Duration::from_secs(2);

/// Default deadline without a spool, when waiting is the only choice.
const DEADLINE_WITHOUT_SPOOL: Duration = Duration::from_secs(30);

impl PublisherOptions {
    /// Creates settings for a cluster, such as [`crate::kafka::KafkaOptions`] or
    /// [`crate::memory::MemoryCluster`], without a spool.
    pub fn new(cluster: impl Connector) -> Self {
        Self {
            connect: Arc::new(cluster),
            spool: None,
            mode: Mode::Direct,
            max_in_flight: 20_000,
            max_in_flight_bytes: 64 * 1024 * 1024,
            deadline: None,
            retry: RetryPolicy::default(),
            relay_window: 2_000,
            relay_rate: None,
            probe_interval: Duration::from_millis(500),
            stats_interval: None,
            pattern: None,
            profile_pattern: Profile::default().topic_pattern(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            profile: Profile::default(),
            headers: HeaderSet::ALL,
            environment: String::new(),
            schemas: None,
            clock: Clock::default(),
            #[cfg(test)]
            simulated: None,
        }
    }

    /// Sets the spool for events that the cluster does not acknowledge. Without a spool every
    /// failure of the cluster is an error of `publish`, and the caller has to keep the event.
    #[must_use]
    pub fn spool(mut self, spool: SpoolOptions) -> Self {
        self.spool = Some(spool);
        self
    }

    /// Sets the publishing mode.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the maximum number of events in flight; further publishing waits. 20,000 by default.
    #[must_use]
    pub fn max_in_flight(mut self, events: usize) -> Self {
        self.max_in_flight = events.max(1);
        self
    }

    /// Sets the maximum number of bytes in flight. 64 MiB by default. In an outage the transport
    /// may hold the same amount again.
    #[must_use]
    pub fn max_in_flight_bytes(mut self, bytes: usize) -> Self {
        self.max_in_flight_bytes = bytes.max(1);
        self
    }

    /// Sets the time that a publish waits for the cluster before the event is spooled, or fails if
    /// there is no spool. 2 s with a spool and 30 s without one by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets how the delivery of spooled events is retried.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the maximum number of spooled events in flight. 2,000 by default; their bytes are
    /// limited to a quarter of [`PublisherOptions::max_in_flight_bytes`].
    #[must_use]
    pub fn relay_window(mut self, events: usize) -> Self {
        self.relay_window = events.max(1);
        self
    }

    /// Limits the rate at which spooled events are delivered, in events per second; unlimited by
    /// default. It protects a cluster that has just come back to many services.
    #[must_use]
    pub fn relay_rate(mut self, events_per_second: NonZeroU32) -> Self {
        self.relay_rate = Some(events_per_second);
        self
    }

    /// Sets the wait before an unreachable cluster is probed again. It doubles with each probe, up
    /// to eight times the interval. 500 ms by default.
    #[must_use]
    pub fn probe_interval(mut self, interval: Duration) -> Self {
        self.probe_interval = interval;
        self
    }

    /// Logs the statistics at this interval, as a `tracing` event at the level info with the target
    /// `herald::stats`. Off by default.
    #[must_use]
    pub fn stats_interval(mut self, interval: Duration) -> Self {
        self.stats_interval = Some(interval);
        self
    }

    /// Sets the pattern and the namespace of topics that are derived from event types. By default the
    /// pattern is that of the envelope profile.
    #[must_use]
    pub fn topics(mut self, pattern: TopicPattern, namespace: impl Into<String>) -> Self {
        self.pattern = Some(pattern);
        self.namespace(namespace)
    }

    /// Sets the namespace of topics that are derived from event types.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the envelope profile of events; `OnexEnvelopeV1` by default.
    #[must_use]
    pub fn envelope(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self.profile_pattern = profile.topic_pattern();
        self
    }

    /// Returns the pattern of the topics of a profile.
    pub(crate) fn pattern_of(&self, profile: Profile) -> Cow<'_, TopicPattern> {
        match &self.pattern {
            Some(pattern) => Cow::Borrowed(pattern),
            None if profile == self.profile => Cow::Borrowed(&self.profile_pattern),
            None => Cow::Owned(profile.topic_pattern()),
        }
    }

    /// Sets the headers of records whose content is in the envelope too; all by default. Consumers that
    /// read the envelope need none of them, and each header costs time and bytes. Headers that the
    /// envelope profile needs are always written.
    #[must_use]
    pub fn headers(mut self, headers: HeaderSet) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the environment, such as `production`. The spool keeps it with the id of its cluster, for
    /// the message about rows of another cluster.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = environment.into();
        self
    }

    /// Sets the schema ids that records of events get.
    #[must_use]
    pub fn schemas(mut self, schemas: SchemaOptions) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Sets the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    #[cfg(test)]
    pub(crate) fn simulated(mut self, seed: u64) -> Self {
        self.simulated = Some(seed);
        self
    }

    /// Returns the random numbers for backoffs.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the one of tests has a seed")]
    pub(crate) fn jitter(&self) -> Jitter {
        Jitter::new()
    }

    /// Returns the random numbers for backoffs, from the seed in a simulation.
    #[cfg(test)]
    pub(crate) fn jitter(&self) -> Jitter {
        self.simulated.map_or_else(Jitter::new, Jitter::of_seed)
    }

    pub(crate) fn deadline_or_default(&self) -> Duration {
        let default = if self.spool.is_some() {
            DEADLINE_WITH_SPOOL
        } else {
            DEADLINE_WITHOUT_SPOOL
        };
        self.deadline.unwrap_or(default)
    }
}

impl fmt::Debug for PublisherOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherOptions")
            .field("cluster", &self.connect.describe())
            .field("spool", &self.spool)
            .field("mode", &self.mode)
            .field("max_in_flight", &self.max_in_flight)
            .field("max_in_flight_bytes", &self.max_in_flight_bytes)
            .field("deadline", &self.deadline_or_default())
            .finish_non_exhaustive()
    }
}
