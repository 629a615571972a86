//! Statistics of a client and its spool.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use herald_publish::kafka::BrokerStatistics;
use herald_publish::spool::{Inspector, SpoolStats};
use pyo3::prelude::*;

use super::detach::detach;
use crate::errors;

/// Work of the native transport with one broker, on the present connection.
#[pyclass(frozen, get_all, module = "herald")]
pub struct BrokerStats {
    /// Id of the broker.
    id: i32,
    /// Its address: `host:port`.
    address: String,
    /// Whether it takes requests now.
    is_connected: bool,
    /// Connections that were made.
    connections: u64,
    /// Requests with events.
    requests: u64,
    /// Number of them without an answer.
    in_flight: u64,
    /// Batches in these requests: events of one partition.
    batches: u64,
    /// Batches of them that had been sent before.
    repeated_batches: u64,
    /// Events in these batches.
    records: u64,
    /// Bytes of the events before compression.
    record_bytes: u64,
    /// Bytes of the requests.
    request_bytes: u64,
    /// Seconds from a request to its answer: a moving average over the last ones.
    latency: f64,
    /// Seconds for which the broker took nothing because of a quota.
    throttled: f64,
}

impl From<&BrokerStatistics> for BrokerStats {
    fn from(broker: &BrokerStatistics) -> Self {
        Self {
            id: broker.id,
            address: broker.address.clone(),
            is_connected: broker.is_connected,
            connections: broker.connections,
            requests: broker.requests,
            in_flight: broker.in_flight,
            batches: broker.batches,
            repeated_batches: broker.repeated_batches,
            records: broker.records,
            record_bytes: broker.record_bytes,
            request_bytes: broker.request_bytes,
            latency: broker.latency.as_secs_f64(),
            throttled: broker.throttled.as_secs_f64(),
        }
    }
}

#[pymethods]
impl BrokerStats {
    fn __repr__(&self) -> String {
        format!(
            "<BrokerStats {} {} requests={} batches={} records={} in_flight={}>",
            self.id, self.address, self.requests, self.batches, self.records, self.in_flight
        )
    }
}

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
    /// Work of the native transport with each broker, by id; empty with librdkafka.
    brokers: Vec<Py<BrokerStats>>,
}

impl Stats {
    /// Converts the publisher's statistics.
    pub fn new(py: Python<'_>, stats: &herald_publish::Stats) -> PyResult<Self> {
        let spool = stats.spool;
        let of_spool = |field: fn(SpoolStats) -> u64| spool.map_or(0, field);
        let brokers = stats
            .brokers
            .iter()
            .map(|broker| Py::new(py, BrokerStats::from(broker)));
        Ok(Self {
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
            brokers: brokers.collect::<PyResult<_>>()?,
        })
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
