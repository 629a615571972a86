//! What the publisher has to say, brought to Python's `logging`.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::process;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::away;

/// Records that wait; more are left out, because nobody who publishes may wait for a log.
const MOST_WAITING: usize = 4_096;

/// One line of a log.
struct Record {
    level: u8,
    /// Such as `herald.publisher`.
    logger: String,
    message: String,
    fields: Vec<(&'static str, String)>,
}

/// What the thread of the bridge is told.
enum Item {
    Record(Record),
    /// There are calls.
    Calls,
    End,
}

/// Something that is to be done with Python's lock.
type Call = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// None is left out: there are no more than events in flight.
type Calls = Mutex<Vec<Call>>;

struct Bridge {
    items: SyncSender<Item>,
    calls: Arc<Calls>,
    thread: JoinHandle<()>,
}

static BRIDGE: Mutex<Option<Bridge>> = Mutex::new(None);
static INSTALLED: OnceLock<()> = OnceLock::new();

/// Begins. Whoever calls it again changes nothing.
#[pyfunction]
pub fn start_logging() -> PyResult<()> {
    let mut bridge = bridge();
    if bridge.is_some() {
        return Ok(());
    }
    let (items, arrivals) = sync_channel(MOST_WAITING);
    let thread = thread::Builder::new().name("herald-logging".to_owned());
    let calls = Arc::<Calls>::default();
    let to_be_called = calls.clone();
    let thread = thread.spawn(move || hand_over(&arrivals, &to_be_called))?;
    *bridge = Some(Bridge {
        items,
        calls,
        thread,
    });
    drop(bridge);
    INSTALLED.get_or_init(|| {
        // Another part of the process may have one: then that one gets the records.
        let _ = tracing::subscriber::set_global_default(ToPython);
    });
    Ok(())
}

/// Hands over what is left, and ends: Python is about to.
#[pyfunction]
pub fn stop_logging(py: Python<'_>) {
    py.detach(|| {
        // Unlocked again at once: a handler may cause records while it takes the last ones.
        let taken = bridge().take();
        if let Some(bridge) = taken {
            let _ = bridge.items.send(Item::End);
            let _ = bridge.thread.join();
        }
    });
}

thread_local! {
    /// The lock, while this thread forks: no other has it then, to be gone in the child.
    static FORKING: Cell<Option<Forking>> = const { Cell::new(None) };
}

struct Forking {
    process: u32,
    bridge: MutexGuard<'static, Option<Bridge>>,
}

/// Called by Python before it forks.
#[pyfunction]
pub fn before_fork() {
    FORKING.set(Some(Forking {
        process: process::id(),
        bridge: bridge(),
    }));
}

/// Called by Python after it forked, in parent and child.
#[pyfunction]
pub fn after_fork() {
    let Some(mut forking) = FORKING.take() else {
        return;
    };
    if forking.process != process::id() {
        // The bridge's thread is not here, and what it left may be in use by a thread of the
        // child, which would be let go in its place.
        std::mem::forget(forking.bridge.take());
        away::forget_all();
    }
}

fn bridge() -> MutexGuard<'static, Option<Bridge>> {
    BRIDGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something with Python's lock, on the thread of the bridge: what calls this may not wait
/// for it.
pub fn call_python(call: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) {
    if let Some(bridge) = &*bridge() {
        lock(&bridge.calls).push(Box::new(call));
        // Where there is no room, it looks for calls after each of those that are there.
        let _ = bridge.items.try_send(Item::Calls);
    }
}

fn lock(calls: &Calls) -> MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hand_over(arrivals: &Receiver<Item>, calls: &Calls) {
    while let Ok(item) = arrivals.recv() {
        let is_end = matches!(item, Item::End);
        let calls = std::mem::take(&mut *lock(calls));
        let handed = Python::try_attach(|py| {
            let record = match &item {
                Item::Record(record) => record.log(py),
                Item::Calls | Item::End => Ok(()),
            };
            let called = calls.into_iter().map(|call| call(py));
            for done in std::iter::once(record).chain(called) {
                if let Err(error) = done {
                    // A handler that fails is the user's, as with any other record.
                    error.write_unraisable(py, None);
                }
            }
        });
        if handed.is_none() || is_end {
            return;
        }
    }
}

impl Record {
    fn log(&self, py: Python<'_>) -> PyResult<()> {
        let logger = py
            .import("logging")?
            .call_method1("getLogger", (&self.logger,))?;
        let mut message = self.message.clone();
        let extra = PyDict::new(py);
        for (name, value) in &self.fields {
            extra.set_item(format!("herald_{name}"), value)?;
            // Writing to text does not fail.
            let _ = write!(message, " {name}={value}");
        }
        let arguments = PyDict::new(py);
        arguments.set_item("extra", extra)?;
        logger.call_method("log", (self.level, "%s", message), Some(&arguments))?;
        Ok(())
    }
}

/// Takes what any thread of the publisher says.
struct ToPython;

impl Subscriber for ToPython {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG && metadata.is_event()
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut record = Record {
            level: match *metadata.level() {
                Level::ERROR => 40,
                Level::WARN => 30,
                Level::INFO => 20,
                _ => 10,
            },
            logger: metadata.target().replace("::", "."),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut record);
        if let Some(bridge) = &*bridge() {
            let _ = bridge.items.try_send(Item::Record(record));
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for Record {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        self.record_str(field, &value);
    }
}
