//! In-process clusters for tests and development.

use std::sync::Mutex;
use std::time::Duration;

use herald_publish::kafka;
use herald_publish::{Failure, FailureCode, FailureKind, memory};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::detach::detach;
use crate::errors;

/// In-memory cluster for the clients of this process: no ports, no waiting, and failures on demand.
/// Topics are created when they are first written to.
#[pyclass(frozen, module = "herald.testing")]
pub struct MemoryCluster {
    cluster: memory::MemoryCluster,
}

impl MemoryCluster {
    /// Returns the cluster for a publisher.
    pub fn cluster(&self) -> memory::MemoryCluster {
        self.cluster.clone()
    }
}

#[pymethods]
impl MemoryCluster {
    #[new]
    #[pyo3(signature = (partitions=3))]
    fn new(partitions: u32) -> PyResult<Self> {
        if partitions == 0 {
            return Err(PyValueError::new_err("partitions must be 1 or more"));
        }
        let cluster = memory::MemoryCluster::new().with_auto_created_topics(partitions);
        Ok(Self { cluster })
    }

    /// Makes the cluster unreachable, like a stopped broker.
    fn stop(&self) {
        self.cluster.stop();
    }

    /// Makes the cluster reachable again.
    fn start(&self) {
        self.cluster.start();
    }

    /// Freezes the cluster: connections stay open, and nothing is acknowledged.
    fn pause(&self) {
        self.cluster.pause();
    }

    /// Continues after `pause`.
    fn resume(&self) {
        self.cluster.resume();
    }

    /// Delays each acknowledgement by a number of seconds.
    fn set_delay(&self, seconds: f64) -> PyResult<()> {
        let delay = Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err("seconds must be 0 or more"))?;
        self.cluster.set_delay(delay);
        Ok(())
    }

    /// Rejects all messages of a topic permanently, like a missing authorization.
    fn refuse(&self, topic: &str) {
        let failure = Failure::new(
            FailureKind::Permanent,
            FailureCode::NotAuthorized,
            format!("the cluster was told to refuse {topic}"),
        );
        self.cluster.fail_topic(topic, failure);
    }

    /// Accepts messages of a topic again.
    fn accept(&self, topic: &str) {
        self.cluster.heal_topic(topic);
    }

    /// Returns the messages of a topic in write order: partition, offset, key, value, headers.
    fn messages<'py>(&self, py: Python<'py>, topic: &str) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let messages = self.cluster.messages(topic);
        messages
            .iter()
            .map(|stored| parts(py, stored).into_pyobject(py))
            .collect()
    }

    /// Returns the messages of all topics in write order, without the first `skip`: topic, then the
    /// values of `messages`.
    #[pyo3(signature = (skip=0))]
    fn written<'py>(&self, py: Python<'py>, skip: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let written = self.cluster.written(skip);
        let with_topic = written.iter().map(|stored| {
            let (partition, offset, key, value, headers) = parts(py, stored);
            let topic = stored.message.topic();
            (topic, partition, offset, key, value, headers).into_pyobject(py)
        });
        with_topic.collect()
    }
}

/// Partition, offset, key, value, headers.
type Parts<'py> = (
    i32,
    i64,
    Option<Bound<'py, PyBytes>>,
    Bound<'py, PyBytes>,
    Vec<(String, Bound<'py, PyBytes>)>,
);

fn parts<'py>(py: Python<'py>, stored: &memory::StoredMessage) -> Parts<'py> {
    let message = &stored.message;
    let headers = message.headers();
    (
        stored.metadata.partition,
        stored.metadata.offset,
        message.key().map(|key| PyBytes::new(py, key)),
        PyBytes::new(py, message.payload()),
        headers
            .map(|(name, value)| (name.to_owned(), PyBytes::new(py, value)))
            .collect(),
    )
}

/// Kafka-compatible cluster in this process, reachable over loopback by any client. For development
/// and tests: it keeps its records in memory, in limited numbers.
#[pyclass(frozen, module = "herald.testing")]
pub struct DevCluster {
    cluster: Mutex<Option<kafka::DevCluster>>,
}

impl DevCluster {
    fn with<T>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&kafka::DevCluster) -> Result<T, Failure> + Send,
    ) -> PyResult<T>
    where
        T: Send,
    {
        let result = detach(py, || {
            let cluster = self.cluster.lock().ok()?;
            Some(act(cluster.as_ref()?))
        });
        match result {
            Some(Ok(value)) => Ok(value),
            Some(Err(failure)) => Err(errors::settings(py, failure.detail)),
            None => Err(PyRuntimeError::new_err("the cluster was stopped")),
        }
    }
}

#[pymethods]
impl DevCluster {
    #[new]
    #[pyo3(signature = (brokers=1))]
    fn new(py: Python<'_>, brokers: u16) -> PyResult<Self> {
        let cluster = detach(py, || kafka::DevCluster::start(brokers));
        let cluster = cluster.map_err(|failure| errors::settings(py, failure.detail))?;
        Ok(Self {
            cluster: Mutex::new(Some(cluster)),
        })
    }

    /// Addresses of the brokers.
    #[getter]
    fn bootstrap_servers(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |cluster| Ok(cluster.bootstrap_servers()))
    }

    /// Creates a topic. Other topics are created with four partitions when first written to.
    #[pyo3(signature = (name, partitions=3))]
    fn create_topic(&self, py: Python<'_>, name: &str, partitions: u32) -> PyResult<()> {
        self.with(py, |cluster| cluster.create_topic(name, partitions, 1))
    }

    /// Closes all connections of a broker, counted from 1, or of all brokers, and accepts no new
    /// ones.
    #[pyo3(signature = (broker=None))]
    fn take_down(&self, py: Python<'_>, broker: Option<u16>) -> PyResult<()> {
        self.with(py, |cluster| cluster.take_down(broker))
    }

    /// Accepts connections again.
    #[pyo3(signature = (broker=None))]
    fn bring_up(&self, py: Python<'_>, broker: Option<u16>) -> PyResult<()> {
        self.with(py, |cluster| cluster.bring_up(broker))
    }

    /// Stops the cluster and discards its records.
    fn stop(&self, py: Python<'_>) {
        detach(py, || {
            if let Ok(mut cluster) = self.cluster.lock() {
                cluster.take();
            }
        });
    }
}
