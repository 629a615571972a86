//! Files that were damaged, deleted, replaced, or made by another program.
//!
//! Invariant for every damage: nothing panics, records come out unchanged and in order, and each
//! row is read, or a dead letter with the reason `damaged`, or counted as lost.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use common::{Place, append, beside, copy_files, numbers};
use herald_spool::{
    Damage, DeadLetterRequest, Inspector, OpenReport, Pending, REASON_DAMAGED, Record, Sequence,
    Spool, SpoolError, SpoolOptions,
};
use proptest::prelude::*;
use proptest::sample::Index;

const ROWS: u64 = 200;

/// Bytes of a page of SQLite, and of the header of a page of rows.
const PAGE: usize = 8192;
const PAGE_HEADER: usize = 8;

/// Creates a record that is so large that the rows are on several pages.
fn record(number: u64) -> Record {
    common::record(number).with_header("padding", "x".repeat(300))
}

fn append_many(spool: &Spool, numbers: impl IntoIterator<Item = u64>) {
    let records = numbers.into_iter().map(record).collect();
    spool.append_all(records).unwrap().wait().unwrap();
}

/// Creates a closed spool of [`ROWS`] records: all are in the database.
fn closed(place: &Place) {
    let spool = place.open();
    append_many(&spool, 0..ROWS);
    spool.close().unwrap();
}

/// Number of removed records whose rows are still in the file.
const REMOVED: u64 = 90;

/// Creates a closed spool like [`closed`], and removes the first records.
fn closed_with_removed(place: &Place) {
    let (spool, _) = Spool::open(SpoolOptions::new(place.database())).unwrap();
    append_many(&spool, 0..ROWS);
    let first = (1..=REMOVED).map(Sequence::new);
    spool.acknowledge(first).unwrap().wait().unwrap();
    spool.close().unwrap();
    assert_eq!(place.rows_in_file(), ROWS, "none is deleted yet");
}

/// Creates the files of a spool of [`ROWS`] records as a killed process leaves them: most records
/// are in the WAL.
fn killed(place: &Place) {
    let running = Place::new();
    let spool = running.open();
    for number in 0..ROWS / 20 {
        append_many(&spool, number * 20..(number + 1) * 20);
    }
    copy_files(&running.database(), &place.database());
}

/// Opens the damaged files and checks the invariant.
fn open_and_account(place: &Place) -> Option<OpenReport> {
    let (spool, report) = match Spool::open(place.options()) {
        Ok(opened) => opened,
        Err(error) => {
            // A flipped bit can make a file of a version that is not known.
            assert!(matches!(error, SpoolError::NewerSchema { .. }), "{error:?}");
            return None;
        }
    };
    let read = common::read_all(&spool);
    for stored in &read {
        // The key tells which payload is expected.
        let number = stored.record.payload["payload ".len()..].to_vec();
        let number: u64 = String::from_utf8(number).unwrap().parse().unwrap();
        let mut expected = record(number);
        expected.created = stored.record.created;
        assert_eq!(stored.record, expected);
    }
    let numbers = numbers(&spool);
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let dead = spool.dead_letters(1000, u64::MAX, Sequence::START).unwrap();
    assert!(dead.iter().all(|letter| letter.reason == REASON_DAMAGED));
    let lost = report
        .recovery
        .as_ref()
        .map_or(0, |recovery| recovery.lost.unwrap());
    assert_eq!(
        numbers.len() as u64 + dead.len() as u64 + lost,
        ROWS,
        "{report:?}"
    );
    if let Some(recovery) = &report.recovery {
        let aside = recovery.set_aside.as_ref();
        assert!(aside.is_none_or(
            |aside| aside.join("spool.db").exists() || aside.join("spool.db-wal").exists()
        ));
    }
    // Above every sequence that was ever given out, and the spool operations on.
    assert!(append(&spool, 1_000_000).get() > ROWS);
    assert!(spool.verify().unwrap().is_sound());
    Some(report)
}

fn flip(path: &Path, place: Index, mask: u8) {
    let mut bytes = fs::read(path).unwrap();
    let place = place.index(bytes.len());
    bytes[place] ^= mask;
    fs::write(path, bytes).unwrap();
}

/// Overwrites a file in place, as under a running process.
fn overwrite(path: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

fn cut(path: &Path, place: Index) {
    let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(place.index(length) as u64).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn accounts_for_all_rows_after_a_flipped_byte_in_the_database(at: Index, mask in 1_u8..) {
        let place = Place::new();
        closed(&place);
        flip(&place.database(), at, mask);
        open_and_account(&place);
    }

    #[test]
    fn accounts_for_all_rows_that_are_not_removed(at: Index, mask in 1_u8..) {
        let place = Place::new();
        closed_with_removed(&place);
        flip(&place.database(), at, mask);
        let Ok((spool, report)) = Spool::open(place.options()) else {
            // A file of a version that is not known.
            return Ok(());
        };
        let numbers = numbers(&spool);
        prop_assert!(numbers.is_sorted_by(|a, b| a < b));
        let left = numbers.iter().filter(|number| **number >= REMOVED).count() as u64;
        let dead = spool.dead_letters(1000, u64::MAX, Sequence::START).unwrap().len() as u64;
        let lost = report.recovery.as_ref().map_or(0, |recovery| recovery.lost.unwrap());
        prop_assert!(left + dead + lost >= ROWS - REMOVED, "{report:?}");
        let some_are_back = left < numbers.len() as u64;
        prop_assert!(
            !some_are_back || report.recovery.is_some(),
            "removed records are there again"
        );
        prop_assert!(append(&spool, 1_000_000).get() > ROWS);
        prop_assert!(spool.verify().unwrap().is_sound());
    }

    // A byte of these has more effects than one of a row.
    #[test]
    fn accounts_for_all_rows_after_a_flipped_byte_in_the_header_of_a_page(
        page: Index,
        at: Index,
        mask in 1_u8..,
    ) {
        let place = Place::new();
        closed(&place);
        let mut bytes = fs::read(place.database()).unwrap();
        let page = page.index(bytes.len() / PAGE);
        // The first page has the header of the file in front of its own.
        let header = if page == 0 { 100 + PAGE_HEADER } else { PAGE_HEADER };
        bytes[page * PAGE + at.index(header)] ^= mask;
        fs::write(place.database(), bytes).unwrap();
        open_and_account(&place);
    }

    #[test]
    fn accounts_for_all_rows_after_a_flipped_byte_in_the_wal(at: Index, mask in 1_u8..) {
        let place = Place::new();
        killed(&place);
        flip(&place.beside("-wal"), at, mask);
        open_and_account(&place);
    }

    #[test]
    fn accounts_for_all_rows_of_a_truncated_database(at: Index) {
        let place = Place::new();
        closed(&place);
        cut(&place.database(), at);
        open_and_account(&place);
    }

    #[test]
    fn accounts_for_all_rows_of_a_truncated_wal(at: Index) {
        let place = Place::new();
        killed(&place);
        cut(&place.beside("-wal"), at);
        open_and_account(&place);
    }
}

#[test]
fn salvage_brings_no_removed_record_back() {
    let place = Place::new();
    closed_with_removed(&place);
    let (spool, report) = Spool::open(place.options().salvage(true)).unwrap();
    let recovery = report.recovery.unwrap();
    assert_eq!(
        (recovery.salvaged, recovery.damaged, recovery.lost),
        (ROWS - REMOVED, 0, Some(0))
    );
    assert!(numbers(&spool).into_iter().eq(REMOVED..ROWS));
}

#[test]
fn missing_rows_of_removed_records_are_found_by_verification_and_opening() {
    let place = Place::new();
    closed_with_removed(&place);
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("DELETE FROM queue WHERE sequence = 5", [])
        .unwrap();
    drop(file);
    let found = Inspector::open(place.database()).unwrap().verify().unwrap();
    assert!(
        found.problems[0].contains("90 rows of removed records"),
        "{found:?}"
    );
    let (spool, report) = place.open_with_report();
    let damage = report.recovery.unwrap().damage;
    assert!(matches!(damage, Damage::RowsMissing { .. }));
    assert!(numbers(&spool).into_iter().eq(REMOVED..ROWS));
}

#[test]
fn a_damaged_state_hides_no_row() {
    let damages = ["removed_to = 150", "removed_to = 0", "removed_to = 1 << 60"];
    for (damage, has_counter) in damages.iter().flat_map(|it| [(it, true), (it, false)]) {
        let place = Place::new();
        closed_with_removed(&place);
        if !has_counter {
            fs::remove_file(place.beside(".commits")).unwrap();
        }
        let file = rusqlite::Connection::open(place.database()).unwrap();
        file.execute(&format!("UPDATE state SET {damage}"), [])
            .unwrap();
        drop(file);
        let (spool, report) = place.open_with_report();
        let Damage::Malformed { detail } = report.recovery.unwrap().damage else {
            panic!("another damage")
        };
        assert_eq!(
            detail,
            "the totals of the spool do not match their checksum"
        );
        // The counter has the number too. Without it, the rows are delivered again.
        let first = if has_counter { REMOVED } else { 0 };
        assert!(numbers(&spool).into_iter().eq(first..ROWS));
    }
}

#[test]
fn a_state_damaged_under_a_running_reader_hides_no_row() {
    let place = Place::new();
    closed_with_removed(&place);
    let inspector = Inspector::open(place.database()).unwrap();
    let read = |inspector: &Inspector| {
        let batch = inspector.batch(1000, u64::MAX, Sequence::START).unwrap();
        batch.records.len() as u64
    };
    assert_eq!(read(&inspector), ROWS - REMOVED);
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.execute("UPDATE state SET checksum = 1", []).unwrap();
    drop(file);
    assert_eq!(read(&inspector), ROWS - REMOVED);
    let late = Inspector::open(place.database()).unwrap();
    assert_eq!(
        read(&late),
        ROWS - REMOVED,
        "the counter has the number too"
    );
    fs::remove_file(place.beside(".commits")).unwrap();
    let late = Inspector::open(place.database()).unwrap();
    assert_eq!(read(&late), ROWS, "again rather than not at all");
}

#[test]
fn salvages_most_of_a_database_truncated_in_the_middle() {
    let place = Place::new();
    closed(&place);
    let length = place.database().metadata().unwrap().len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(place.database())
        .unwrap();
    file.set_len(length - PAGE as u64).unwrap();
    let report = open_and_account(&place).unwrap();
    let recovery = report.recovery.unwrap();
    assert!(recovery.salvaged > ROWS / 2, "{recovery:?}");
    let aside = recovery.set_aside.unwrap().join("spool.db");
    assert_eq!(aside.metadata().unwrap().len(), length - PAGE as u64);
}

#[test]
fn counts_no_rows_behind_the_last_of_a_page() {
    let place = Place::new();
    closed(&place);
    let mut bytes = fs::read(place.database()).unwrap();
    // A page of a table begins with 13; the number of its rows ends at the fifth byte.
    let mut pages = bytes.chunks_mut(PAGE).skip(1);
    let page = pages.find(|page| page[0] == 13 && page[4] > 5).unwrap();
    page[4] += 16;
    fs::write(place.database(), bytes).unwrap();
    let recovery = open_and_account(&place).unwrap().recovery.unwrap();
    assert_eq!((recovery.salvaged, recovery.damaged), (ROWS, 0));
}

#[test]
fn salvages_a_database_of_an_unknown_write_version() {
    let place = Place::new();
    closed(&place);
    let mut bytes = fs::read(place.database()).unwrap();
    bytes[18] ^= 16;
    fs::write(place.database(), bytes).unwrap();
    let recovery = open_and_account(&place).unwrap().recovery.unwrap();
    assert_eq!(recovery.salvaged, ROWS);
}

#[test]
fn moves_a_row_with_a_flipped_bit_to_the_dead_letters() {
    let place = Place::new();
    closed(&place);
    let mut bytes = fs::read(place.database()).unwrap();
    let payload = b"payload 77";
    let at = bytes
        .windows(payload.len())
        .position(|window| window == payload)
        .unwrap();
    bytes[at] ^= 1;
    fs::write(place.database(), bytes).unwrap();

    let (spool, report) = place.open_with_report();
    assert_eq!(report.recovery, None, "SQLite sees nothing wrong");
    let inspector = Inspector::open(place.database()).unwrap();
    let damaged = inspector.verify().unwrap().damaged;
    assert_eq!(damaged.len(), 1);
    let batch = spool.next_batch(1000, u64::MAX, Sequence::START).unwrap();
    assert_eq!(batch.damaged, damaged);
    assert_eq!(batch.records.len() as u64, ROWS - 1);
    let [letter] = spool
        .dead_letters(9, u64::MAX, Sequence::START)
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(
        (letter.reason.as_str(), letter.stored),
        (REASON_DAMAGED, None)
    );
    assert_eq!(
        spool.retry_dead(damaged.clone()).unwrap().wait().unwrap(),
        0
    );
    assert!(spool.verify().unwrap().is_sound(), "known by now");
    assert_eq!(spool.drop_dead(damaged).unwrap().wait().unwrap(), 1);
    assert_eq!(numbers(&spool).len() as u64, ROWS - 1);
}

/// Offset of the sequence in the row with this number of [`closed`]: before the length of its
/// header and the zero for the sequence's column.
fn place_of_number(file: &[u8], number: u8) -> usize {
    let places = file.windows(3).zip(0..);
    let mut places = places
        .filter(|(bytes, _)| bytes[0] == number && (10..20).contains(&bytes[1]) && bytes[2] == 0);
    places.next().unwrap().1
}

#[test]
fn reports_corruption_if_a_damaged_row_cannot_be_moved() {
    let place = Place::new();
    closed(&place);
    let at = place_of_number(&fs::read(place.database()).unwrap(), 78);
    // The opening has the sound page in memory, and the reader finds another one.
    let spool = place.open();
    let file = fs::OpenOptions::new().write(true).open(place.database());
    let file = file.unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(&[2], at as u64).unwrap();
    // A disk that decays does not tell the time.
    file.set_modified(modified).unwrap();
    let batch = spool.next_batch(1000, u64::MAX, Sequence::START);
    assert_eq!(batch.err().unwrap().code(), "spool_corrupt");
    drop(spool);
    let (spool, report) = Spool::open(place.options().salvage(true)).unwrap();
    let recovery = report.recovery.unwrap();
    assert_eq!(
        (recovery.salvaged, recovery.damaged, recovery.lost),
        (ROWS - 1, 1, Some(0))
    );
    let letters = spool.dead_letters(9, u64::MAX, Sequence::START).unwrap();
    assert_eq!(letters.len(), 1);
    assert_ne!(letters[0].sequence.get(), 2, "the number of another row");
    let expected: Vec<u64> = (0..ROWS).filter(|number| *number != 77).collect();
    assert_eq!(numbers(&spool), expected);
}

#[test]
fn keeps_a_damaged_row_with_the_sequence_of_a_dead_letter() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..ROWS);
    let request = DeadLetterRequest {
        sequence: Sequence::new(5),
        reason: "too_large".to_owned(),
        error: String::new(),
    };
    spool.dead_letter(vec![request]).unwrap().wait().unwrap();
    spool.close().unwrap();
    let other = rusqlite::Connection::open(place.database()).unwrap();
    other
        .execute("UPDATE queue SET sequence = 5 WHERE sequence = 1", [])
        .unwrap();
    drop(other);
    let (spool, report) = place.open_with_report();
    assert_eq!(report.recovery, None, "SQLite sees nothing wrong");
    let batch = spool.next_batch(1000, u64::MAX, Sequence::START);
    assert_eq!(batch.err().unwrap().code(), "spool_corrupt");
    drop(spool);
    let (spool, report) = Spool::open(place.options().salvage(true)).unwrap();
    let recovery = report.recovery.unwrap();
    assert_eq!(
        (recovery.damage, recovery.lost),
        (Damage::Unreadable, Some(0))
    );
    let letters = spool.dead_letters(9, u64::MAX, Sequence::START).unwrap();
    let reasons: Vec<&str> = letters.iter().map(|l| l.reason.as_str()).collect();
    assert_eq!(reasons, ["too_large", REASON_DAMAGED]);
    assert_eq!(numbers(&spool).len() as u64, ROWS - 2);
}

#[test]
fn rewrites_a_row_damaged_under_a_running_spool() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..ROWS);
    let mut log = fs::read(place.beside("-wal")).unwrap();
    let payload = b"payload 77";
    for at in 0..log.len() - payload.len() {
        if log[at..].starts_with(payload) {
            log[at] ^= 1;
        }
    }
    overwrite(&place.beside("-wal"), &log);
    let batch = spool.next_batch(1000, u64::MAX, Sequence::START).unwrap();
    assert_eq!((batch.records.len() as u64, batch.damaged.len()), (ROWS, 0));
}

/// Without maintenance, SQLite's next opening would end the WAL at its first damaged frame.
#[test]
fn loses_nothing_after_a_detected_damage_of_the_wal() {
    let place = Place::new();
    let running = Place::new();
    let spool = running.open();
    for number in 0..ROWS / 20 {
        append_many(&spool, number * 20..(number + 1) * 20);
    }
    let mut log = fs::read(running.beside("-wal")).unwrap();
    let checksum_of_the_first_frame = 32 + 16;
    log[checksum_of_the_first_frame] ^= 1;
    let row = log.windows(10).rposition(|bytes| bytes == b"payload 77");
    log[row.unwrap()] ^= 1;
    overwrite(&running.beside("-wal"), &log);
    spool.next_batch(1000, u64::MAX, Sequence::START).unwrap();
    // The writer checks the files after the commit that it makes for the damaged row.
    append(&spool, ROWS);
    append(&spool, ROWS + 1);
    copy_files(&running.database(), &place.database());
    let (copy, report) = place.open_with_report();
    assert_eq!(report.recovery, None);
    assert_eq!(numbers(&copy).len() as u64, ROWS + 2);
}

#[test]
fn shows_a_dead_letter_with_a_damaged_reason() {
    let place = Place::new();
    let spool = place.open();
    spool
        .append_dead(record(1), "too_large", "")
        .unwrap()
        .wait()
        .unwrap();
    spool.close().unwrap();
    let other = rusqlite::Connection::open(place.database()).unwrap();
    let broken = "UPDATE dead_letter SET reason = CAST(x'FF6172' AS TEXT)";
    other.execute(broken, []).unwrap();
    drop(other);
    let inspector = Inspector::open(place.database()).unwrap();
    let letters = inspector
        .dead_letters(9, u64::MAX, Sequence::START)
        .unwrap();
    assert_eq!(letters[0].reason, "\u{FFFD}ar");
    assert!(letters[0].stored.is_some());
}

#[test]
fn loses_nothing_after_a_flipped_letter_in_the_schema() {
    let place = Place::new();
    closed(&place);
    let mut bytes = fs::read(place.database()).unwrap();
    let name = b"created INTEGER NOT NULL";
    let at = bytes
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    bytes[at] = b'k';
    fs::write(place.database(), bytes).unwrap();
    let recovery = open_and_account(&place).unwrap().recovery.unwrap();
    assert_eq!((recovery.salvaged, recovery.lost), (ROWS, Some(0)));
}

#[test]
fn reports_a_deleted_wal_and_the_possible_loss() {
    let place = Place::new();
    killed(&place);
    fs::remove_file(place.beside("-wal")).unwrap();
    let verification = Inspector::open(place.database()).unwrap().verify().unwrap();
    assert!(
        verification.problems[0].contains("commits are missing"),
        "{verification:?}"
    );
    let report = open_and_account(&place).unwrap();
    let recovery = report.recovery.unwrap();
    assert!(
        matches!(recovery.damage, Damage::CommitsMissing { .. }),
        "{recovery:?}"
    );
    assert_eq!(recovery.lost, Some(ROWS));
}

#[test]
fn reports_a_deleted_database_and_keeps_its_wal() {
    let place = Place::new();
    killed(&place);
    let log = fs::read(place.beside("-wal")).unwrap();
    fs::remove_file(place.database()).unwrap();
    let error = Inspector::open(place.database()).err().unwrap();
    assert_eq!(error.code(), "spool_corrupt", "{error}");
    let report = open_and_account(&place).unwrap();
    let recovery = report.recovery.unwrap();
    assert_eq!(
        (recovery.damage, recovery.lost),
        (Damage::DatabaseMissing, Some(ROWS))
    );
    let kept = recovery.set_aside.unwrap().join("spool.db-wal");
    assert_eq!(fs::read(kept).unwrap(), log);
}

#[test]
fn sets_files_aside_as_they_were_found() {
    let place = Place::new();
    killed(&place);
    let database = fs::read(place.database()).unwrap();
    let mut log = fs::read(place.beside("-wal")).unwrap();
    // Without the last commits.
    log.truncate(32 * PAGE);
    fs::write(place.beside("-wal"), &log).unwrap();
    let recovery = open_and_account(&place).unwrap().recovery.unwrap();
    let aside = recovery.set_aside.unwrap();
    assert_eq!(fs::read(aside.join("spool.db-wal")).unwrap(), log);
    assert_eq!(fs::read(aside.join("spool.db")).unwrap(), database);
}

#[test]
fn detects_an_older_copy_of_the_file() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..ROWS / 2);
    spool.close().unwrap();
    let older = fs::read(place.database()).unwrap();
    let spool = place.open();
    append_many(&spool, ROWS / 2..ROWS);
    spool.close().unwrap();
    fs::write(place.database(), older).unwrap();
    let recovery = open_and_account(&place).unwrap().recovery.unwrap();
    assert_eq!(
        (recovery.salvaged, recovery.lost),
        (ROWS / 2, Some(ROWS / 2))
    );
}

/// Changes the files of a running spool, and returns the error of the next append.
fn under_a_running_spool(place: &Place, harm: impl FnOnce()) -> SpoolError {
    let spool = place.open();
    append_many(&spool, 0..ROWS);
    harm();
    // At once, where the writer has noticed by itself.
    let refused = spool.append(record(ROWS)).and_then(Pending::wait);
    let error = refused.unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.is_retriable()),
        ("spool_file_changed", false),
        "{error}"
    );
    assert_eq!(
        spool.append(record(ROWS)).unwrap_err(),
        error,
        "and so for all that follow"
    );
    assert_eq!(spool.close().unwrap_err(), error);
    error
}

#[test]
fn gives_no_receipt_after_files_were_deleted() {
    for suffix in ["", "-wal", ".lock"] {
        let place = Place::new();
        let error = under_a_running_spool(&place, || {
            fs::remove_file(place.beside(suffix)).unwrap();
        });
        assert!(error.to_string().contains("was deleted"), "{error}");
        open_and_account(&place).unwrap();
    }
}

#[test]
fn gives_no_receipt_after_files_were_replaced() {
    for suffix in ["", "-wal"] {
        let place = Place::new();
        let error = under_a_running_spool(&place, || {
            let path = place.beside(suffix);
            fs::copy(&path, place.beside("-new")).unwrap();
            fs::rename(place.beside("-new"), path).unwrap();
        });
        assert!(error.to_string().contains("was replaced"), "{error}");
        open_and_account(&place).unwrap();
    }
}

#[test]
fn gives_no_receipt_after_files_were_truncated() {
    for suffix in ["", "-wal"] {
        let place = Place::new();
        let error = under_a_running_spool(&place, || {
            let file = fs::OpenOptions::new()
                .write(true)
                .open(place.beside(suffix))
                .unwrap();
            file.set_len(0).unwrap();
        });
        assert!(error.to_string().contains("was truncated"), "{error}");
        let recovery = open_and_account(&place).unwrap().recovery.unwrap();
        assert_eq!(recovery.lost, Some(ROWS));
    }
}

#[test]
fn gives_no_receipt_after_a_write_by_another_program() {
    let place = Place::new();
    let error = under_a_running_spool(&place, || {
        let other = rusqlite::Connection::open(place.database()).unwrap();
        other
            .execute("UPDATE state SET commits = commits + 1", [])
            .unwrap();
    });
    assert!(error.to_string().contains("was written to"), "{error}");
    open_and_account(&place).unwrap();
}

#[test]
fn orphaned_reader_reads_deleted_files() {
    let place = Place::new();
    let spool = place.open();
    append_many(&spool, 0..ROWS);
    fs::remove_file(place.database()).unwrap();
    spool.append(record(ROWS)).unwrap().wait().unwrap_err();
    let batch = spool.next_batch(1000, u64::MAX, Sequence::START).unwrap();
    assert!(batch.records.len() as u64 >= ROWS);
}

#[test]
fn orphaned_reader_knows_the_keys_of_rows_that_were_not_counted() {
    let place = Place::new();
    let spool = place.open();
    let records = (0..12_000).map(|number| record(number % 3)).collect();
    spool.append_all(records).unwrap().wait().unwrap();
    spool.close().unwrap();
    let spool = place.open();
    fs::remove_file(place.database()).unwrap();
    let reader = spool.into_orphaned_reader().unwrap();
    for number in 0..5 {
        let key = format!("key-{number}");
        assert_eq!(reader.holds_key("orders", Some(key.as_bytes())), number < 3);
    }
}

#[test]
fn rejects_a_newer_schema_and_a_foreign_database() {
    let place = Place::new();
    closed(&place);
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let before = fs::read(place.database()).unwrap();
    let error = Spool::open(place.options()).err().unwrap();
    assert_eq!(
        error,
        SpoolError::NewerSchema {
            found: 99,
            known: 3
        }
    );
    assert_eq!(Inspector::open(place.database()).err().unwrap(), error);
    assert_eq!(fs::read(place.database()).unwrap(), before);

    let other = place.folder.path().join("other.db");
    let file = rusqlite::Connection::open(&other).unwrap();
    file.execute_batch("CREATE TABLE users (name)").unwrap();
    drop(file);
    let before = fs::read(&other).unwrap();
    let error = Spool::open(SpoolOptions::new(&other)).err().unwrap();
    assert_eq!(error.code(), "spool_not_a_spool");
    assert_eq!(fs::read(&other).unwrap(), before);
}

#[test]
fn sets_a_file_aside_that_is_not_a_database() {
    let place = Place::new();
    fs::write(
        place.database(),
        "not a database, but long enough to be looked at",
    )
    .unwrap();
    let (spool, report) = place.open_with_report();
    let recovery = report.recovery.unwrap();
    assert!(matches!(recovery.damage, Damage::Malformed { .. }));
    assert_eq!(recovery.lost, None, "nothing is left that could tell");
    assert!(recovery.set_aside.unwrap().join("spool.db").exists());
    append(&spool, 1);
}

#[test]
fn completes_an_interrupted_recovery() {
    for database_moved in [false, true] {
        let place = Place::new();
        closed(&place);
        // As a crash leaves it: the salvaged file complete, the damaged ones not moved yet.
        let recovered = place.beside(".recovered-20260102T030405Z");
        fs::rename(place.database(), &recovered).unwrap();
        let aside = place.beside(".damaged-20260102T030405Z");
        if database_moved {
            fs::create_dir(&aside).unwrap();
            fs::write(aside.join("spool.db"), "damaged").unwrap();
        } else {
            fs::write(place.database(), "damaged").unwrap();
        }
        fs::write(place.beside("-wal"), "the damaged log").unwrap();
        fs::write(place.beside(".recovering"), "an earlier try").unwrap();

        let (spool, report) = place.open_with_report();
        let recovery = report.recovery.unwrap();
        assert_eq!(recovery.damage, Damage::RecoveryInterrupted);
        assert_eq!(recovery.set_aside.as_deref(), Some(aside.as_path()));
        assert_eq!(fs::read(aside.join("spool.db")).unwrap(), b"damaged");
        assert_eq!(
            fs::read(aside.join("spool.db-wal")).unwrap(),
            b"the damaged log"
        );
        assert_eq!(numbers(&spool).len() as u64, ROWS);
        assert!(!recovered.exists() && !place.beside(".recovering").exists());
        drop(spool);
        assert_eq!(place.open_with_report().1.recovery, None);
    }
}

#[test]
fn keeps_the_damaged_files_of_two_recoveries() {
    let place = Place::new();
    for _ in 0..2 {
        closed(&place);
        let file = fs::OpenOptions::new()
            .write(true)
            .open(place.database())
            .unwrap();
        file.write_all_at(&[0; 16], 0).unwrap();
        let (spool, report) = place.open_with_report();
        assert_eq!(report.recovery.unwrap().lost, Some(ROWS));
        drop(spool);
    }
    let asides = fs::read_dir(place.folder.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("spool.db.damaged-")
    });
    assert_eq!(asides.count(), 2);
    assert!(beside(&place.database(), "").exists());
}
