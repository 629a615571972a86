//! Files as a power cut may leave them, made by copying and truncating: everything that was flushed
//! is there, and the transaction that was being written is there in part. Opening finds every
//! record with a receipt, in order, and discards the torn end.

mod common;

use common::{Place, append_many, beside, copy_files, numbers, record};
use proptest::prelude::*;

/// Length of a log without the zeros that are reserved behind its frames.
fn end_of_frames(log: &[u8]) -> u64 {
    log.iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last as u64 + 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn keeps_all_receipts_before_a_torn_commit(
        before in 1_u64..40,
        torn in 1_u64..40,
        cut in 0.0..1.0_f64,
        garbage: bool,
    ) {
        let place = Place::new();
        let spool = place.open();
        append_many(&spool, 0..before);
        let copy = place.folder.path().join("copy.db");
        // The commit counter of the last flushed commit, and the log with one more.
        std::fs::copy(place.beside(".commits"), beside(&copy, ".commits")).unwrap();
        let log = place.beside("-wal");
        let flushed = end_of_frames(&std::fs::read(&log).unwrap());
        let records = (before..before + torn).map(record).collect();
        spool.append_all(records).unwrap().wait().unwrap();
        std::fs::copy(place.database(), &copy).unwrap();
        let mut bytes = std::fs::read(&log).unwrap();
        let length = end_of_frames(&bytes);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let kept = (flushed + ((length - flushed) as f64 * cut) as u64) as usize;
        if garbage {
            bytes.truncate(usize::try_from(length).unwrap());
            bytes[kept..].fill(0xa5);
        } else {
            bytes.truncate(kept);
        }
        std::fs::write(beside(&copy, "-wal"), bytes).unwrap();

        let options = herald_spool::SpoolOptions::new(&copy);
        let (spool, report) = herald_spool::Spool::open(options).unwrap();
        prop_assert_eq!(report.recovery, None, "a torn end is not damage");
        prop_assert_eq!(numbers(&spool), (0..before).collect::<Vec<_>>());
    }
}

/// Appends one record after the other and prints the receipts; a checkpoint runs every few commits.
#[cfg(unix)]
fn append_until_killed(path: &std::path::Path) {
    let options = herald_spool::SpoolOptions::new(path).checkpoint_bytes(64 * 1024);
    let (spool, _) = herald_spool::Spool::open(options).unwrap();
    // The harness has begun a line.
    println!();
    let mut waiting = std::collections::VecDeque::new();
    for number in 0.. {
        waiting.push_back(spool.append(record(number)).unwrap());
        if waiting.len() > 20 {
            waiting.pop_front().unwrap().wait().unwrap();
            println!("receipt {}", number - 20);
        }
    }
}

/// Checks copies of a running process. A stopped process writes nothing, so each copy is of one
/// moment, in the middle of whatever the writer was doing.
#[cfg(unix)]
#[test]
fn copy_of_any_moment_has_all_earlier_receipts() {
    use std::io::{BufRead, BufReader};

    use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

    if let Some(path) = common::child::spool_path() {
        return append_until_killed(&path);
    }
    let place = Place::new();
    let name = "copy_of_any_moment_has_all_earlier_receipts";
    let mut child = common::child::command(name, &place.database())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut receipts = 0;
    let mut wait_for = 1;
    for round in 0..40 {
        wait_for = wait_for * 31 % 97;
        let mut told = 0;
        while told < wait_for {
            let line = said.next().expect("the child died by itself").unwrap();
            if let Some(number) = line.strip_prefix("receipt ") {
                receipts = number.parse::<u64>().unwrap() + 1;
                told += 1;
            }
        }
        kill_process(pid, Signal::STOP).unwrap();
        waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
        let copy = place.folder.path().join(format!("copy-{round}.db"));
        copy_files(&place.database(), &copy);
        kill_process(pid, Signal::CONT).unwrap();

        let options = herald_spool::SpoolOptions::new(&copy);
        let (spool, report) = herald_spool::Spool::open(options).unwrap();
        assert_eq!(report.recovery, None);
        let found = numbers(&spool);
        assert!(
            found.len() as u64 >= receipts,
            "{} of {receipts}",
            found.len()
        );
        assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>());
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
