//! The publisher is killed at random moments, under load.

use std::io::{BufRead, BufReader};
use std::process::ChildStdout;
use std::thread;
use std::time::Duration;

use herald_publish::kafka::KafkaOptions;
use herald_publish::{Mode, Publisher};

use crate::bench::{Bench, finish};
use crate::child::Task;
use crate::cluster::{self, Nodes};
use crate::event::Event;
use crate::ledger::{Ledger, Told};
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
    let bench = Bench::at(&task.spool);
    let options = bench.options(KafkaOptions::new(servers));
    let publisher = Publisher::open(options.mode(task.mode)).unwrap();
    // The harness has begun a line.
    println!();
    let say = |event: Event, told: &Told| {
        let Event { key, number } = event;
        match told {
            Told::Delivered { partition, offset } => {
                println!("{key} {number} d {partition} {offset}");
            }
            Told::Spooled => println!("{key} {number} s"),
            Told::Dead | Told::Failed(_) => println!("{key} {number} x"),
        }
    };
    let load = load.clone().starting_at(task.first_number);
    load.heard_by(&publisher, say, |_| {
        loop {
            thread::park();
        }
    });
}

fn parse(line: &str) -> Option<(Event, Told)> {
    let words: Vec<&str> = line.split(' ').collect();
    let event = |key: &str, number: &str| {
        Some(Event {
            key: key.parse().ok()?,
            number: number.parse().ok()?,
        })
    };
    match words[..] {
        [key, number, "s"] => Some((event(key, number)?, Told::Spooled)),
        [key, number, "x"] => Some((event(key, number)?, Told::Failed("error".to_owned()))),
        [key, number, "d", partition, offset] => {
            let partition = partition.parse().ok()?;
            let offset = offset.parse().ok()?;
            Some((event(key, number)?, Told::Delivered { partition, offset }))
        }
        _ => None,
    }
}

/// Hears a child until its end. A line that the kill has cut was told to nobody.
pub fn hear(said: ChildStdout, mut each: impl FnMut(Event, Told)) {
    let mut said = BufReader::new(said);
    let mut line = String::new();
    while said.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        if let Some(whole) = line.strip_suffix('\n')
            && let Some((event, told)) = parse(whole)
        {
            each(event, told);
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
    let (bench, topic) = (Bench::new(), cluster::topic(nodes.servers()));
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
            spool: bench.spool(),
            topic: topic.clone(),
            mode,
            first_number: (kill + 1) * 1_000_000_000,
        };
        let mut child = task.command(case).spawn().unwrap();
        let said = child.stdout.take().unwrap();
        let receipts = random.below(1500);
        let moment = Duration::from_millis(random.below(200));
        let mut heard = 0;
        hear(said, |event, told| {
            ledger.note(event, told);
            heard += 1;
            if heard == receipts {
                thread::sleep(moment);
                child.kill().unwrap();
            }
        });
        child.wait().unwrap();
        assert!(heard >= receipts, "the child ended by itself");
    }
    nodes.node(1, "start");
    finish(Publisher::open(bench.kafka(nodes.servers())).unwrap());
    let account = bench.account(&ledger, nodes.servers(), &topic);
    account.show(&format!("publisher killed {} times, {mode:?}", kills()));
    account.assert_no_errors();
    account.assert_kept();
}

#[test]
fn receipts_survive_kill_minus_nine() {
    receipts_survive("kills::receipts_survive_kill_minus_nine", Mode::Direct);
}

#[test]
fn receipts_of_the_disk_survive_kill_minus_nine() {
    let case = "kills::receipts_of_the_disk_survive_kill_minus_nine";
    receipts_survive(case, Mode::WriteAhead);
}
