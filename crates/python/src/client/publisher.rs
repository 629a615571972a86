//! The publisher, as `herald/client.py` uses it.

use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use herald_envelope::{Origin, Uuid};
use herald_publish::{Message, Pending, PublishError};
use pyo3::exceptions::{PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::away;
use super::events::{Event, Raw};
use super::mailbox::{Done, Mailbox, Outcome, Work, list};
use super::options::{Resolved, Settings};
use super::receipt::Receipt;
use super::stats::{SpoolStatus, Stats};
use super::unattended;
use super::wait::{ATTENTION, wait_for};
use crate::errors;

/// Takes events, gives receipts.
///
/// No method but `close`, `send`, `send_many` and `PendingReceipt.result` waits for anything,
/// and those wait without Python's lock.
#[pyclass(frozen, module = "herald._herald")]
pub struct Publisher {
    origin: Origin,
    spool: Option<PathBuf>,
    process: u32,
    /// `None` once it is closed.
    running: RwLock<Option<Arc<herald_publish::Publisher>>>,
}

impl Publisher {
    fn running(&self, py: Python<'_>) -> PyResult<Arc<herald_publish::Publisher>> {
        // First of all: in a fork, what other threads had locked is locked for ever.
        if !self.is_here() {
            let owner = self.process;
            return Err(errors::publish(py, &PublishError::Forked { owner }));
        }
        let publisher = self.running.read();
        let publisher = publisher.unwrap_or_else(PoisonError::into_inner);
        publisher
            .clone()
            .ok_or_else(|| errors::publish(py, &PublishError::Closed))
    }
}

#[pymethods]
impl Publisher {
    #[new]
    fn new(py: Python<'_>, settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        let settings: Settings = settings.extract()?;
        let Resolved {
            options,
            origin,
            spool,
        } = settings.resolve(py)?;
        let opened = away::detach(py, || herald_publish::Publisher::open_with_report(options));
        let (publisher, report) = opened.map_err(|error| match (&error, &spool) {
            (PublishError::Spool(error), Some(path)) => errors::settings(
                py,
                format!(
                    "the spool {} can't be opened: {error}. Say where it may lie with spool=PATH \
                     or HERALD_SPOOL; with spool=None there is none",
                    path.display()
                ),
            ),
            _ => errors::publish(py, &error),
        })?;
        Ok(Self {
            origin,
            spool: report.map(|report| report.path),
            process: process::id(),
            running: RwLock::new(Some(Arc::new(publisher))),
        })
    }

    /// Whether events are taken.
    #[getter]
    fn is_open(&self) -> bool {
        if !self.is_here() {
            return false;
        }
        let publisher = self.running.read();
        publisher.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether this is the process that opened it, and no fork.
    #[getter]
    fn is_here(&self) -> bool {
        self.process == process::id()
    }

    /// Puts an event on its way; gives a future of the mailbox's loop.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are those of Python's method"
    )]
    #[pyo3(signature = (mailbox, event_type, source_node_id, payload, topic, correlation_id, metadata, traceparent))]
    fn publish<'py>(
        &self,
        py: Python<'py>,
        mailbox: &Bound<'py, Mailbox>,
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
            traceparent,
        };
        self.publish_event(py, mailbox, event)
    }

    /// The same for an `Event`.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands it over")]
    fn publish_event<'py>(
        &self,
        py: Python<'py>,
        mailbox: &Bound<'py, Mailbox>,
        event: Event<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.running(py)?;
        let (message, id) = event.message(py, &publisher, &self.origin)?;
        launch(py, mailbox, publisher, message, Some(id))
    }

    /// The same for a message that is no event.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands it over")]
    fn publish_raw<'py>(
        &self,
        py: Python<'py>,
        mailbox: &Bound<'py, Mailbox>,
        raw: Raw<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.running(py)?;
        launch(py, mailbox, publisher, raw.message(py)?, None)
    }

    /// Puts events on their way, all or none; the future's result is a list of receipts and
    /// errors in their order.
    fn publish_many<'py>(
        &self,
        py: Python<'py>,
        mailbox: &Bound<'py, Mailbox>,
        events: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let publisher = self.running(py)?;
        let (messages, ids) = self.messages(py, &publisher, events)?;
        let turn = mailbox.get().turn();
        let work: Work = Box::pin(async move {
            turn.comes().await;
            let pending = publisher.enqueue_all(messages).await;
            drop(turn);
            let outcomes = Pending::all(pending).await;
            Done::Many(outcomes_of(outcomes, &ids))
        });
        mailbox.get().expect(py, work)
    }

    /// Puts an event on its way, and waits only for room.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands it over")]
    fn enqueue(&self, py: Python<'_>, event: Event<'_>) -> PyResult<PendingReceipt> {
        let publisher = self.running(py)?;
        let (message, id) = event.message(py, &publisher, &self.origin)?;
        PendingReceipt::new(py, &publisher, message, Some(id))
    }

    /// Puts an event on its way whose receipt nobody waits for, behind those of its loop that
    /// wait for room. False where there is none, unless it is to be waited for.
    fn try_enqueue<'py>(
        &self,
        py: Python<'py>,
        mailbox: Option<&Bound<'py, Mailbox>>,
        mut event: Event<'py>,
        traceparent: Option<Bound<'py, PyAny>>,
        on_error: Py<PyAny>,
        wait_for_room: bool,
    ) -> PyResult<bool> {
        let publisher = self.running(py)?;
        if mailbox.is_some_and(|mailbox| mailbox.get().has_line()) {
            return Ok(false);
        }
        if event.traceparent.is_none() {
            event.traceparent = traceparent;
        }
        let (message, _) = event.message(py, &publisher, &self.origin)?;
        let pending = match publisher.try_enqueue(message) {
            Err(PublishError::Busy) if wait_for_room => {
                let (message, _) = event.message(py, &publisher, &self.origin)?;
                wait_for(py, publisher.enqueue(message))?
            }
            Err(PublishError::Busy) => return Ok(false),
            other => other,
        };
        let pending = pending.map_err(|error| errors::publish(py, &error))?;
        unattended::watch(pending, on_error);
        Ok(true)
    }

    /// The same for a message that is no event.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands it over")]
    fn enqueue_raw(&self, py: Python<'_>, raw: Raw<'_>) -> PyResult<PendingReceipt> {
        let publisher = self.running(py)?;
        PendingReceipt::new(py, &publisher, raw.message(py)?, None)
    }

    /// Publishes events, all or none, and waits for what each ended with.
    fn send_many<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        let publisher = self.running(py)?;
        let (messages, ids) = self.messages(py, &publisher, events)?;
        let outcomes = wait_for(py, publisher.send_all(messages))?;
        list(py, outcomes_of(outcomes, &ids))
    }

    /// Figures.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        let publisher = self.running(py)?;
        Ok(Stats::new(&away::detach(py, || publisher.stats())))
    }

    /// What the spool holds.
    fn spool(&self, py: Python<'_>) -> PyResult<Option<SpoolStatus>> {
        let Some(path) = &self.spool else {
            return Ok(None);
        };
        SpoolStatus::read(py, &path.to_string_lossy()).map(Some)
    }

    /// How much the cluster has not got: what is in flight and what waits in the spool.
    fn undelivered(&self, py: Python<'_>) -> PyResult<u64> {
        let publisher = self.running(py)?;
        let stats = away::detach(py, || publisher.stats());
        Ok(stats.in_flight + stats.spool.map_or(0, |spool| spool.records))
    }

    /// Takes no more events, and waits until all are delivered, at most so many seconds. Gives
    /// how many wait in the spool, how many dead letters are there, and how many got an error.
    fn close(&self, py: Python<'_>, seconds: f64) -> PyResult<(u64, u64, u64)> {
        let timeout = seconds_of(seconds, "timeout")?;
        let publisher = {
            let mut publisher = self.running.write().unwrap_or_else(PoisonError::into_inner);
            publisher.take()
        };
        let Some(publisher) = publisher else {
            return Ok((0, 0, 0));
        };
        let closed = away::detach(py, || publisher.close(timeout));
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

/// A receipt that is not there yet.
#[pyclass(frozen, module = "herald")]
pub struct PendingReceipt {
    state: Mutex<State>,
    event_id: Option<Uuid>,
}

enum State {
    Pending(Pending),
    /// Another thread waits for it.
    Awaited,
    Resolved(Result<herald_publish::Receipt, PublishError>),
}

impl PendingReceipt {
    fn new(
        py: Python<'_>,
        publisher: &herald_publish::Publisher,
        message: Message,
        event_id: Option<Uuid>,
    ) -> PyResult<Self> {
        let pending = wait_for(py, publisher.enqueue(message))?;
        let pending = pending.map_err(|error| errors::publish(py, &error))?;
        Ok(Self {
            state: Mutex::new(State::Pending(pending)),
            event_id,
        })
    }
}

#[pymethods]
impl PendingReceipt {
    /// Waits for the receipt, for ever or for so many seconds.
    #[pyo3(signature = (timeout=None))]
    fn result(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Receipt> {
        let timeout = timeout
            .map(|seconds| seconds_of(seconds, "timeout"))
            .transpose()?;
        let began = Instant::now();
        loop {
            let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
            let wait = left.map_or(ATTENTION, |left| left.min(ATTENTION));
            if let Some(outcome) = away::detach(py, || self.wait_for(wait)) {
                return match outcome {
                    Ok(receipt) => Ok(Receipt::new(receipt, self.event_id)),
                    Err(error) => Err(errors::publish(py, &error)),
                };
            }
            py.check_signals()?;
            if left.is_some_and(|left| left.is_zero()) {
                return Err(PyTimeoutError::new_err(
                    "the receipt is not there yet; the event is still on its way",
                ));
            }
        }
    }

    /// Whether `result` would return at once.
    fn done(&self) -> bool {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Pending(pending) => pending.is_resolved(),
            State::Awaited => false,
            State::Resolved(_) => true,
        }
    }
}

impl PendingReceipt {
    fn wait_for(&self, most: Duration) -> Option<Result<herald_publish::Receipt, PublishError>> {
        let lock = || self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::replace(&mut *lock(), State::Awaited);
        let state = match taken {
            State::Pending(pending) => match pending.wait_timeout(most) {
                Ok(outcome) => State::Resolved(outcome),
                Err(pending) => State::Pending(pending),
            },
            State::Awaited => {
                std::thread::sleep(most.min(Duration::from_millis(1)));
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

/// Puts a message on its way for an event loop, in the order of calling.
fn launch<'py>(
    py: Python<'py>,
    mailbox: &Bound<'py, Mailbox>,
    publisher: Arc<herald_publish::Publisher>,
    message: Message,
    event_id: Option<Uuid>,
) -> PyResult<Bound<'py, PyAny>> {
    let turn = mailbox.get().turn();
    let work: Work = Box::pin(async move {
        let enqueued = publisher.enqueue(message);
        turn.comes().await;
        let pending = enqueued.await;
        drop(turn);
        let outcome = match pending {
            Ok(pending) => pending.await,
            Err(error) => Err(error),
        };
        Done::One(outcome.map(|receipt| Receipt::new(receipt, event_id)))
    });
    mailbox.get().expect(py, work)
}

fn outcomes_of(
    outcomes: Vec<Result<herald_publish::Receipt, PublishError>>,
    ids: &[Uuid],
) -> Vec<Outcome> {
    let outcomes = outcomes.into_iter().zip(ids);
    outcomes
        .map(|(outcome, id)| outcome.map(|receipt| Receipt::new(receipt, Some(*id))))
        .collect()
}

fn seconds_of(seconds: f64, name: &str) -> PyResult<Duration> {
    seconds_from(seconds).ok_or_else(|| {
        PyValueError::new_err(format!("{name} must be a number of seconds, 0 or more"))
    })
}

/// Seconds of Python; infinity is a century.
pub fn seconds_from(seconds: f64) -> Option<Duration> {
    const CENTURY: f64 = 100.0 * 366.0 * 86_400.0;
    // Of two numbers of which one is none, `min` would be the other.
    let seconds = if seconds > CENTURY { CENTURY } else { seconds };
    Duration::try_from_secs_f64(seconds).ok()
}
