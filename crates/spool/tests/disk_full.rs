//! Full disk: a small file system without space, and the system's limit on file sizes.
#![cfg(unix)]

mod common;

use common::small_disk::SmallDisk;
use common::{Place, append_many, beside, child, numbers, record};
use herald_spool::{Sequence, Spool, SpoolOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn limit_files(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: bytes,
            maximum,
        },
    )
    .unwrap();
}

/// Appends until the disk has refused twenty times in a row; returns the receipts and the error.
fn fill(spool: &Spool) -> (Vec<u64>, herald_spool::SpoolError) {
    let mut receipts = Vec::new();
    let mut refused = 0;
    for number in 0.. {
        match spool.append(record(number)).unwrap().wait() {
            Ok(_) => {
                receipts.push(number);
                refused = 0;
            }
            Err(error) => {
                refused += 1;
                if refused == 20 {
                    return (receipts, error);
                }
            }
        }
    }
    unreachable!("the disk takes everything")
}

fn on_a_full_disk(path: &std::path::Path) {
    let (spool, _) = Spool::open(SpoolOptions::new(path)).unwrap();
    limit_files(Some(256 * 1024));
    let (mut receipts, error) = fill(&spool);
    assert!(error.is_retriable(), "{error:?}");
    assert!(["spool_io", "spool_disk_full"].contains(&error.code().as_str()));
    assert_eq!(
        numbers(&spool),
        receipts,
        "what has a receipt is there, and nothing else"
    );
    let counted = spool.stats().unwrap();
    assert_eq!(counted.records, receipts.len() as u64);
    assert!(counted.commits.failed >= 20);

    remove_first(&spool, 50);
    receipts.drain(..50);
    limit_files(None);
    append_many(&spool, 1_000_000..1_000_010);
    receipts.extend(1_000_000..1_000_010);
    assert_eq!(numbers(&spool), receipts);
    spool.close().unwrap();
    println!("\nleft {}", receipts.len());
}

#[test]
fn gives_no_receipt_on_a_full_disk_and_continues_when_there_is_space() {
    if let Some(path) = child::spool_path() {
        return on_a_full_disk(&path);
    }
    let place = Place::new();
    let name = "gives_no_receipt_on_a_full_disk_and_continues_when_there_is_space";
    let said = child::succeeds(name, &place.database());
    let left = said
        .lines()
        .find_map(|line| line.strip_prefix("left "))
        .unwrap();
    let spool = place.open();
    assert_eq!(numbers(&spool).len(), left.parse::<usize>().unwrap());
    assert!(spool.verify().unwrap().is_sound());
}

/// The WAL is longer than all rows when it reaches the limit.
fn with_a_long_log(path: &std::path::Path) {
    let (spool, _) = Spool::open(SpoolOptions::new(path)).unwrap();
    limit_files(Some(2 * 1024 * 1024));
    for number in 0..500 {
        spool.append(record(number)).unwrap().wait().unwrap();
    }
    limit_files(None);
    assert_eq!(numbers(&spool), (0..500).collect::<Vec<_>>());
    spool.close().unwrap();
}

#[test]
fn refuses_no_append_for_the_space_of_the_wal() {
    if let Some(path) = child::spool_path() {
        return with_a_long_log(&path);
    }
    let place = Place::new();
    let name = "refuses_no_append_for_the_space_of_the_wal";
    child::succeeds(name, &place.database());
}

fn remove_first(spool: &Spool, rows: usize) {
    let first = spool.next_batch(rows, u64::MAX, Sequence::START).unwrap();
    let first: Vec<_> = first.records.iter().map(|stored| stored.sequence).collect();
    assert_eq!(first.len(), rows);
    let removed = spool.acknowledge(first).unwrap().wait();
    assert_eq!(removed, Ok(rows as u64), "a removal needs no space");
}

/// Appends rows of two kilobytes.
fn append_large(spool: &Spool, rows: u64) {
    let pending: Vec<_> = (0..rows)
        .map(|number| {
            let payload = format!("payload {number:02000}");
            let row = herald_spool::Record::new("orders", payload).with_key("a");
            spool.append(row).unwrap()
        })
        .collect();
    for pending in pending {
        pending.wait().unwrap();
    }
}

/// Creates a spool with rows of two kilobytes on a small disk, if one can be mounted.
fn spool_on_small_disk(rows: u64) -> Option<(SmallDisk, Spool)> {
    let disk = SmallDisk::mount()?;
    let (spool, _) = Spool::open(SpoolOptions::new(disk.database())).unwrap();
    append_large(&spool, rows);
    Some((disk, spool))
}

#[test]
fn appends_take_the_space_of_removed_records_on_a_full_disk() {
    let Some((disk, spool)) = spool_on_small_disk(3000) else {
        return;
    };
    disk.fill();
    for _ in 0..29 {
        remove_first(&spool, 100);
    }
    for _ in 0..20 {
        append_large(&spool, 200);
        remove_first(&spool, 200);
    }
    assert_eq!(spool.write_failure(), None);
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed().as_secs() < 30, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Fills the disk, and the space that the spool has left.
fn fill_all(disk: &SmallDisk, spool: &Spool) {
    disk.fill();
    let (_, error) = fill(spool);
    assert_eq!(error.code(), "spool_disk_full");
    assert_eq!(spool.write_failure(), Some(error));
}

#[test]
fn all_rows_are_removed_on_a_full_disk() {
    for rows in [10, 100, 1000] {
        let Some((disk, spool)) = spool_on_small_disk(rows) else {
            return;
        };
        fill_all(&disk, &spool);
        let depth = usize::try_from(spool.depth().unwrap()).unwrap();
        remove_first(&spool, depth);
        assert_eq!(spool.depth(), Ok(0));
        disk.free();
        eventually("healed", || spool.write_failure().is_none());
        append_many(&spool, 0..10);
        assert!(spool.verify().unwrap().is_sound());
        spool.close().unwrap();
    }
}

#[test]
fn rows_that_come_and_go_together_do_not_stop_each_other_on_a_full_disk() {
    let Some((disk, spool)) = spool_on_small_disk(1000) else {
        return;
    };
    fill_all(&disk, &spool);
    let rows = spool.next_batch(5000, u64::MAX, Sequence::START).unwrap();
    for stored in rows.records {
        let added = spool.append(record(1)).unwrap();
        let removed = spool.acknowledge(vec![stored.sequence]).unwrap();
        drop(added);
        assert_eq!(removed.wait(), Ok(1));
    }
}

/// With a short WAL, with a long one, and after a close or a kill.
#[test]
fn a_spool_is_opened_and_emptied_on_a_full_disk() {
    if let Some(path) = child::spool_path() {
        let (spool, _) = Spool::open(SpoolOptions::new(path)).unwrap();
        append_large(&spool, 1500);
        println!("\nappended");
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    for (rows, is_killed) in [(10, false), (1500, false), (1500, true)] {
        let Some(disk) = SmallDisk::mount() else {
            return;
        };
        if is_killed {
            use std::io::BufRead as _;
            let name = "a_spool_is_opened_and_emptied_on_a_full_disk";
            let mut child = child::command(name, &disk.database()).spawn().unwrap();
            let said = std::io::BufReader::new(child.stdout.take().unwrap());
            assert!(said.lines().any(|line| line.unwrap() == "appended"));
            disk.fill();
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            let (spool, _) = Spool::open(SpoolOptions::new(disk.database())).unwrap();
            append_large(&spool, rows);
            disk.fill();
            spool.close().unwrap();
        }
        for left in [rows - 5, 0] {
            let (spool, report) = Spool::open(SpoolOptions::new(disk.database())).unwrap();
            assert_eq!(report.recovery, None);
            let now = spool.depth().unwrap() - left;
            remove_first(&spool, usize::try_from(now).unwrap());
            spool.close().unwrap();
        }
        disk.free();
        let (spool, report) = Spool::open(SpoolOptions::new(disk.database())).unwrap();
        assert_eq!((report.recovery, report.records), (None, 0));
        append_many(&spool, 0..10);
        assert!(spool.verify().unwrap().is_sound());
    }
}

#[test]
fn a_closed_spool_leaves_its_reserve_only_for_rows() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..3);
    spool.close().unwrap();
    let log = beside(&place.database(), "-wal");
    assert_eq!(log.metadata().unwrap().len(), 1024 * 1024);
    let spool = place.open();
    remove_first(&spool, 3);
    spool.close().unwrap();
    assert!(!log.exists());
}
