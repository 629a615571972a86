//! Measurements of one run, and their output.

use std::time::{Duration, Instant};

pub(crate) struct Measure {
    started: Instant,
    cpu: f64,
    pub(crate) times: Vec<Duration>,
}

#[derive(Default)]
pub(crate) struct Figures {
    events: usize,
    took: Duration,
    cpu: f64,
    times: Vec<Duration>,
    pub(crate) drained_after: Duration,
}

impl Measure {
    pub(crate) fn start() -> Self {
        Self {
            cpu: cpu_seconds(),
            started: Instant::now(),
            times: Vec::new(),
        }
    }

    pub(crate) fn stop(self, events: usize) -> Figures {
        Figures {
            events,
            took: self.started.elapsed(),
            cpu: cpu_seconds() - self.cpu,
            times: self.times,
            drained_after: Duration::ZERO,
        }
    }
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| -> f64 {
        let field = fields.split_whitespace().nth(at).unwrap_or("0");
        field.parse().unwrap_or_default()
    };
    // utime and stime, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<f64>().ok())
        .unwrap_or_default()
        / 1024.0
}

impl Figures {
    #[expect(clippy::cast_precision_loss)]
    pub(crate) fn print(mut self, way: &str) {
        self.times.sort_unstable();
        let at = |share: usize| {
            let time = self.times.get(self.times.len() * share / 1_000);
            time.map(|time| time.as_secs_f64() * 1e3)
        };
        let figures = serde_json::json!({
            "way": way,
            "events": self.events,
            "events_per_second": self.events as f64 / self.took.as_secs_f64(),
            "cpu_seconds_per_million": self.cpu * 1e6 / self.events as f64,
            "peak_memory_mib": peak_memory_mib(),
            "median_ms": at(500),
            "p99_ms": at(990),
            "p999_ms": at(999),
            "drained_after_ms": self.drained_after.as_secs_f64() * 1e3,
        });
        println!("{figures}");
    }
}
