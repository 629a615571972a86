//! Taking a real Kafka away and bringing it back.

use std::env;
use std::path::Path;
use std::process::Command;

/// The nodes of the cluster that `scripts/kafka run` started for this process.
pub struct Nodes {
    count: usize,
}

impl Nodes {
    /// `None` without such a cluster: another one is not to be stopped by a test.
    pub fn of_environment() -> Option<Self> {
        if env::var_os("KAFKA_CLUSTER").is_none() {
            eprintln!(
                "skipped: KAFKA_CLUSTER names no cluster that may be stopped; \
                 `scripts/kafka run` starts one"
            );
            return None;
        }
        let servers = env::var("KAFKA_BOOTSTRAP_SERVERS").expect("set together with KAFKA_CLUSTER");
        Some(Self {
            count: servers.split(',').count(),
        })
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes all nodes down, in order if that is possible.
    #[track_caller]
    pub fn stop(&self) {
        // One of several ends by a signal only, because it waits for the others.
        self.all(if self.count == 1 { "stop" } else { "kill" });
    }

    /// Starts all nodes that are not running, and waits until they serve clients.
    #[track_caller]
    pub fn start(&self) {
        self.all("start");
    }

    #[track_caller]
    pub fn pause(&self) {
        self.all("pause");
    }

    #[track_caller]
    pub fn resume(&self) {
        self.all("resume");
    }

    /// Does this to one node, counted from 1, and waits until it is done: `stop`, `kill`,
    /// `start`, `pause` or `resume`.
    #[track_caller]
    pub fn node(&self, number: usize, what: &str) {
        assert!((1..=self.count).contains(&number), "there is no such node");
        assert!(
            control(std::iter::once(number), what),
            "scripts/kafka node {number} {what} failed"
        );
    }

    #[track_caller]
    fn all(&self, what: &str) {
        assert!(
            control(1..=self.count, what),
            "scripts/kafka could not {what} all nodes"
        );
    }

    /// Brings everything back, whatever happened before. For the end of a test that failed.
    pub fn recover(&self) {
        for what in ["resume", "start"] {
            control(1..=self.count, what);
        }
    }
}

fn control(numbers: impl Iterator<Item = usize>, what: &str) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka");
    Command::new(script)
        .arg("node")
        .args(numbers.map(|number| number.to_string()))
        .arg(what)
        .status()
        .expect("scripts/kafka can be run")
        .success()
}
