//! Receipts: proof that an event is safe.

use herald_envelope::Uuid;
use herald_publish::spool::Sequence;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Pickled form of a receipt: topic, partition and offset, or spool sequence; and the event id.
type Parts = (
    Option<String>,
    Option<i32>,
    Option<i64>,
    Option<u64>,
    Option<String>,
);

/// Proof that an event is safe: acknowledged by the cluster, or flushed to the local spool. Always
/// truthy.
#[pyclass(frozen, eq, hash, module = "herald")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Receipt {
    receipt: herald_publish::Receipt,
    event_id: Option<Uuid>,
}

impl Receipt {
    /// Wraps a receipt; raw messages have no event id.
    pub fn new(receipt: herald_publish::Receipt, event_id: Option<Uuid>) -> Self {
        Self { receipt, event_id }
    }
}

#[pymethods]
impl Receipt {
    /// Whether all in-sync replicas of the cluster have acknowledged the event.
    #[getter]
    fn is_delivered(&self) -> bool {
        self.receipt.is_delivered()
    }

    /// Whether the event is flushed to the local spool, from where it is delivered later.
    #[getter]
    fn is_spooled(&self) -> bool {
        !self.receipt.is_delivered()
    }

    /// Topic of a delivered event.
    #[getter]
    fn topic(&self) -> Option<&str> {
        match &self.receipt {
            herald_publish::Receipt::Delivered { topic, .. } => Some(topic),
            herald_publish::Receipt::Spooled { .. } => None,
        }
    }

    /// Partition of a delivered event.
    #[getter]
    fn partition(&self) -> Option<i32> {
        match self.receipt {
            herald_publish::Receipt::Delivered { partition, .. } => Some(partition),
            herald_publish::Receipt::Spooled { .. } => None,
        }
    }

    /// Offset of a delivered event.
    #[getter]
    fn offset(&self) -> Option<i64> {
        match self.receipt {
            herald_publish::Receipt::Delivered { offset, .. } => Some(offset),
            herald_publish::Receipt::Spooled { .. } => None,
        }
    }

    /// Sequence number in the spool, for `herald spool show SEQUENCE`.
    #[getter]
    fn sequence(&self) -> Option<u64> {
        match self.receipt {
            herald_publish::Receipt::Delivered { .. } => None,
            herald_publish::Receipt::Spooled { sequence } => Some(sequence.get()),
        }
    }

    /// Event id as text; `None` for a raw message.
    #[getter]
    fn event_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        let mut buffer = Uuid::encode_buffer();
        self.event_id
            .map(|id| PyString::new(py, id.hyphenated().encode_lower(&mut buffer)))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Parts)> {
        let parts = (
            self.topic().map(str::to_owned),
            self.partition(),
            match self.receipt {
                herald_publish::Receipt::Delivered { offset, .. } => Some(offset),
                herald_publish::Receipt::Spooled { .. } => None,
            },
            self.sequence(),
            self.event_id.map(|id| id.to_string()),
        );
        Ok((py.get_type::<Self>().getattr("_from_parts")?, parts))
    }

    /// Restores a pickled receipt.
    #[staticmethod]
    fn _from_parts(
        topic: Option<&str>,
        partition: Option<i32>,
        offset: Option<i64>,
        sequence: Option<u64>,
        event_id: Option<&str>,
    ) -> PyResult<Self> {
        let receipt = match (topic, partition, offset, sequence) {
            (Some(topic), Some(partition), Some(offset), None) => {
                Some(herald_publish::Receipt::Delivered {
                    topic: topic.into(),
                    partition,
                    offset,
                })
            }
            (None, None, None, Some(sequence)) => Some(herald_publish::Receipt::Spooled {
                sequence: Sequence::new(sequence),
            }),
            _ => None,
        };
        let event_id = event_id.map(Uuid::parse_str).transpose();
        match (receipt, event_id) {
            (Some(receipt), Ok(event_id)) => Ok(Self { receipt, event_id }),
            _ => Err(PyValueError::new_err("invalid parts of a receipt")),
        }
    }

    #[expect(clippy::unused_self, reason = "a Python method")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self) -> String {
        let state = match &self.receipt {
            herald_publish::Receipt::Delivered {
                topic,
                partition,
                offset,
            } => format!("delivered topic={topic} partition={partition} offset={offset}"),
            herald_publish::Receipt::Spooled { sequence } => {
                format!("spooled sequence={}", sequence.get())
            }
        };
        match self.event_id {
            Some(id) => format!("<Receipt {state} event_id={id}>"),
            None => format!("<Receipt {state}>"),
        }
    }
}
