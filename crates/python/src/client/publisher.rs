//! Python class around the publisher.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use herald_envelope::{Origin, Uuid};
use herald_process::ForkGuard;
use herald_publish::kafka::KafkaOptions;
use herald_publish::{Message, Pending, PublishError};
use pyo3::exceptions::{PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::completion_queue::{Completion, CompletionQueue, Outcome, Work, outcome_list};
use super::detach::detach;
use super::events::{Event, Raw};
use super::fire_and_forget::{self, OnError};
use super::logging::start_logging;
use super::options::{Resolved, Settings};
use super::prepared_event::{PreparedEvent, Publication, Slots};
use super::receipt::Receipt;
use super::stats::{SpoolStatus, Stats};
use super::topic_check::TopicCheck;
use super::wait::{SIGNAL_CHECK_INTERVAL, block_on};
use crate::errors;

/// Publisher behind `KafkaClient` and `SyncKafkaClient`.
///
/// Only `close`, `enqueue`, `send_many` and `PendingReceipt.result` block, and those release the
/// interpreter lock.
#[pyclass(frozen, module = "herald._herald")]
pub struct Publisher {
    pub(super) origin: Origin,
    spool: Option<PathBuf>,
    kafka: Option<KafkaOptions>,
    fork_guard: ForkGuard,
    /// `None` once closed.
    open: RwLock<Option<Arc<herald_publish::Publisher>>>,
}

impl Publisher {
    pub(super) fn open_publisher(
        &self,
        py: Python<'_>,
    ) -> PyResult<Arc<herald_publish::Publisher>> {
        // Checked before any lock: a fork copies locks that other threads held, locked for ever.
        let checked = self.fork_guard.check();
        checked.map_err(|forked| errors::publish(py, &forked.into()))?;
        let publisher = self.open.read();
        let publisher = publisher.unwrap_or_else(PoisonError::into_inner);
        publisher
            .clone()
            .ok_or_else(|| errors::publish(py, &PublishError::Closed))
    }
}

#[pymethods]
impl Publisher {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "Python passes it by value")]
    fn new(py: Python<'_>, settings: &Bound<'_, PyAny>, topics: Vec<String>) -> PyResult<Self> {
        let settings: Settings = settings.extract()?;
        let Resolved {
            options,
            origin,
            spool,
            kafka,
        } = settings.resolve(py, &topics)?;
        start_logging()?;
        let opened = detach(py, || herald_publish::Publisher::open_with_report(options));
        let (publisher, report) = opened.map_err(|error| match (&error, &spool) {
            (PublishError::Spool(error), Some(path)) => errors::settings(
                py,
                format!(
                    "the spool {} can't be opened: {error}. Set another path with spool=PATH or \
                     HERALD_SPOOL, or disable the spool with spool=None",
                    path.display()
                ),
            ),
            _ => errors::publish(py, &error),
        })?;
        Ok(Self {
            origin,
            spool: report.map(|report| report.path),
            kafka,
            fork_guard: ForkGuard::new(),
            open: RwLock::new(Some(Arc::new(publisher))),
        })
    }

    /// Whether events are accepted.
    #[getter]
    fn is_open(&self) -> bool {
        if !self.is_owner_process() {
            return false;
        }
        let publisher = self.open.read();
        publisher.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether this process opened the publisher, as opposed to a forked child.
    #[getter]
    fn is_owner_process(&self) -> bool {
        !self.fork_guard.is_forked()
    }

    /// Looks for topics on the cluster. With `wait` those that are missing are a `SettingsError`,
    /// otherwise they are logged later.
    fn check_topics(
        &self,
        py: Python<'_>,
        topics: Vec<String>,
        namespace: Option<String>,
        wait: bool,
    ) -> PyResult<()> {
        let Some(cluster) = self.kafka.clone().filter(|_| !topics.is_empty()) else {
            return Ok(());
        };
        let check = TopicCheck {
            cluster,
            topics,
            namespace,
        };
        if wait {
            let checked = detach(py, || check.run());
            checked.map_err(|sentence| errors::settings(py, sentence))
        } else {
            check.run_in_background();
            Ok(())
        }
    }

    /// Publishes an event, and returns a future of the queue's event loop.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the arguments of the Python method"
    )]
    #[pyo3(signature = (queue, event_type, source_node_id, payload, topic, correlation_id, metadata, traceparent))]
    fn publish<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, CompletionQueue>,
        event_type: Bound<'py, PyAny>,
        source_node_id: Bound<'py, PyAny>,
        payload: Bound<'py, PyAny>,
        topic: Option<Bound<'py, PyAny>>,
        correlation_id: Option<Bound<'py, PyAny>>,
        metadata: Option<Bound<'py, PyAny>>,
        traceparent: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let event = Event {
            event_type,
            source_node_id,
            payload,
            topic,
            correlation_id,
            metadata,
            partition_key: None,
            causation_id: None,
            event_version: None,
            event_id: None,
            source_service: None,
            traceparent,
            envelope: None,
            headers: None,
        };
        self.publish_event(py, queue, event)
    }

    /// Publishes an `Event`, and returns a future.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 passes it by value")]
    fn publish_event<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, CompletionQueue>,
        event: Event<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.open_publisher(py)?;
        let (message, id) = event.message(py, &publisher, &self.origin)?;
        dispatch(py, queue, publisher, message, Some(id))
    }

    /// Publishes a message that is not an event, and returns a future.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 passes it by value")]
    fn publish_raw<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, CompletionQueue>,
        raw: Raw<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.open_publisher(py)?;
        dispatch(py, queue, publisher, raw.message(py)?, None)
    }

    /// Publishes events, all or none, and returns a future of a list of receipts and errors in
    /// their order.
    fn publish_many<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, CompletionQueue>,
        events: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.open_publisher(py)?;
        let (messages, ids) = self.messages(py, &publisher, events)?;
        let ticket = queue.get().ticket();
        let work: Work = Box::pin(async move {
            ticket.wait().await;
            let pending = publisher.enqueue_all(messages).await;
            drop(ticket);
            let outcomes = Pending::all(pending).await;
            Completion::Many(with_event_ids(outcomes, &ids))
        });
        queue.get().submit(py, work)
    }

    /// Enqueues an event; blocks only at the in-flight limit.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 passes it by value")]
    fn enqueue(&self, py: Python<'_>, event: Event<'_>) -> PyResult<PendingReceipt> {
        let publisher = self.open_publisher(py)?;
        let (message, id) = event.message(py, &publisher, &self.origin)?;
        PendingReceipt::new(py, &publisher, message, Some(id))
    }

    /// Enqueues an event whose receipt nobody awaits. Returns false at the in-flight limit, or
    /// while other events of the loop wait for it, unless it may block.
    fn try_enqueue<'py>(
        &self,
        py: Python<'py>,
        queue: Option<&Bound<'py, CompletionQueue>>,
        mut event: Event<'py>,
        traceparent: Option<Bound<'py, PyAny>>,
        on_error: Py<PyAny>,
        block: bool,
    ) -> PyResult<bool> {
        let publisher = self.open_publisher(py)?;
        if queue.is_some_and(|queue| queue.get().has_waiters()) {
            return Ok(false);
        }
        if event.traceparent.is_none() {
            event.traceparent = traceparent;
        }
        let (message, _) = event.message(py, &publisher, &self.origin)?;
        let pending = match publisher.try_enqueue(message) {
            Err(PublishError::Busy) if block => {
                let (message, _) = event.message(py, &publisher, &self.origin)?;
                block_on(py, publisher.enqueue(message))?
            }
            Err(PublishError::Busy) => return Ok(false),
            other => other,
        };
        let pending = pending.map_err(|error| errors::publish(py, &error))?;
        fire_and_forget::track(pending, OnError::OfEvent(on_error));
        Ok(true)
    }

    /// Prepares events of the kind of a sample, whose payload and metadata have texts in place of
    /// what differs. In inputs and results the fields of `public` are published, if each of them
    /// is public as a whole; else `published` returns the fields to publish.
    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "they are the arguments of the Python method"
    )]
    fn prepare(
        slf: Py<Self>,
        sample: Event<'_>,
        slots: Slots,
        public: Option<Py<PyDict>>,
        json_value: Py<PyAny>,
        published: Py<PyAny>,
        traceparent: Py<PyAny>,
        on_error: Py<PyAny>,
    ) -> PyResult<PreparedEvent> {
        PreparedEvent::new(
            slf,
            &sample,
            &slots,
            Publication {
                public,
                json_value,
                published,
            },
            traceparent,
            on_error,
        )
    }

    /// Enqueues a message that is not an event; blocks only at the in-flight limit.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 passes it by value")]
    fn enqueue_raw(&self, py: Python<'_>, raw: Raw<'_>) -> PyResult<PendingReceipt> {
        let publisher = self.open_publisher(py)?;
        PendingReceipt::new(py, &publisher, raw.message(py)?, None)
    }

    /// Publishes events, all or none, and blocks until each has a receipt or an error.
    fn send_many<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        let publisher = self.open_publisher(py)?;
        let (messages, ids) = self.messages(py, &publisher, events)?;
        let outcomes = block_on(py, publisher.send_all(messages))?;
        outcome_list(py, with_event_ids(outcomes, &ids))
    }

    /// Returns the statistics.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        let publisher = self.open_publisher(py)?;
        Stats::new(py, &detach(py, || publisher.stats()))
    }

    /// Reads the status of the spool from its file.
    fn spool(&self, py: Python<'_>) -> PyResult<Option<SpoolStatus>> {
        let Some(path) = &self.spool else {
            return Ok(None);
        };
        SpoolStatus::read(py, &path.to_string_lossy()).map(Some)
    }

    /// Number of events that the cluster has not acknowledged: in flight and in the spool.
    fn undelivered(&self, py: Python<'_>) -> PyResult<u64> {
        let publisher = self.open_publisher(py)?;
        let stats = detach(py, || publisher.stats());
        Ok(stats.in_flight + stats.waiting())
    }

    /// Accepts no more events, and waits until all are delivered or the time is over. Returns the
    /// numbers of events in the spool, of dead letters, and of events that got an error.
    fn close(&self, py: Python<'_>, seconds: f64) -> PyResult<(u64, u64, u64)> {
        let timeout = parse_seconds(seconds, "timeout")?;
        let publisher = {
            let mut publisher = self.open.write().unwrap_or_else(PoisonError::into_inner);
            publisher.take()
        };
        let Some(publisher) = publisher else {
            return Ok((0, 0, 0));
        };
        let closed = detach(py, || publisher.close(timeout));
        let closed = closed.map_err(|error| errors::publish(py, &error))?;
        Ok((closed.spooled, closed.dead, closed.failed))
    }
}

impl Publisher {
    fn messages(
        &self,
        py: Python<'_>,
        publisher: &herald_publish::Publisher,
        events: &Bound<'_, PyList>,
    ) -> PyResult<(Vec<Message>, Vec<Uuid>)> {
        let messages = events.iter().map(|event| {
            let event: Event<'_> = event.extract()?;
            event.message(py, publisher, &self.origin)
        });
        Ok(messages.collect::<PyResult<Vec<_>>>()?.into_iter().unzip())
    }
}

/// Receipt of an event in flight.
#[pyclass(frozen, module = "herald")]
pub struct PendingReceipt {
    state: Mutex<State>,
    event_id: Option<Uuid>,
}

enum State {
    Pending(Pending),
    /// Another thread is waiting for the receipt.
    Waiting,
    Resolved(Result<herald_publish::Receipt, PublishError>),
}

impl PendingReceipt {
    fn new(
        py: Python<'_>,
        publisher: &herald_publish::Publisher,
        message: Message,
        event_id: Option<Uuid>,
    ) -> PyResult<Self> {
        let pending = block_on(py, publisher.enqueue(message))?;
        let pending = pending.map_err(|error| errors::publish(py, &error))?;
        Ok(Self {
            state: Mutex::new(State::Pending(pending)),
            event_id,
        })
    }
}

#[pymethods]
impl PendingReceipt {
    /// Waits for the receipt, at most `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn result(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Receipt> {
        let timeout = timeout
            .map(|seconds| parse_seconds(seconds, "timeout"))
            .transpose()?;
        let start = Instant::now();
        loop {
            let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
            let wait = left.map_or(SIGNAL_CHECK_INTERVAL, |left| {
                left.min(SIGNAL_CHECK_INTERVAL)
            });
            if let Some(outcome) = detach(py, || self.poll_for(wait)) {
                return match outcome {
                    Ok(receipt) => Ok(Receipt::new(receipt, self.event_id)),
                    Err(error) => Err(errors::publish(py, &error)),
                };
            }
            py.check_signals()?;
            if left.is_some_and(|left| left.is_zero()) {
                return Err(PyTimeoutError::new_err(
                    "the receipt has not arrived yet; the event is still in flight",
                ));
            }
        }
    }

    /// Whether `result` returns at once.
    fn done(&self) -> bool {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Pending(pending) => pending.is_resolved(),
            State::Waiting => false,
            State::Resolved(_) => true,
        }
    }
}

impl PendingReceipt {
    fn poll_for(
        &self,
        max_wait: Duration,
    ) -> Option<Result<herald_publish::Receipt, PublishError>> {
        let lock = || self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = std::mem::replace(&mut *lock(), State::Waiting);
        let state = match state {
            State::Pending(pending) => match pending.wait_timeout(max_wait) {
                Ok(outcome) => State::Resolved(outcome),
                Err(pending) => State::Pending(pending),
            },
            // `Pending::wait_timeout` takes the pending by value, so only one thread can wait on it.
            // Others look again after a millisecond, or sooner at the end of their timeout.
            State::Waiting => {
                std::thread::sleep(max_wait.min(Duration::from_millis(1)));
                return None;
            }
            resolved @ State::Resolved(_) => resolved,
        };
        let outcome = match &state {
            State::Resolved(outcome) => Some(outcome.clone()),
            _ => None,
        };
        *lock() = state;
        outcome
    }
}

/// Publishes a message for an event loop, in call order.
fn dispatch<'py>(
    py: Python<'py>,
    queue: &Bound<'py, CompletionQueue>,
    publisher: Arc<herald_publish::Publisher>,
    message: Message,
    event_id: Option<Uuid>,
) -> PyResult<Bound<'py, PyAny>> {
    let ticket = queue.get().ticket();
    let work: Work = Box::pin(async move {
        // Created before the wait for the ticket: the deadline counts from the call.
        let enqueued = publisher.enqueue(message);
        ticket.wait().await;
        let pending = enqueued.await;
        drop(ticket);
        let outcome = match pending {
            Ok(pending) => pending.await,
            Err(error) => Err(error),
        };
        Completion::One(outcome.map(|receipt| Receipt::new(receipt, event_id)))
    });
    queue.get().submit(py, work)
}

fn with_event_ids(
    outcomes: Vec<Result<herald_publish::Receipt, PublishError>>,
    ids: &[Uuid],
) -> Vec<Outcome> {
    let outcomes = outcomes.into_iter().zip(ids);
    outcomes
        .map(|(outcome, id)| outcome.map(|receipt| Receipt::new(receipt, Some(*id))))
        .collect()
}

fn parse_seconds(seconds: f64, name: &str) -> PyResult<Duration> {
    duration_from_secs(seconds).ok_or_else(|| {
        PyValueError::new_err(format!("{name} must be a number of seconds, 0 or more"))
    })
}

/// Converts Python seconds to a duration. Infinity becomes a century, so that deadlines don't
/// overflow.
pub fn duration_from_secs(seconds: f64) -> Option<Duration> {
    const CENTURY: f64 = 100.0 * 366.0 * 86_400.0;
    // Not `min`: of NaN and a number it returns the number.
    let seconds = if seconds > CENTURY { CENTURY } else { seconds };
    Duration::try_from_secs_f64(seconds).ok()
}
