//! Clusters without Kafka, for tests and development.

use std::sync::Mutex;
use std::time::Duration;

use herald_publish::kafka;
use herald_publish::{Failure, FailureCode, FailureKind, memory};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::away;
use crate::errors;

/// A cluster in this process that only this client reaches: no ports, no waiting, and it fails
/// when it is told to. Topics come into being as they are written to.
#[pyclass(frozen, module = "herald.testing")]
pub struct MemoryCluster {
    cluster: memory::MemoryCluster,
}

impl MemoryCluster {
    /// The cluster, for a publisher.
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

    /// Takes the cluster away, as a stopped broker.
    fn stop(&self) {
        self.cluster.stop();
    }

    /// Brings it back.
    fn start(&self) {
        self.cluster.start();
    }

    /// Freezes it: nobody is told, and nothing is acknowledged.
    fn pause(&self) {
        self.cluster.pause();
    }

    /// Goes on after `pause`.
    fn resume(&self) {
        self.cluster.resume();
    }

    /// Lets each acknowledgement take so many seconds.
    fn set_delay(&self, seconds: f64) -> PyResult<()> {
        let delay = Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err("seconds must be 0 or more"))?;
        self.cluster.set_delay(delay);
        Ok(())
    }

    /// Refuses all messages of a topic for good, as for a missing authorization.
    fn refuse(&self, topic: &str) {
        let failure = Failure::new(
            FailureKind::Permanent,
            FailureCode::NotAuthorized,
            format!("the cluster was told to refuse {topic}"),
        );
        self.cluster.fail_topic(topic, failure);
    }

    /// Takes them again.
    fn accept(&self, topic: &str) {
        self.cluster.heal_topic(topic);
    }

    /// Everything in a topic, in the order of writing: partition, offset, key, value, headers.
    fn messages<'py>(&self, py: Python<'py>, topic: &str) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let messages = self.cluster.messages(topic);
        messages
            .iter()
            .map(|stored| parts(py, stored).into_pyobject(py))
            .collect()
    }

    /// What was written to all topics, in the order of writing, without the first `skip`: topic,
    /// then as `messages`.
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

/// A Kafka-compatible cluster in this process that any client reaches over loopback. It is for
/// development and tests: it keeps everything in memory, and not much of it.
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
        let done = away::detach(py, || {
            let cluster = self.cluster.lock().ok()?;
            Some(act(cluster.as_ref()?))
        });
        match done {
            Some(Ok(done)) => Ok(done),
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
        let cluster = away::detach(py, || kafka::DevCluster::start(brokers));
        let cluster = cluster.map_err(|failure| errors::settings(py, failure.detail))?;
        Ok(Self {
            cluster: Mutex::new(Some(cluster)),
        })
    }

    /// Where its brokers are.
    #[getter]
    fn bootstrap_servers(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |cluster| Ok(cluster.bootstrap_servers()))
    }

    /// Creates a topic. Others come into being, with four partitions, as they are written to.
    #[pyo3(signature = (name, partitions=3))]
    fn create_topic(&self, py: Python<'_>, name: &str, partitions: u32) -> PyResult<()> {
        self.with(py, |cluster| cluster.create_topic(name, partitions, 1))
    }

    /// Cuts all connections of a broker, counted from 1, or of all brokers.
    #[pyo3(signature = (broker=None))]
    fn take_down(&self, py: Python<'_>, broker: Option<u16>) -> PyResult<()> {
        self.with(py, |cluster| cluster.take_down(broker))
    }

    /// Takes connections again.
    #[pyo3(signature = (broker=None))]
    fn bring_up(&self, py: Python<'_>, broker: Option<u16>) -> PyResult<()> {
        self.with(py, |cluster| cluster.bring_up(broker))
    }

    /// Ends it, with all that it holds.
    fn stop(&self, py: Python<'_>) {
        away::detach(py, || {
            if let Ok(mut cluster) = self.cluster.lock() {
                cluster.take();
            }
        });
    }
}
