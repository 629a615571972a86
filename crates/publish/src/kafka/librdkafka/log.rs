//! Log lines of librdkafka.

use rdkafka::config::RDKafkaLogLevel as Level;

use crate::kafka::log::{Log, TARGET};

impl Log {
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
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::lock;
    use crate::kafka::config::Redactor;

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
