//! Processes that are killed while they append and acknowledge.
//!
//! A kill shows that no receipt depends on the memory of a process. That a receipt survives a power
//! cut depends on the flush of SQLite's WAL in every commit, which a test without a power cut can't
//! show; `tests/power.rs` opens files as a power cut may leave them.
#![cfg(unix)]

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read};

use common::{Place, child, record};
use herald_spool::{Sequence, Spool, SpoolOptions};

const KILLS: u64 = 30;

/// Runs a child that prints one line each: `receipt SEQUENCE NUMBER`, and `acknowledge SEQUENCE`
/// before it acknowledges.
fn append_until_killed(path: &std::path::Path) {
    let options = SpoolOptions::new(path)
        .checkpoint_bytes(256 * 1024)
        .removed_bytes(16 * 1024);
    let (spool, report) = Spool::open(options).unwrap();
    assert_eq!(report.recovery, None);
    let highest = spool_highest(&spool);
    let mut waiting = VecDeque::new();
    // The harness has begun a line.
    println!();
    // What the last process left, at the front of the queue, but for the highest number.
    let mut left = common::read_all(&spool);
    left.pop();
    for stored in &left {
        println!("acknowledge {}", stored.sequence);
    }
    drop(spool.acknowledge(left.iter().map(|stored| stored.sequence)));
    for number in highest + 1.. {
        waiting.push_back((number, spool.append(record(number)).unwrap()));
        if waiting.len() < 50 {
            continue;
        }
        let (number, pending) = waiting.pop_front().unwrap();
        let sequence = pending.wait().unwrap();
        println!("receipt {sequence} {number}");
        if number % 3 == 0 {
            println!("acknowledge {sequence}");
            drop(spool.acknowledge(vec![sequence]).unwrap());
        }
    }
}

fn spool_highest(spool: &Spool) -> u64 {
    common::numbers(spool).last().copied().unwrap_or(0)
}

#[test]
fn receipts_survive_sigkill() {
    if let Some(path) = child::spool_path() {
        return append_until_killed(&path);
    }
    let place = Place::new();
    let mut receipts = BTreeMap::new();
    let mut acknowledged = BTreeSet::new();
    let mut lines_before_kill = 1_u64;
    for _ in 0..KILLS {
        let mut child = child::command("receipts_survive_sigkill", &place.database())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // A spread of moments without a clock: some at the first receipt, some after many
        // checkpoints.
        lines_before_kill = lines_before_kill * 31 % 1009;
        let mut take = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            ["receipt", sequence, number] => {
                let sequence = Sequence::new(sequence.parse().unwrap());
                let number: u64 = number.parse().unwrap();
                assert_eq!(receipts.insert(sequence, number), None, "given out twice");
                true
            }
            ["acknowledge", sequence] => {
                acknowledged.insert(Sequence::new(sequence.parse().unwrap()));
                true
            }
            _ => false,
        };
        let mut taken = 0;
        while taken < lines_before_kill {
            let mut line = String::new();
            let bytes = stdout.read_line(&mut line).unwrap();
            assert_ne!(bytes, 0, "the child died by itself");
            taken += u64::from(take(line.trim_end()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that the kill has cut was told to nobody. A whole last line counts: what it
        // acknowledges may be removed already.
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        let whole = rest
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        for line in whole {
            take(line);
        }
        check(&place, &receipts, &acknowledged);
    }
    assert!(receipts.len() > 1000, "only {} receipts", receipts.len());
}

fn check(place: &Place, receipts: &BTreeMap<Sequence, u64>, acknowledged: &BTreeSet<Sequence>) {
    let spool = place.open();
    let found = common::read_all(&spool);
    assert!(found.is_sorted_by(|a, b| a.sequence < b.sequence));
    let numbers = common::numbers(&spool);
    assert!(
        numbers.is_sorted_by(|a, b| a < b),
        "order is kept, nothing is there twice"
    );
    let by_sequence: BTreeMap<_, _> = found.iter().map(|s| s.sequence).zip(numbers).collect();
    for (sequence, number) in receipts {
        match by_sequence.get(sequence) {
            Some(found) => assert_eq!(found, number),
            None => assert!(acknowledged.contains(sequence), "{sequence} is lost"),
        }
    }
    assert!(spool.verify().unwrap().is_sound());
}
