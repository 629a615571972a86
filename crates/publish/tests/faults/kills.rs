//! The publisher is killed at random moments, under load.

use std::io::{BufRead, BufReader};
use std::process::ChildStdout;
use std::thread;
use std::time::Duration;

use herald_publish::{Mode, Publisher};

use crate::child::Task;
use crate::cluster::{self, Nodes};
use crate::event::Event;
use crate::fixture::{Fixture, finish, kafka};
use crate::ledger::{Ledger, Outcome};
use crate::load::Load;
use crate::random::Random;

/// Kills of each mode; `HERALD_KILLS` asks for another number.
fn kills() -> u64 {
    let asked = std::env::var("HERALD_KILLS").ok();
    asked.map_or(25, |number| number.parse().expect("a number of kills"))
}

/// Publishes until it is killed, and prints the receipts: `KEY NUMBER d PARTITION OFFSET` or
/// `KEY NUMBER s`.
pub fn publish_until_killed(task: &Task, load: &Load) {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap();
    let fixture = Fixture::at(&task.spool);
    let options = fixture.options(kafka(&servers));
    let publisher = Publisher::open(options.mode(task.mode)).unwrap();
    // The harness has begun a line.
    println!();
    let say = |event: Event, outcome: &Outcome| {
        let Event { key, number } = event;
        match outcome {
            Outcome::Delivered { partition, offset } => {
                println!("{key} {number} d {partition} {offset}");
            }
            Outcome::Spooled => println!("{key} {number} s"),
            Outcome::Dead | Outcome::Failed(_) => println!("{key} {number} x"),
        }
    };
    let load = load.clone().starting_at(task.first_number);
    load.during_with_callback(&publisher, say, |_| {
        loop {
            thread::park();
        }
    });
}

fn parse(line: &str) -> Option<(Event, Outcome)> {
    let words: Vec<&str> = line.split(' ').collect();
    let event = |key: &str, number: &str| {
        Some(Event {
            key: key.parse().ok()?,
            number: number.parse().ok()?,
        })
    };
    match words[..] {
        [key, number, "s"] => Some((event(key, number)?, Outcome::Spooled)),
        [key, number, "x"] => Some((event(key, number)?, Outcome::Failed("error".to_owned()))),
        [key, number, "d", partition, offset] => {
            let partition = partition.parse().ok()?;
            let offset = offset.parse().ok()?;
            Some((
                event(key, number)?,
                Outcome::Delivered { partition, offset },
            ))
        }
        _ => None,
    }
}

/// Reads the outcomes that a child prints until it ends. Ignores a last line that the kill has cut.
pub fn read_outcomes(output: ChildStdout, mut each: impl FnMut(Event, Outcome)) {
    let mut output = BufReader::new(output);
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        if let Some(whole) = line.strip_suffix('\n')
            && let Some((event, outcome)) = parse(whole)
        {
            each(event, outcome);
        }
        line.clear();
    }
}

fn receipts_survive(case: &str, mode: Mode) {
    if let Some(task) = Task::of_this_process() {
        let load = Load {
            pause: Duration::from_micros(200),
            ..Load::gentle(&task.topic)
        };
        return publish_until_killed(&task, &load);
    }
    let Some(nodes) = Nodes::take(1) else { return };
    let (fixture, topic) = (Fixture::new(), cluster::topic(nodes.servers()));
    let mut random = Random::new();
    let mut ledger = Ledger::default();
    for kill in 0..kills() {
        // Some live through the end of the broker, some never see one.
        match kill % 12 {
            5 => nodes.node(1, "kill"),
            8 => nodes.node(1, "start"),
            _ => {}
        }
        let task = Task {
            spool: fixture.spool(),
            topic: topic.clone(),
            mode,
            first_number: (kill + 1) * 1_000_000_000,
        };
        let mut child = task.command(case).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let receipts = random.below(1500);
        let moment = Duration::from_millis(random.below(200));
        let mut count = 0;
        read_outcomes(output, |event, outcome| {
            ledger.note(event, outcome);
            count += 1;
            if count == receipts {
                thread::sleep(moment);
                child.kill().unwrap();
            }
        });
        child.wait().unwrap();
        assert!(count >= receipts, "the child ended by itself");
    }
    nodes.node(1, "start");
    finish(Publisher::open(fixture.kafka(nodes.servers())).unwrap());
    let account = fixture.account(&ledger, nodes.servers(), &topic);
    account.show(&format!("publisher killed {} times, {mode:?}", kills()));
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn receipts_survive_sigkill() {
    receipts_survive("kills::receipts_survive_sigkill", Mode::Direct);
}

#[test]
fn write_ahead_receipts_survive_sigkill() {
    let case = "kills::write_ahead_receipts_survive_sigkill";
    receipts_survive(case, Mode::WriteAhead);
}
