//! Full disk, simulated by the system's limit on file sizes.
#![cfg(unix)]

mod common;

use common::{Place, append_many, child, numbers, record};
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

    // Even a deletion needs room in the log, so it too may be refused, and tried again later.
    let first = spool.next_batch(50, u64::MAX, Sequence::START).unwrap();
    let first: Vec<_> = first.records.iter().map(|stored| stored.sequence).collect();
    if let Err(error) = spool.acknowledge(first.clone()).unwrap().wait() {
        assert!(error.is_retriable(), "{error:?}");
    }

    limit_files(None);
    spool.acknowledge(first).unwrap().wait().unwrap();
    receipts.drain(..50);
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
    let output = child::command(name, &place.database()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let left = said
        .lines()
        .find_map(|line| line.strip_prefix("left "))
        .unwrap();
    let spool = place.open();
    assert_eq!(numbers(&spool).len(), left.parse::<usize>().unwrap());
    assert!(spool.verify().unwrap().is_sound());
}
