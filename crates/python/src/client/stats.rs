//! Statistics of a client and its spool.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use herald_publish::spool::{Inspector, SpoolStats};
use pyo3::prelude::*;

use super::detach::detach;
use crate::errors;

/// Statistics of a client since it connected.
#[pyclass(frozen, get_all, module = "herald")]
pub struct Stats {
    /// Events accepted: each has got a receipt or an error, or will.
    published: u64,
    /// Receipts from the cluster.
    delivered: u64,
    /// Receipts from the spool.
    spooled: u64,
    /// Events that ended with an error.
    failed: u64,
    /// Spooled events that the cluster has acknowledged, including those of earlier processes.
    drained: u64,
    /// Failed delivery attempts of spooled events that are retried.
    retried: u64,
    /// Events that the cluster rejects permanently.
    dead: u64,
    /// Events with a receipt of the spool that were lost, because its files were damaged or
    /// replaced while it was in use.
    lost: u64,
    /// Events waiting for their receipt.
    in_flight: u64,
    /// Their bytes.
    in_flight_bytes: u64,
    /// Whether the cluster is considered reachable.
    reachable: bool,
    /// Number of times the cluster became unreachable.
    outages: u64,
    /// Events queued in the spool; 0 without a spool.
    spool_records: u64,
    /// Their bytes.
    spool_bytes: u64,
    /// Dead letters in the spool.
    spool_dead: u64,
    /// Age of the oldest event queued in the spool, in seconds; `None` if it is empty.
    spool_oldest_age: Option<f64>,
    /// Code of the error for which the spool accepts no events now, such as `spool_disk_full`;
    /// `None` if all is well.
    spool_failure: Option<&'static str>,
    /// Median time from publishing to the cluster's acknowledgement, in seconds.
    latency_p50: f64,
    /// 99th percentile of that time, in seconds.
    latency_p99: f64,
    /// Maximum of that time, in seconds.
    latency_max: f64,
}

impl Stats {
    /// Converts the publisher's statistics.
    pub fn new(stats: &herald_publish::Stats) -> Self {
        let spool = stats.spool;
        let of_spool = |field: fn(SpoolStats) -> u64| spool.map_or(0, field);
        Self {
            published: stats.published,
            delivered: stats.delivered,
            spooled: stats.spooled,
            failed: stats.failed,
            drained: stats.drained,
            retried: stats.retried,
            dead: stats.dead,
            lost: stats.lost,
            in_flight: stats.in_flight,
            in_flight_bytes: stats.in_flight_bytes,
            reachable: stats.reachable,
            outages: stats.outages,
            spool_records: stats.waiting(),
            spool_bytes: of_spool(|spool| spool.bytes),
            spool_dead: of_spool(|spool| spool.dead),
            spool_oldest_age: stats.oldest_age().map(|age| age.as_secs_f64()),
            spool_failure: (stats.spool_failure.as_ref()).map(|failure| failure.code().as_str()),
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

/// Status of a spool as of its last commit.
#[pyclass(frozen, get_all, module = "herald")]
pub struct SpoolStatus {
    /// Path of its file.
    path: String,
    /// Events queued.
    records: u64,
    /// Their bytes.
    bytes: u64,
    /// Dead letters.
    dead: u64,
    /// Their bytes.
    dead_bytes: u64,
    /// Time of the oldest queued event, in seconds since 1970.
    oldest: Option<f64>,
    /// Size of its files on disk, in bytes.
    file_bytes: u64,
    /// Process id of the owner, if known.
    owner: Option<u32>,
}

impl SpoolStatus {
    /// Reads the status from the spool's file.
    pub fn read(py: Python<'_>, path: &str) -> PyResult<Self> {
        let status = detach(py, || Inspector::open(path)?.status())
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
