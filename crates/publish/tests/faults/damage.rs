//! The spool is damaged or deleted under the running process.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::spool::{Inspector, Spool, SpoolOptions};
use herald_publish::{Mode, Publisher};

use crate::fixture::{Fixture, close_within, eventually_drained, finish, in_memory};
use crate::load::{Load, eventually};
use crate::random::Random;
use crate::recovery;

/// An outage, so that the spool holds what Kafka does not have; damage in the middle of it, with
/// events before and after; the end of the outage.
fn through(case: &str, mode: Mode, checkpoint_bytes: u64, damage: impl FnOnce(&Path)) {
    let log = recovery::capture_log();
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    let fixture = Fixture::new();
    let spool = SpoolOptions::new(fixture.spool()).checkpoint_bytes(checkpoint_bytes);
    let options = fixture.options(cluster.clone()).spool(spool).mode(mode);
    let publisher = Publisher::open(options).unwrap();
    let ledger = Load::gentle("t").during(&publisher, |progress| {
        progress.wait_for_usual(mode, 200);
        cluster.stop();
        progress.wait_for_spooled(1500);
        damage(&fixture.spool());
        progress.wait_for_spooled(500);
        cluster.start();
        progress.wait_for_receipts(200);
    });
    // Nothing stays in the queue: not what can't be read either.
    eventually_drained(&publisher);
    close_within(publisher, Duration::from_secs(10));
    // The next opening looks at all of it.
    let (_, report) = Spool::open(SpoolOptions::new(fixture.spool())).unwrap();
    let mut found = fixture.found();
    let lost = report.recovery.and_then(|recovery| recovery.lost);
    found.declared_lost += lost.unwrap_or_default();
    found.on_topic = in_memory(&cluster, "t");
    found.declared_lost += log.lost();
    let account = ledger.settle(&found);
    account.show(case);
    account.assert_kept();
}

/// Numbers of rows that the publisher still knows must not name rows of the new file.
#[test]
fn folder_deleted_while_rows_are_in_flight() {
    let _turn = recovery::capture_log();
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    let fixture = Fixture::new();
    let options = fixture.options(cluster.clone()).mode(Mode::WriteAhead);
    let publisher = Publisher::open(options).unwrap();
    let mut ledger = Load::burst("t", 100).run(&publisher);
    eventually_drained(&publisher);
    cluster.pause();
    ledger.append(Load::burst("t", 50).starting_at(1_000).run(&publisher));
    eventually("rows are with Kafka", || {
        publisher.stats().queued_in_transport > 0
    });
    fs::remove_dir_all(fixture.spool().parent().unwrap()).unwrap();
    // The first one notices.
    ledger.append(Load::burst("t", 2).starting_at(2_000).run(&publisher));
    eventually("the spool is open again", || fixture.spool().exists());
    ledger.append(Load::burst("t", 300).starting_at(3_000).run(&publisher));
    cluster.resume();
    finish(publisher);
    let account = fixture.account_in_memory(&ledger, &cluster, "t");
    account.show("spool's folder deleted while rows are with Kafka");
    account.assert_kept();
}

#[test]
fn close_returns_after_the_spool_is_lost() {
    let _turn = recovery::capture_log();
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    let fixture = Fixture::new();
    let options = fixture.options(cluster.clone()).mode(Mode::WriteAhead);
    let publisher = Publisher::open(options).unwrap();
    // The relay knows the cluster.
    Load::burst("t", 2).run(&publisher);
    eventually_drained(&publisher);
    cluster.pause();
    Load::burst("t", 50).starting_at(500).run(&publisher);
    eventually("rows are with Kafka", || {
        publisher.stats().queued_in_transport > 0
    });
    fs::remove_file(fixture.spool()).unwrap();
    fs::create_dir(fixture.spool()).unwrap();
    Load::burst("t", 2).starting_at(1_000).run(&publisher);
    eventually("the spool is lost", || publisher.stats().spool.is_none());
    cluster.resume();
    eventually("all has arrived", || {
        publisher.stats().queued_in_transport == 0
    });
    close_within(publisher, Duration::from_secs(1));
}

fn beside(spool: &Path, suffix: &str) -> PathBuf {
    let mut name = spool.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

const FEW: u64 = 16 * 1024;
const MANY: u64 = 64 * 1024 * 1024;

#[test]
fn database_deleted() {
    for mode in [Mode::Direct, Mode::WriteAhead] {
        let case = format!("spool's database deleted, {mode:?}");
        through(&case, mode, FEW, |spool| fs::remove_file(spool).unwrap());
    }
}

#[test]
fn wal_deleted() {
    through("spool's log deleted", Mode::Direct, MANY, |spool| {
        fs::remove_file(beside(spool, "-wal")).unwrap();
    });
}

#[test]
fn folder_deleted() {
    for mode in [Mode::Direct, Mode::WriteAhead] {
        let case = format!("spool's folder deleted, {mode:?}");
        through(&case, mode, FEW, |spool| {
            fs::remove_dir_all(spool.parent().unwrap()).unwrap();
        });
    }
}

#[test]
fn database_truncated() {
    through(
        "spool's database cut to a half",
        Mode::Direct,
        FEW,
        |spool| {
            let database = OpenOptions::new().write(true).open(spool).unwrap();
            let bytes = database.metadata().unwrap().len();
            database.set_len(bytes / 2).unwrap();
        },
    );
}

#[test]
fn wal_truncated() {
    through("spool's log cut to a half", Mode::Direct, MANY, |spool| {
        let log = OpenOptions::new()
            .write(true)
            .open(beside(spool, "-wal"))
            .unwrap();
        let bytes = log.metadata().unwrap().len();
        log.set_len(bytes / 2).unwrap();
    });
}

fn flip(random: &mut Random, file: &Path, bits: usize) {
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open(file)
        .unwrap();
    let metadata = file.metadata().unwrap();
    let bytes = metadata.len();
    for _ in 0..bits {
        let place = random.below(bytes) - 1;
        let mut byte = [0];
        // SQLite may have shortened the file meanwhile.
        if file.read_at(&mut byte, place).unwrap() == 0 {
            continue;
        }
        byte[0] ^= 1 << (random.below(8) - 1);
        file.write_all_at(&byte, place).unwrap();
    }
    // A disk that decays does not tell the time.
    file.set_modified(metadata.modified().unwrap()).unwrap();
}

#[test]
fn database_bits_flipped() {
    let mut random = Random::new();
    for round in 0..5 {
        let case = format!("20 flipped bits in the database, round {round}");
        through(&case, Mode::Direct, FEW, |spool| {
            flip(&mut random, spool, 20);
        });
    }
}

#[test]
fn wal_bits_flipped() {
    let mut random = Random::new();
    // Most of the log is older copies of pages; of many flipped bits, some hit what is in use.
    for bits in [20, 20, 200, 200, 2_000] {
        let case = format!("{bits} flipped bits in the log");
        through(&case, Mode::Direct, MANY, |spool| {
            flip(&mut random, &beside(spool, "-wal"), bits);
        });
    }
}

/// Copy of the spool, made while it is in use.
fn export(spool: &Path) -> PathBuf {
    let file = beside(spool, ".export");
    Inspector::open(spool).unwrap().export(&file).unwrap();
    file
}

#[test]
fn a_backup_takes_the_place_of_the_database() {
    for checkpoint_bytes in [FEW, MANY] {
        let mode = Mode::Direct;
        let case = format!("a backup renamed over the database, {checkpoint_bytes}");
        through(&case, mode, checkpoint_bytes, |spool| {
            let backup = export(spool);
            std::thread::sleep(Duration::from_millis(300));
            fs::rename(backup, spool).unwrap();
        });
    }
}

#[test]
fn a_backup_is_copied_over_the_database() {
    for checkpoint_bytes in [FEW, MANY] {
        let mode = Mode::Direct;
        let case = format!("a backup copied over the database, {checkpoint_bytes}");
        through(&case, mode, checkpoint_bytes, |spool| {
            let backup = export(spool);
            std::thread::sleep(Duration::from_millis(300));
            fs::copy(backup, spool).unwrap();
        });
    }
}
