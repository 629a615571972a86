//! Figures of a client and its spool.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use herald_publish::spool::{Inspector, SpoolStats};
use pyo3::prelude::*;

use super::away;
use crate::errors;

/// What a client has done since it was connected, and what it is doing.
#[pyclass(frozen, get_all, module = "herald")]
pub struct Stats {
    /// Events that were taken: each has got a receipt or an error, or will.
    published: u64,
    /// Receipts of the cluster.
    delivered: u64,
    /// Receipts of the spool.
    spooled: u64,
    /// Events that ended as errors.
    failed: u64,
    /// Events of the spool that the cluster acknowledged, also those of earlier processes.
    drained: u64,
    /// Tries of spooled events that failed and will be repeated.
    retried: u64,
    /// Events that the cluster will never take.
    dead: u64,
    /// Events that wait for their receipt.
    in_flight: u64,
    /// Their bytes.
    in_flight_bytes: u64,
    /// Whether the cluster is taken to be reachable.
    reachable: bool,
    /// How often it was found unreachable.
    outages: u64,
    /// Events in the spool's queue; 0 without a spool.
    spool_records: u64,
    /// Their bytes.
    spool_bytes: u64,
    /// Dead letters in the spool.
    spool_dead: u64,
    /// Age of the oldest event in the spool's queue, in seconds; `None` where it is empty.
    spool_oldest_age: Option<f64>,
    /// Median of the time from publishing to the cluster's receipt, in seconds.
    latency_p50: f64,
    /// 99 of 100 receipts of the cluster took no longer, in seconds.
    latency_p99: f64,
    /// The longest, in seconds.
    latency_max: f64,
}

impl Stats {
    /// These figures.
    pub fn new(stats: &herald_publish::Stats) -> Self {
        let spool = stats.spool;
        let of_spool = |figure: fn(SpoolStats) -> u64| spool.map_or(0, figure);
        Self {
            published: stats.published,
            delivered: stats.delivered,
            spooled: stats.spooled,
            failed: stats.failed,
            drained: stats.drained,
            retried: stats.retried,
            dead: stats.dead,
            in_flight: stats.in_flight,
            in_flight_bytes: stats.in_flight_bytes,
            reachable: stats.reachable,
            outages: stats.outages,
            spool_records: of_spool(|spool| spool.records),
            spool_bytes: of_spool(|spool| spool.bytes),
            spool_dead: of_spool(|spool| spool.dead),
            spool_oldest_age: stats.oldest_age().map(|age| age.as_secs_f64()),
            latency_p50: stats.latency.quantile(0.5).as_secs_f64(),
            latency_p99: stats.latency.quantile(0.99).as_secs_f64(),
            latency_max: stats.latency.max().as_secs_f64(),
        }
    }
}

#[pymethods]
impl Stats {
    fn __repr__(&self) -> String {
        format!(
            "<Stats published={} delivered={} spooled={} failed={} in_flight={} spool_records={}>",
            self.published,
            self.delivered,
            self.spooled,
            self.failed,
            self.in_flight,
            self.spool_records
        )
    }
}

/// What a spool holds, as last committed.
#[pyclass(frozen, get_all, module = "herald")]
pub struct SpoolStatus {
    /// Its file.
    path: String,
    /// Events in the queue.
    records: u64,
    /// Their bytes.
    bytes: u64,
    /// Dead letters.
    dead: u64,
    /// Their bytes.
    dead_bytes: u64,
    /// When the first event in the queue came to be, in seconds since 1970.
    oldest: Option<f64>,
    /// What its files take on the disk, in bytes.
    file_bytes: u64,
    /// The process that has it open, where that is known.
    owner: Option<u32>,
}

impl SpoolStatus {
    /// Reads it from the disk.
    pub fn read(py: Python<'_>, path: &str) -> PyResult<Self> {
        let status = away::detach(py, || Inspector::open(path)?.status())
            .map_err(|error| errors::settings(py, format!("the spool {path}: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            records: status.records,
            bytes: status.bytes,
            dead: status.dead,
            dead_bytes: status.dead_bytes,
            oldest: status.oldest.map(|time| since_1970(time).as_secs_f64()),
            file_bytes: status.file_bytes,
            owner: status.owner,
        })
    }
}

#[pymethods]
impl SpoolStatus {
    fn __repr__(&self) -> String {
        format!(
            "<SpoolStatus {:?} records={} bytes={} dead={}>",
            self.path, self.records, self.bytes, self.dead
        )
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
