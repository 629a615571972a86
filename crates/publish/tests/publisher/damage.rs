//! Rows of the spool that can be neither read nor moved, while the publisher runs.

use std::fs;
use std::path::{Path, PathBuf};

use herald_publish::{Publisher, Receipt};
use rusqlite::Connection;

use crate::support::{Fixture, eventually, eventually_drained, publish};

const ROWS: u32 = 200;

/// A publisher whose spool holds [`ROWS`] events of one key, all of them in the log.
fn in_an_outage(fixture: &Fixture) -> Publisher {
    fixture.cluster.stop();
    let publisher = fixture.open();
    for number in 0..ROWS {
        let receipt = publish(&publisher, "k", &payload(number)).unwrap();
        assert!(matches!(receipt, Receipt::Spooled { .. }));
    }
    publisher
}

/// Long enough that some of them fill a page.
fn payload(number: u32) -> String {
    format!("{number:0>150}")
}

/// Ends the outage and gives what arrived, copies beyond the first left out.
fn arrived(fixture: &Fixture, publisher: &Publisher) -> Vec<String> {
    fixture.cluster.start();
    eventually_drained(publisher);
    let mut seen = std::collections::HashSet::new();
    let mut arrived = fixture.payloads("t");
    arrived.retain(|payload| seen.insert(payload.clone()));
    arrived
}

fn all_but(missing: Option<u32>) -> Vec<String> {
    let numbers = (0..ROWS).filter(|number| Some(*number) != missing);
    numbers.map(payload).collect()
}

fn folders_set_aside(fixture: &Fixture) -> usize {
    let path = fixture.spool_path();
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let names = files.map(|file| file.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().contains(".damaged-"))
        .count()
}

fn log(fixture: &Fixture) -> PathBuf {
    let mut path = fixture.spool_path().into_os_string();
    path.push("-wal");
    path.into()
}

/// In place: the file of another name would be noticed at once.
fn overwrite(file: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
}

/// An inner page of the tree leads past rows, without an error.
#[test]
fn finds_rows_hidden_by_a_damaged_page() {
    let fixture = Fixture::new();
    let publisher = in_an_outage(&fixture);
    let reader = Connection::open(fixture.spool_path()).unwrap();
    let number = |sql| {
        reader
            .query_one(sql, [], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    let root = number("SELECT rootpage FROM sqlite_schema WHERE name = 'queue'");
    let page = number("PRAGMA page_size") as usize;
    drop(reader);
    let mut bytes = fs::read(log(&fixture)).unwrap();
    let (header, frame) = (32, 24 + page);
    let frames = (header..bytes.len() + 1 - frame).step_by(frame);
    let mut root_frames = frames.filter(|at| bytes[*at..*at + 4] == root.to_be_bytes());
    let inside = root_frames.next_back().unwrap() + 24;
    assert_eq!(bytes[inside], 5, "a page with children");
    let cells = usize::from(u16::from_be_bytes([bytes[inside + 3], bytes[inside + 4]]));
    let cell = |number: usize| {
        let at = inside + 12 + 2 * number;
        inside + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
    };
    // All keys but the last become 1: a search for a row ends in the last pages.
    let keys: Vec<usize> = (0..cells - 1).map(|number| cell(number) + 4).collect();
    for key in keys {
        if bytes[key] < 128 {
            bytes[key] = 1;
        }
    }
    overwrite(&log(&fixture), &bytes);
    let mut arrived = arrived(&fixture, &publisher);
    arrived.sort();
    assert_eq!(arrived, all_but(None));
    // None where the writer wrote the sound page again, which it had in memory.
    assert!(folders_set_aside(&fixture) <= 1);
}

/// The database is deleted, and nothing can be opened in its place.
fn delete_and_obstruct(fixture: &Fixture) {
    fs::remove_file(fixture.spool_path()).unwrap();
    fs::create_dir(fixture.spool_path()).unwrap();
}

#[test]
fn delivers_rows_of_a_deleted_spool_while_no_new_one_can_be_opened() {
    let fixture = Fixture::new();
    let publisher = in_an_outage(&fixture);
    delete_and_obstruct(&fixture);
    let more = |payload: &str| publish(&publisher, "k", payload);
    let noticed = more("notices").unwrap_err();
    assert_eq!(noticed.code(), "spool_file_changed");
    eventually("the spool is given up", || {
        publisher.stats().spool.is_none()
    });
    assert_eq!(publisher.stats().orphaned, u64::from(ROWS));
    // It would pass the rows of its key.
    let refused = more("passes").unwrap_err();
    assert_eq!(refused.code(), "spool_file_changed");
    fixture.cluster.start();
    eventually("all are delivered", || publisher.stats().orphaned == 0);
    let mut seen = std::collections::HashSet::new();
    let mut arrived = fixture.payloads("t");
    arrived.retain(|payload| payload.len() == 150 && seen.insert(payload.clone()));
    assert_eq!(arrived, all_but(None));
    // The cluster alone is enough.
    eventually("events are delivered", || {
        more("after").is_ok_and(|receipt| receipt.is_delivered())
    });
    fs::remove_dir(fixture.spool_path()).unwrap();
    eventually("the spool is opened again", || {
        publisher.stats().spool.is_some()
    });
    assert_eq!(publisher.stats().orphaned, 0);
}

#[test]
fn copies_rows_of_a_deleted_spool_to_a_new_one() {
    let fixture = Fixture::new();
    let publisher = in_an_outage(&fixture);
    delete_and_obstruct(&fixture);
    publish(&publisher, "k", "notices").unwrap_err();
    eventually("the spool is given up", || {
        publisher.stats().spool.is_none()
    });
    fs::remove_dir(fixture.spool_path()).unwrap();
    eventually("the spool is opened again", || {
        publisher.stats().spool.is_some()
    });
    let stats = publisher.stats();
    let copied = stats.spool.unwrap().records;
    assert_eq!((stats.orphaned, copied), (0, u64::from(ROWS)));
    publish(&publisher, "k", "after").unwrap();
    let mut all = all_but(None);
    all.push("after".to_owned());
    assert_eq!(arrived(&fixture, &publisher), all);
}

#[test]
fn counts_a_missing_row_as_lost_and_drains_the_spool() {
    let fixture = Fixture::new();
    let publisher = in_an_outage(&fixture);
    let other = Connection::open(fixture.spool_path()).unwrap();
    other
        .execute("DELETE FROM queue WHERE sequence = 100", [])
        .unwrap();
    drop(other);
    assert_eq!(arrived(&fixture, &publisher), all_but(Some(99)));
    assert_eq!(folders_set_aside(&fixture), 1, "once, and then no more");
    // The spool works on.
    fixture.cluster.stop();
    publish(&publisher, "k", "more").unwrap();
    fixture.cluster.start();
    eventually("it arrives", || {
        fixture.payloads("t").contains(&"more".to_owned())
    });
}
