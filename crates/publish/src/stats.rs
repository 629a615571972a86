//! Statistics of a running publisher.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use herald_spool::{SpoolError, SpoolStats};

use crate::clock::lock;

/// Statistics of a publisher since it was opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Accepted events: each has or will get a receipt or an error.
    pub published: u64,
    /// Events with a receipt of the cluster.
    pub delivered: u64,
    /// Events with a receipt of the spool.
    pub spooled: u64,
    /// Events that failed.
    pub failed: u64,
    /// Spooled events that the cluster acknowledged, including those of earlier processes.
    pub drained: u64,
    /// Failed attempts of spooled events that will be repeated.
    pub retried: u64,
    /// Dead letters: on a dead letter topic, or in the spool.
    pub dead: u64,
    /// Events with a receipt of the spool that were lost, because its files were damaged or replaced
    /// while it was in use.
    pub lost: u64,
    /// Events that wait for a receipt.
    pub in_flight: u64,
    /// Bytes of the events that wait for a receipt.
    pub in_flight_bytes: u64,
    /// Messages queued in the transport, including those whose event has a receipt of the spool.
    pub queued_in_transport: u64,
    /// Whether the cluster is considered reachable.
    pub reachable: bool,
    /// Number of outages.
    pub outages: u64,
    /// Events with a receipt of a spool whose files were deleted, or that can't be opened for
    /// writing: they are being delivered, or copied, from files that are open for reading. 0 unless
    /// something is wrong.
    pub orphaned: u64,
    /// Error for which the spool accepts no events now: the disk is full, or the spool is being
    /// opened again. Events are delivered meanwhile, but are only as safe as the cluster. `None` if
    /// all is well.
    pub spool_failure: Option<SpoolError>,
    /// Statistics of the spool; `None` without a spool, and while none can be opened.
    pub spool: Option<SpoolStats>,
    /// Latency of receipts of the cluster.
    pub latency: Latency,
    /// Work of the native transport with each broker, by id, on the present connection.
    #[cfg(feature = "kafka")]
    pub brokers: Vec<herald_wire::BrokerStatistics>,
}

impl Stats {
    /// Returns the age of the oldest event in the spool.
    pub fn oldest_age(&self) -> Option<Duration> {
        self.spool?.oldest_age(SystemTime::now())
    }

    /// Returns the number of spooled events that wait for the cluster.
    pub fn waiting(&self) -> u64 {
        self.spool.map_or(self.orphaned, |spool| spool.records)
    }
}

impl Stats {
    /// Logs the statistics as a `tracing` event with the target `herald::stats`.
    pub(crate) fn log(&self) {
        let spool = self.spool;
        tracing::info!(
            target: "herald::stats",
            published = self.published,
            delivered = self.delivered,
            spooled = self.spooled,
            failed = self.failed,
            drained = self.drained,
            retried = self.retried,
            dead = self.dead,
            lost = self.lost,
            in_flight = self.in_flight,
            reachable = self.reachable,
            outages = self.outages,
            orphaned = self.orphaned,
            spool_failure = self
                .spool_failure
                .as_ref()
                .map(|failure| failure.code().as_str()),
            spool_records = spool.map_or(0, |spool| spool.records),
            spool_bytes = spool.map_or(0, |spool| spool.bytes),
            oldest_seconds = self.oldest_age().unwrap_or_default().as_secs_f64(),
            latency_p50_ms = self.latency.quantile(0.5).as_secs_f64() * 1e3,
            latency_p99_ms = self.latency.quantile(0.99).as_secs_f64() * 1e3,
            "statistics"
        );
    }
}

/// Latency of receipts: a histogram from one microsecond to two minutes, with an error below 1 %.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

const MAX_MICROS: u64 = 120_000_000;

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_MICROS, 2);
        Self(histogram.expect("the bounds are a range"))
    }
}

impl Latency {
    /// Returns the number of measured receipts.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the latency that this share of receipts did not exceed; 0.5 is the median.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(share))
    }

    /// Returns the longest latency.
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros);
    }
}

/// Counters of a running publisher.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) published: Counter,
    pub(crate) delivered: Counter,
    pub(crate) spooled: Counter,
    pub(crate) failed: Counter,
    pub(crate) drained: Counter,
    pub(crate) retried: Counter,
    pub(crate) dead: Counter,
    pub(crate) lost: Counter,
    pub(crate) outages: Counter,
    latency: Mutex<Latency>,
    #[cfg(feature = "opentelemetry")]
    shown: std::sync::OnceLock<Box<dyn Fn(Duration) + Send + Sync>>,
}

impl Counters {
    pub(crate) fn record_latency(&self, time: Duration) {
        lock(&self.latency).record(time);
        #[cfg(feature = "opentelemetry")]
        if let Some(show) = self.shown.get() {
            show(time);
        }
    }

    /// Sets the observer of latencies. Only the first call has an effect.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn show_latency(&self, show: Box<dyn Fn(Duration) + Send + Sync>) {
        let _ = self.shown.set(show);
    }

    pub(crate) fn latency(&self) -> Latency {
        lock(&self.latency).clone()
    }
}

/// Counter. Relaxed, because no other memory is published through it.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
