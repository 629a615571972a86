//! Log lines of connections as `tracing` events.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::config::Redactor;
use crate::clock::lock;

/// Target of the `tracing` events.
pub(super) const TARGET: &str = "herald::kafka";

/// Maximum number of warnings that are remembered.
const MAX_REMEMBERED: usize = 256;

/// Forwarder of log lines: without secrets, and with each warning once per outage instead of once
/// per attempt.
pub(super) struct Log {
    redactor: Redactor,
    /// Warnings logged since the last answer of the cluster.
    logged: Mutex<HashSet<String>>,
    /// Whether `logged` may have entries: read without the lock for each message.
    has_logged: AtomicBool,
}

impl Log {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            logged: Mutex::default(),
            has_logged: AtomicBool::new(false),
        }
    }

    /// Cleans a text of librdkafka: no secrets, and no parts that change with each attempt.
    pub(super) fn clean(&self, text: &str) -> String {
        self.redactor.redact(strip_variable_parts(text))
    }

    /// Logs a clean text, once per outage as a warning.
    pub(super) fn warning(&self, facility: &str, text: &str) {
        if self.is_new(text) {
            tracing::warn!(target: TARGET, facility, "{text}");
        } else {
            tracing::debug!(target: TARGET, facility, "{text}");
        }
    }

    /// Returns whether a warning was not logged since the last answer, and remembers it.
    fn is_new(&self, warning: &str) -> bool {
        self.has_logged.store(true, Ordering::Relaxed);
        let mut logged = lock(&self.logged);
        if logged.len() >= MAX_REMEMBERED {
            logged.clear();
        }
        logged.insert(warning.to_owned())
    }

    /// Notes that the cluster answered: the next warning is logged again.
    pub(super) fn on_success(&self) {
        // Read before written: this runs for each message, and warnings are rare.
        if self.has_logged.load(Ordering::Relaxed) && self.has_logged.swap(false, Ordering::Relaxed)
        {
            lock(&self.logged).clear();
        }
    }
}

/// Strips the thread name and the duration of a state from a text.
fn strip_variable_parts(text: &str) -> &str {
    let text = text
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
        .map_or(text, |(_, rest)| rest);
    match text.rfind(" (after ") {
        Some(end) => &text[..end],
        None => text,
    }
}
