//! Many events through many faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use herald_publish::{Mode, Publisher};

use crate::child::Task;
use crate::cluster::{self, Nodes};
use crate::fixture::{Fixture, finish};
use crate::kills::{publish_until_killed, read_outcomes};
use crate::ledger::{Account, Ledger, Outcome};
use crate::load::Load;

const RESTARTS: u64 = 5;
const KILLS: u64 = 3;

/// Events with a receipt; `HERALD_SOAK_EVENTS` asks for another number.
fn events() -> u64 {
    let asked = std::env::var("HERALD_SOAK_EVENTS").ok();
    asked.map_or(1_000_000, |number| number.parse().expect("a number"))
}

/// About 10,000 events a second with 100 keys.
fn load(topic: &str) -> Load {
    Load {
        threads: 4,
        keys_per_thread: 25,
        open: 2_000,
        pause: Duration::from_micros(300),
        ..Load::gentle(topic)
    }
}

/// Counts receipts, and has the broker restarted after each fifth of them, beginning with a
/// tenth.
struct Director {
    receipts: AtomicU64,
    restart: Sender<&'static str>,
}

impl Director {
    fn count(&self, outcome: &Outcome) -> u64 {
        if matches!(outcome, Outcome::Failed(_)) {
            return self.receipts.load(Ordering::Relaxed);
        }
        let receipts = self.receipts.fetch_add(1, Ordering::Relaxed) + 1;
        let fifth = events() / RESTARTS;
        if receipts % fifth == fifth / 2 {
            let verb = ["kill", "stop"][usize::from(receipts / fifth % 2 == 1)];
            self.restart.send(verb).expect("somebody restarts");
        }
        receipts
    }
}

fn soak(mode: Mode, case: &str) {
    if let Some(task) = Task::of_this_process() {
        return publish_until_killed(&task, &load(&task.topic));
    }
    let Some(nodes) = Nodes::take(1) else { return };
    let (fixture, topic) = (Fixture::new(), cluster::topic(nodes.servers()));
    let started = Instant::now();
    let (restart, restarts) = channel();
    let mut ledger = Ledger::default();
    let mut measured = Measurements::default();
    thread::scope(|scope| {
        let broker = scope.spawn(|| {
            let mut count = 0;
            for verb in restarts {
                nodes.node(1, verb);
                thread::sleep(Duration::from_secs(1));
                nodes.node(1, "start");
                count += 1;
            }
            assert_eq!(count, RESTARTS);
        });
        let director = Director {
            receipts: AtomicU64::new(0),
            restart,
        };
        for kill in 1..=KILLS {
            let task = Task {
                spool: fixture.spool(),
                topic: topic.clone(),
                mode,
                first_number: kill * 1_000_000_000,
            };
            let mut child = task.command(case).spawn().unwrap();
            read_outcomes(child.stdout.take().unwrap(), |event, outcome| {
                if director.count(&outcome) == events() * kill / (KILLS + 1) {
                    measured.peak_kib = measured.peak_kib.max(peak_kib(child.id()));
                    child.kill().unwrap();
                }
                ledger.note(event, outcome);
            });
            child.wait().unwrap();
        }
        let publisher = Publisher::open(fixture.kafka(nodes.servers()).mode(mode)).unwrap();
        let load = load(&topic).starting_at((KILLS + 1) * 1_000_000_000);
        let left = events() - director.receipts.load(Ordering::Relaxed);
        let load = Load {
            events_per_thread: left.div_ceil(u64::from(load.threads)),
            ..load
        };
        let count = |_, outcome: &Outcome| {
            director.count(outcome);
        };
        ledger.append(load.run_with_callback(&publisher, count));
        drop(director);
        broker.join().unwrap();
        finish(publisher);
    });
    measured.took = started.elapsed();
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    show(mode, &account, &measured);
    account.assert_no_errors();
    account.assert_kept();
    assert!(account.events as u64 >= events());
}

/// Measurements of a run beside the account.
#[derive(Default)]
struct Measurements {
    took: Duration,
    /// Most memory of a killed publisher, with the test's own list of outcomes.
    peak_kib: u64,
}

/// Most memory that a process has had, in KiB; 0 where there is no `/proc`.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    peak.map_or(0, |kib| kib.parse().expect("a number"))
}

fn show(mode: Mode, account: &Account, measured: &Measurements) {
    println!("\n| {mode:?} | |\n| --- | ---: |");
    for (figure, value) in [
        ("events with a receipt", account.events),
        ("of these from Kafka", account.delivered),
        ("of these from the spool", account.spooled),
        ("duplicates on Kafka", account.duplicates),
        ("still in the spool", account.queued),
        ("out of order", account.out_of_order.len()),
        ("receipts lost", account.lost.len()),
    ] {
        println!("| {figure} | {value} |");
    }
    println!("| restarts of the broker | {RESTARTS} |");
    println!("| kills of the publisher | {KILLS} |");
    println!(
        "| longest wait for a receipt | {:.1?} |",
        account.longest_wait
    );
    println!("| peak memory | {} MiB |", measured.peak_kib / 1024);
    println!("| seconds | {:.0} |", measured.took.as_secs_f64());
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_direct() {
    soak(Mode::Direct, "soak::soak_direct");
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_write_ahead() {
    soak(Mode::WriteAhead, "soak::soak_write_ahead");
}
