//! How receipts come to an event loop.
//!
//! Waking a loop from another thread takes Python's lock, and the loop usually has it: a wake-up
//! for each receipt would cost more than publishing. So no thread of the publisher ever takes
//! that lock. It notes which receipts are there and writes one byte to a socket that the loop
//! watches; the loop then completes everything that has come until it gets round to it.

use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use herald_publish::PublishError;
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyWeakrefMethods, PyWeakrefReference};

use super::line::{Line, Turn};
use super::receipt::Receipt;
use crate::errors;

/// What an event loop waits for.
pub type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What one event ended with.
pub type Outcome = Result<Receipt, PublishError>;

/// What came of it.
pub enum Done {
    /// One event: its receipt is the result, or its error.
    One(Outcome),
    /// Many events: a list of receipts and errors is the result.
    Many(Vec<Outcome>),
}

/// After so many, the loop gets to do other things: each may wake a task that publishes again.
const MOST_AT_ONCE: usize = 128;

/// Receipts on their way to one event loop. Its owner lets the loop call `deliver` whenever
/// there is something to read at `fileno`.
#[pyclass(frozen, module = "herald._herald")]
pub struct Mailbox {
    /// Weak: the loop keeps the mailbox.
    event_loop: Py<PyWeakrefReference>,
    inbox: UnixStream,
    arrivals: Arc<Arrivals>,
    waiting: Mutex<Waiting>,
    line: Arc<Line>,
}

/// What the loop has been told to expect.
#[derive(Default)]
struct Waiting {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
}

struct Slot {
    future: Py<PyAny>,
    work: Work,
    waker: Waker,
}

/// The part that threads of the publisher see.
struct Arrivals {
    news: Mutex<News>,
    bell: UnixStream,
}

#[derive(Default)]
struct News {
    ready: Vec<usize>,
    /// The loop knows that there are some, and will look until there are none.
    rung: bool,
}

struct Note {
    arrivals: Arc<Arrivals>,
    slot: usize,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut news = lock(&self.arrivals.news);
        news.ready.push(self.slot);
        let rung = std::mem::replace(&mut news.rung, true);
        drop(news);
        if !rung {
            self.arrivals.ring();
        }
    }
}

impl Arrivals {
    fn ring(&self) {
        // A full socket rings already, and a closed one means that nobody listens.
        let _ = (&self.bell).write(&[1]);
    }

    /// The first, at most so many.
    fn take(&self, most: usize) -> Vec<usize> {
        let mut news = lock(&self.news);
        let most = most.min(news.ready.len());
        news.ready.drain(..most).collect()
    }

    /// The loop has looked; what has come meanwhile rings again.
    fn looked(&self) {
        let mut news = lock(&self.news);
        news.rung = !news.ready.is_empty();
        let ring = news.rung;
        drop(news);
        if ring {
            self.ring();
        }
    }
}

impl Mailbox {
    /// A place behind all of this loop that want to send. Only for the loop's thread.
    pub fn turn(&self) -> Turn {
        self.line.join()
    }

    /// Whether an event of this loop waits for its turn.
    pub fn has_line(&self) -> bool {
        !self.line.is_empty()
    }

    /// A future of the loop that completes when the work is done. Only for the loop's thread.
    pub fn expect<'py>(&self, py: Python<'py>, work: Work) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = self.event_loop.bind(py).upgrade();
        let event_loop = event_loop.ok_or_else(|| errors::internal("the event loop is gone"))?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let slot = lock(&self.waiting).reserve();
        let waker = Waker::from(Arc::new(Note {
            arrivals: self.arrivals.clone(),
            slot,
        }));
        self.advance(
            py,
            slot,
            Slot {
                future: future.clone().unbind(),
                work,
                waker,
            },
        )?;
        Ok(future)
    }

    fn complete(&self, py: Python<'_>) -> PyResult<()> {
        let mut most = MOST_AT_ONCE;
        let mut completed = Ok(());
        loop {
            // Who sends gives the turn to the next, which is ready then.
            let ready = self.arrivals.take(most);
            if ready.is_empty() {
                break;
            }
            most -= ready.len();
            for number in ready {
                let slot = lock(&self.waiting).slots[number].take();
                // Woken twice, it may be over.
                if let Some(slot) = slot {
                    // One that fails does not keep the others waiting.
                    completed = completed.and(self.advance(py, number, slot));
                }
            }
        }
        completed
    }

    /// Takes the work as far as it goes.
    fn advance(&self, py: Python<'_>, number: usize, mut slot: Slot) -> PyResult<()> {
        let future = slot.future.bind(py);
        // Cancelled, by whoever awaited it.
        if future.call_method0(intern!(py, "done"))?.is_truthy()? {
            lock(&self.waiting).free.push(number);
            return Ok(());
        }
        let mut context = Context::from_waker(&slot.waker);
        match slot.work.as_mut().poll(&mut context) {
            Poll::Pending => lock(&self.waiting).slots[number] = Some(slot),
            Poll::Ready(done) => {
                lock(&self.waiting).free.push(number);
                done.give(future)?;
            }
        }
        Ok(())
    }
}

impl Done {
    fn give(self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        match self {
            Self::One(Ok(receipt)) => {
                future.call_method1(intern!(py, "set_result"), (receipt,))?;
            }
            Self::One(Err(error)) => {
                let error = errors::publish(py, &error);
                future.call_method1(intern!(py, "set_exception"), (error,))?;
            }
            Self::Many(outcomes) => {
                let outcomes = list(py, outcomes)?;
                future.call_method1(intern!(py, "set_result"), (outcomes,))?;
            }
        }
        Ok(())
    }
}

/// Receipts, and errors in their places.
pub fn list(py: Python<'_>, outcomes: Vec<Outcome>) -> PyResult<Bound<'_, PyList>> {
    let outcomes = outcomes.into_iter().map(|outcome| match outcome {
        Ok(receipt) => receipt.into_bound_py_any(py),
        Err(error) => errors::publish(py, &error).into_bound_py_any(py),
    });
    PyList::new(py, outcomes.collect::<PyResult<Vec<_>>>()?)
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (inbox, bell) = UnixStream::pair()?;
        inbox.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self {
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            inbox,
            arrivals: Arc::new(Arrivals {
                news: Mutex::default(),
                bell,
            }),
            waiting: Mutex::default(),
            line: Arc::default(),
        })
    }

    /// What the loop is to watch.
    fn fileno(&self) -> i32 {
        self.inbox.as_raw_fd()
    }

    /// Completes what has come. Called by the loop.
    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        let mut bytes = [0; 64];
        while let Err(error) = (&self.inbox).read(&mut bytes) {
            match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => break,
                _ => return Err(error.into()),
            }
        }
        let completed = self.complete(py);
        self.arrivals.looked();
        completed
    }

    /// How much is awaited.
    fn __len__(&self) -> usize {
        let waiting = lock(&self.waiting);
        waiting.slots.len() - waiting.free.len()
    }
}

impl Waiting {
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
