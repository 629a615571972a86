//! Completion queue: delivers receipts to an asyncio event loop.
//!
//! Waking a loop from another thread takes the interpreter lock, which the loop's thread holds most
//! of the time: a wake-up per receipt would cost more than publishing. So no publisher thread ever
//! takes that lock. It notes which futures are ready and wakes the loop (`wakeup`); the loop then
//! resolves everything that became ready in the meantime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use herald_publish::PublishError;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyWeakrefMethods, PyWeakrefReference};

use super::fifo::{Fifo, Ticket};
use super::receipt::Receipt;
use super::wakeup::{LoopWaker, Wakeup};
use crate::errors;
use crate::python_refs::name;

/// Rust future that an asyncio future stands for.
pub type Work = Pin<Box<dyn Future<Output = Completion> + Send>>;

/// Receipt or error of one event.
pub type Outcome = Result<Receipt, PublishError>;

/// Result of a piece of work.
pub enum Completion {
    /// One event: the future's result is its receipt, or its exception the error.
    One(Outcome),
    /// Several events: the future's result is a list of receipts and errors.
    Many(Vec<Outcome>),
}

/// Futures resolved per wake-up, after which the loop runs other callbacks: each resolved future
/// may wake a task that publishes again.
const MAX_PER_WAKEUP: usize = 128;

/// Futures of one event loop. Its owner has the loop call `process` when it is woken.
#[pyclass(frozen, weakref, module = "herald._herald")]
pub struct CompletionQueue {
    /// Weak: the loop keeps the queue.
    event_loop: Py<PyWeakrefReference>,
    ready: Arc<ReadyQueue>,
    slots: Mutex<Slots>,
    fifo: Arc<Fifo>,
}

/// Work in progress, addressed by index.
#[derive(Default)]
struct Slots {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
}

struct Slot {
    future: Py<PyAny>,
    work: Work,
    waker: Waker,
}

/// Indices of slots to poll; shared with publisher threads.
struct ReadyQueue {
    state: Mutex<ReadyState>,
    wakeup: Wakeup,
}

#[derive(Default)]
struct ReadyState {
    indices: Vec<usize>,
    /// Whether the loop was woken and has not processed the queue since.
    notified: bool,
}

struct SlotWaker {
    ready: Arc<ReadyQueue>,
    index: usize,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Called by threads of the publisher, so without the interpreter lock. The flag is read and
        // set under the mutex of `indices`: of many receipts between two wake-ups, one wakes the loop.
        let mut state = lock(&self.ready.state);
        state.indices.push(self.index);
        let notified = std::mem::replace(&mut state.notified, true);
        drop(state);
        if !notified {
            self.ready.wakeup.notify();
        }
    }
}

impl ReadyQueue {
    /// Removes the first `max` indices.
    fn take(&self, max: usize) -> Vec<usize> {
        let mut state = lock(&self.state);
        let count = max.min(state.indices.len());
        state.indices.drain(..count).collect()
    }

    /// Allows the next notification, and notifies at once if slots became ready meanwhile.
    fn rearm(&self) {
        let mut state = lock(&self.state);
        state.notified = !state.indices.is_empty();
        let notify = state.notified;
        drop(state);
        if notify {
            self.wakeup.notify();
        }
    }
}

impl CompletionQueue {
    fn of(event_loop: &Bound<'_, PyAny>, wakeup: Wakeup) -> PyResult<Self> {
        Ok(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            ready: Arc::new(ReadyQueue {
                state: Mutex::default(),
                wakeup,
            }),
            slots: Mutex::default(),
            fifo: Arc::default(),
        })
    }

    /// Takes a position behind all senders of this loop. Only for the loop's thread.
    pub fn ticket(&self) -> Ticket {
        self.fifo.ticket()
    }

    /// Whether an event of this loop waits for the in-flight limit.
    pub fn has_waiters(&self) -> bool {
        !self.fifo.is_empty()
    }

    /// Starts work and returns an asyncio future for it. Only for the loop's thread.
    pub fn submit<'py>(&self, py: Python<'py>, work: Work) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = self.event_loop.bind(py).upgrade();
        let event_loop = event_loop.ok_or_else(|| errors::internal("the event loop is gone"))?;
        let future = event_loop.call_method0(name!(py, create_future))?;
        let index = lock(&self.slots).reserve();
        let waker = Waker::from(Arc::new(SlotWaker {
            ready: self.ready.clone(),
            index,
        }));
        self.poll_slot(
            py,
            index,
            Slot {
                future: future.clone().unbind(),
                work,
                waker,
            },
        )?;
        Ok(future)
    }

    fn resolve_ready(&self, py: Python<'_>) -> PyResult<()> {
        let mut budget = MAX_PER_WAKEUP;
        let mut result = Ok(());
        loop {
            // Polling a sender hands its ticket to the next one, which is ready then.
            let ready = self.ready.take(budget);
            if ready.is_empty() {
                break;
            }
            budget -= ready.len();
            for index in ready {
                // Taken out, so that the mutex is not held while the slot is polled: resolving a future
                // calls into Python, which may submit more work to this queue.
                let slot = lock(&self.slots).slots[index].take();
                // Empty if it was woken twice and is resolved.
                if let Some(slot) = slot {
                    // An error of one future does not keep the others waiting.
                    result = result.and(self.poll_slot(py, index, slot));
                }
            }
        }
        result
    }

    /// Polls the work of a slot, and resolves its future when the work is done.
    fn poll_slot(&self, py: Python<'_>, index: usize, mut slot: Slot) -> PyResult<()> {
        let future = slot.future.bind(py);
        // Cancelled by its awaiting task.
        if future.call_method0(name!(py, done))?.is_truthy()? {
            lock(&self.slots).free.push(index);
            return Ok(());
        }
        let mut context = Context::from_waker(&slot.waker);
        match slot.work.as_mut().poll(&mut context) {
            Poll::Pending => lock(&self.slots).slots[index] = Some(slot),
            Poll::Ready(completion) => {
                lock(&self.slots).free.push(index);
                completion.resolve(future)?;
            }
        }
        Ok(())
    }
}

impl Completion {
    fn resolve(self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        match self {
            Self::One(Ok(receipt)) => {
                future.call_method1(name!(py, set_result), (receipt,))?;
            }
            Self::One(Err(error)) => {
                let error = errors::publish(py, &error);
                future.call_method1(name!(py, set_exception), (error,))?;
            }
            Self::Many(outcomes) => {
                let outcomes = outcome_list(py, outcomes)?;
                future.call_method1(name!(py, set_result), (outcomes,))?;
            }
        }
        Ok(())
    }
}

/// Converts outcomes to a list of receipts and `PublishError` instances.
pub fn outcome_list(py: Python<'_>, outcomes: Vec<Outcome>) -> PyResult<Bound<'_, PyList>> {
    let outcomes = outcomes.into_iter().map(|outcome| match outcome {
        Ok(receipt) => receipt.into_bound_py_any(py),
        Err(error) => errors::publish(py, &error).into_bound_py_any(py),
    });
    PyList::new(py, outcomes.collect::<PyResult<Vec<_>>>()?)
}

#[pymethods]
impl CompletionQueue {
    /// Creates the queue of a loop that watches `fileno`.
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::of(event_loop, Wakeup::of_watching_loop()?)
    }

    /// Creates the queue of a loop that can't watch files, and what wakes it: see `LoopWaker`.
    #[staticmethod]
    fn with_waker(event_loop: &Bound<'_, PyAny>) -> PyResult<(Self, LoopWaker)> {
        let (wakeup, waker) = Wakeup::of_waiting_thread();
        Ok((Self::of(event_loop, wakeup)?, waker))
    }

    /// File descriptor that becomes readable when there are futures to resolve.
    fn fileno(&self) -> PyResult<i32> {
        self.ready.wakeup.fileno()
    }

    /// Resolves the futures whose work is done. Called by the loop.
    fn process(&self, py: Python<'_>) -> PyResult<()> {
        self.ready.wakeup.clear()?;
        let result = self.resolve_ready(py);
        self.ready.rearm();
        result
    }

    /// Number of unresolved futures.
    fn __len__(&self) -> usize {
        let slots = lock(&self.slots);
        slots.slots.len() - slots.free.len()
    }
}

impl Slots {
    fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
