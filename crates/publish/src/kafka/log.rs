//! librdkafka's log lines, for `tracing`.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::config::RDKafkaLogLevel as Level;

use super::secret::Scrub;
use crate::clock::lock;

/// Where the lines go.
const TARGET: &str = "herald::kafka";

/// So many different complaints are remembered.
const MEMORY: usize = 256;

/// Passes lines on: without secrets, and a complaint once per outage instead of once per attempt.
pub(super) struct Log {
    scrub: Scrub,
    /// Complaints that were told since the last good news.
    told: Mutex<HashSet<String>>,
    trouble: AtomicBool,
}

impl Log {
    pub(super) fn new(scrub: Scrub) -> Self {
        Self {
            scrub,
            told: Mutex::default(),
            trouble: AtomicBool::new(false),
        }
    }

    /// Text of librdkafka's, without secrets and without what changes from attempt to attempt.
    pub(super) fn clean(&self, text: &str) -> String {
        self.scrub.clean(essence(text))
    }

    /// A line of librdkafka's.
    pub(super) fn line(&self, level: Level, facility: &str, text: &str) {
        let level = match facility {
            // The watch of the connection hears of it, with what follows.
            "FATAL" => Level::Info,
            // Herald sets it and knows it.
            "CONFWARN" if text.contains("enable.gapless.guarantee") => Level::Info,
            _ => level,
        };
        match level {
            Level::Emerg | Level::Alert | Level::Critical => {
                let text = self.clean(text);
                tracing::error!(target: TARGET, facility, "{text}");
            }
            Level::Error | Level::Warning => {
                let text = self.clean(text);
                if self.is_news(&text) {
                    tracing::warn!(target: TARGET, facility, "{text}");
                } else {
                    tracing::debug!(target: TARGET, facility, "{text}");
                }
            }
            Level::Notice | Level::Info => {
                tracing::debug!(target: TARGET, facility, "{}", self.clean(text));
            }
            Level::Debug => tracing::trace!(target: TARGET, facility, "{}", self.clean(text)),
        }
    }

    fn is_news(&self, complaint: &str) -> bool {
        self.trouble.store(true, Ordering::Relaxed);
        let mut told = lock(&self.told);
        if told.len() >= MEMORY {
            told.clear();
        }
        told.insert(complaint.to_owned())
    }

    /// The cluster answered: the next complaint is news again.
    pub(super) fn good_news(&self) {
        // Read first: this happens for each message, a complaint hardly ever.
        if self.trouble.load(Ordering::Relaxed) && self.trouble.swap(false, Ordering::Relaxed) {
            lock(&self.told).clear();
        }
    }
}

/// Text without the thread that it came from, and without how long what state lasted.
fn essence(text: &str) -> &str {
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

    fn shown(what: impl FnOnce(&Log), scrub: Scrub) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || what(&Log::new(scrub)));
        String::from_utf8(lock(&lines.0).clone()).unwrap()
    }

    #[test]
    fn a_complaint_is_told_once_per_outage() {
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
                log.good_news();
                (0..5).for_each(|attempt| refused(log, attempt));
            },
            Scrub::default(),
        );
        assert_eq!(text.matches("Connection refused").count(), 2, "{text}");
        assert!(
            text.contains("WARN") && text.contains("herald::kafka"),
            "{text}"
        );
    }

    #[test]
    fn no_line_shows_a_secret() {
        let text = shown(
            |log| {
                for level in [Level::Emerg, Level::Error, Level::Warning, Level::Info] {
                    log.line(level, "SASL", "password hunter2 was refused");
                }
            },
            Scrub::new(["hunter2"]),
        );
        assert!(
            text.contains("was refused") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
