//! Helpers of the tests.
#![allow(dead_code)]

#[cfg(unix)]
pub mod child;
#[cfg(unix)]
pub mod small_disk;

use std::path::{Path, PathBuf};

use herald_spool::{OpenReport, Record, Sequence, Spool, SpoolOptions, StoredRecord};
use tempfile::TempDir;

pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("spool.db")
    }

    pub fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.database(), suffix)
    }

    /// Number of rows of the queue's table, those of removed records included.
    pub fn rows_in_file(&self) -> u64 {
        let file = rusqlite::Connection::open(self.database()).unwrap();
        let rows: i64 = file
            .query_one("SELECT count(*) FROM queue", [], |row| row.get(0))
            .unwrap();
        rows.try_into().unwrap()
    }

    /// Options with which rows of removed records are deleted often.
    pub fn options(&self) -> SpoolOptions {
        SpoolOptions::new(self.database()).removed_bytes(2000)
    }

    pub fn open(&self) -> Spool {
        let (spool, report) = self.open_with_report();
        assert_eq!(report.recovery, None);
        spool
    }

    pub fn open_with_report(&self) -> (Spool, OpenReport) {
        Spool::open(self.options()).unwrap()
    }
}

pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates a record with its number as payload and one of five keys.
pub fn record(number: u64) -> Record {
    Record::new("orders", format!("payload {number}"))
        .with_key(format!("key-{}", number % 5))
        .with_header("event_id", number.to_string())
}

pub fn append(spool: &Spool, number: u64) -> Sequence {
    spool.append(record(number)).unwrap().wait().unwrap()
}

pub fn append_many(spool: &Spool, numbers: impl IntoIterator<Item = u64>) -> Vec<Sequence> {
    let pending: Vec<_> = numbers
        .into_iter()
        .map(|number| spool.append(record(number)).unwrap())
        .collect();
    pending.into_iter().map(|p| p.wait().unwrap()).collect()
}

/// Reads the whole queue in small batches.
pub fn read_all(spool: &Spool) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let mut after = Sequence::START;
    loop {
        let batch = spool.next_batch(7, 1024 * 1024, after).unwrap();
        let Some(last) = batch.last else { return all };
        after = last;
        all.extend(batch.records);
    }
}

pub fn payloads(spool: &Spool) -> Vec<String> {
    read_all(spool)
        .into_iter()
        .map(|stored| String::from_utf8(stored.record.payload).unwrap())
        .collect()
}

pub fn numbers(spool: &Spool) -> Vec<u64> {
    payloads(spool)
        .iter()
        .map(|payload| payload["payload ".len()..].parse().unwrap())
        .collect()
}

/// Copies database, WAL and commit counter as a power cut would leave them.
pub fn copy_files(from: &Path, to: &Path) {
    for suffix in ["", "-wal", ".commits"] {
        let source = beside(from, suffix);
        if source.exists() {
            std::fs::copy(source, beside(to, suffix)).unwrap();
        }
    }
}
