//! Log lines of connections as `tracing` events.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::config::RDKafkaLogLevel as Level;

use super::config::Redactor;
use crate::clock::lock;

/// Target of the `tracing` events.
const TARGET: &str = "herald::kafka";

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

    /// Forwards a line.
    pub(super) fn line(&self, level: Level, facility: &str, text: &str) {
        let level = match facility {
            // The connection listener reports it, with its consequence.
            "FATAL" => Level::Info,
            // Warning about an experimental property that Herald sets on purpose.
            "CONFWARN" if text.contains("enable.gapless.guarantee") => Level::Info,
            _ => level,
        };
        match level {
            Level::Emerg | Level::Alert | Level::Critical => {
                let text = self.clean(text);
                tracing::error!(target: TARGET, facility, "{text}");
            }
            Level::Error | Level::Warning => self.warning(facility, &self.clean(text)),
            Level::Notice | Level::Info => {
                tracing::debug!(target: TARGET, facility, "{}", self.clean(text));
            }
            Level::Debug => tracing::trace!(target: TARGET, facility, "{}", self.clean(text)),
        }
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(what: impl FnOnce(&Log), redactor: Redactor) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || what(&Log::new(redactor)));
        String::from_utf8(lock(&lines.0).clone()).unwrap()
    }

    #[test]
    fn logs_a_warning_once_per_outage() {
        let refused = |log: &Log, attempt: u32| {
            let text = format!(
                "[thrd:k:9092/1]: k:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection \
                 refused (after {attempt}ms in state CONNECT, {attempt} identical error(s) \
                 suppressed)"
            );
            log.line(Level::Error, "FAIL", &text);
        };
        let text = shown(
            |log| {
                (0..5).for_each(|attempt| refused(log, attempt));
                log.on_success();
                (0..5).for_each(|attempt| refused(log, attempt));
            },
            Redactor::default(),
        );
        assert_eq!(text.matches("Connection refused").count(), 2, "{text}");
        assert!(
            text.contains("WARN") && text.contains("herald::kafka"),
            "{text}"
        );
    }

    #[test]
    fn redacts_secrets() {
        let text = shown(
            |log| {
                for level in [Level::Emerg, Level::Error, Level::Warning, Level::Info] {
                    log.line(level, "SASL", "password hunter2 was refused");
                }
            },
            Redactor::new(["hunter2"]),
        );
        assert!(
            text.contains("was refused") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
