//! Bridge from the publisher's `tracing` events to Python's `logging`.

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

use super::detach;
use crate::python_refs;

/// Records queued for the bridge thread. Further ones are dropped: publishing must not wait for a
/// log handler.
const MAX_QUEUED_RECORDS: usize = 4_096;

/// Log record.
struct Record {
    level: u8,
    /// Logger name, such as `herald.publisher`.
    logger: String,
    message: String,
    fields: Vec<(&'static str, String)>,
}

/// Item of the bridge thread's queue.
enum Item {
    Record(Record),
    /// There are calls to run.
    Calls,
    Stop,
}

/// Function to run with the interpreter lock.
type Call = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// Queued calls. None is dropped: there are at most as many as events in flight.
type Calls = Mutex<Vec<Call>>;

struct Bridge {
    items: SyncSender<Item>,
    calls: Arc<Calls>,
    thread: JoinHandle<()>,
}

static BRIDGE: Mutex<Option<Bridge>> = Mutex::new(None);
static INSTALLED: OnceLock<()> = OnceLock::new();

/// Starts the bridge thread, unless it runs already.
pub fn start_logging() -> PyResult<()> {
    let mut bridge = bridge();
    if bridge.is_some() {
        return Ok(());
    }
    let (items, receiver) = sync_channel(MAX_QUEUED_RECORDS);
    let thread = thread::Builder::new().name("herald-logging".to_owned());
    let calls = Arc::<Calls>::default();
    let calls_of_thread = calls.clone();
    let thread = thread.spawn(move || forward_records(&receiver, &calls_of_thread))?;
    *bridge = Some(Bridge {
        items,
        calls,
        thread,
    });
    drop(bridge);
    INSTALLED.get_or_init(|| {
        // Fails if the process has a subscriber already, which then gets the events.
        let _ = tracing::subscriber::set_global_default(PythonSubscriber);
    });
    Ok(())
}

/// Forwards the queued records and stops the bridge thread. Called at exit.
#[pyfunction]
pub fn stop_logging(py: Python<'_>) {
    py.detach(|| {
        // The lock is released first: a handler may cause records while it gets the last ones.
        let running = bridge().take();
        if let Some(bridge) = running {
            let _ = bridge.items.send(Item::Stop);
            let _ = bridge.thread.join();
        }
    });
}

thread_local! {
    /// Guard held while this thread forks, so that no other thread holds the lock at that moment
    /// and leaves it locked in the child.
    static FORK_GUARD: Cell<Option<ForkGuard>> = const { Cell::new(None) };
}

struct ForkGuard {
    process: u32,
    bridge: MutexGuard<'static, Option<Bridge>>,
}

/// Takes the bridge lock. Called by Python before a fork.
#[pyfunction]
pub fn before_fork() {
    FORK_GUARD.set(Some(ForkGuard {
        process: process::id(),
        bridge: bridge(),
    }));
}

/// Releases the bridge lock. Called by Python after a fork, in parent and child.
#[pyfunction]
pub fn after_fork() {
    let Some(mut guard) = FORK_GUARD.take() else {
        return;
    };
    if guard.process != process::id() {
        // The child does not have the bridge thread. The join handle is leaked, because its thread id
        // may belong to a thread of the child by now, which dropping it would detach.
        std::mem::forget(guard.bridge.take());
        detach::reset_after_fork();
    }
}

fn bridge() -> MutexGuard<'static, Option<Bridge>> {
    BRIDGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a function with the interpreter lock on the bridge thread, for callers that must not wait
/// for that lock.
pub fn call_python(call: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) {
    if let Some(bridge) = &*bridge() {
        lock(&bridge.calls).push(Box::new(call));
        // If the queue is full, the thread runs calls after each of its items anyway.
        let _ = bridge.items.try_send(Item::Calls);
    }
}

fn lock(calls: &Calls) -> MutexGuard<'_, Vec<Call>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forward_records(receiver: &Receiver<Item>, calls: &Calls) {
    while let Ok(item) = receiver.recv() {
        let is_stop = matches!(item, Item::Stop);
        let calls = std::mem::take(&mut *lock(calls));
        let attached = Python::try_attach(|py| {
            let record = match &item {
                Item::Record(record) => record.log(py),
                Item::Calls | Item::Stop => Ok(()),
            };
            let results = calls.into_iter().map(|call| call(py));
            for result in std::iter::once(record).chain(results) {
                if let Err(error) = result {
                    // An exception of a user's handler is reported, as for any other record.
                    error.write_unraisable(py, None);
                }
            }
        });
        if attached.is_none() || is_stop {
            return;
        }
    }
}

impl Record {
    fn log(&self, py: Python<'_>) -> PyResult<()> {
        let get_logger = python_refs::get(py).get_logger.bind(py);
        let logger = get_logger.call1((&self.logger,))?;
        let mut message = escape(&self.message);
        let extra = PyDict::new(py);
        for (name, value) in &self.fields {
            let value = escape(value);
            extra.set_item(format!("herald_{name}"), &value)?;
            // Writing to a String does not fail.
            let _ = write!(message, " {name}={value}");
        }
        let arguments = PyDict::new(py);
        arguments.set_item("extra", extra)?;
        logger.call_method("log", (self.level, "%s", message), Some(&arguments))?;
        Ok(())
    }
}

/// Escapes control and invisible characters, which a broker's or a file system's error text may
/// contain: line breaks would forge log lines, escape sequences would control the terminal.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.extend(c.escape_default()),
            _ if c.is_control() || is_invisible(c) => {
                // Writing to a String does not fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Line and paragraph separators, and Unicode's format characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// `tracing` subscriber that queues events for the bridge thread.
struct PythonSubscriber;

impl Subscriber for PythonSubscriber {
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
