//! A full disk under the spool, while Kafka is unavailable.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Mode, Publisher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::child::{Task, show_balances};
use crate::cluster::skipped;
use crate::event::Event;
use crate::fixture::{Fixture, close_within, finish};
use crate::ledger::{Ledger, Outcome};
use crate::load::{Load, eventually};

/// Events before, while and after the disk is full, then Kafka comes back.
fn on_a_full_disk(case: &str, fixture: &Fixture, mode: Mode, fill: impl Fn(), free: impl Fn()) {
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    let publisher = Publisher::open(fixture.options(cluster.clone()).mode(mode)).unwrap();
    cluster.stop();
    let load = Load {
        note_bytes: 2000,
        ..Load::gentle("t")
    };
    let ledger = load.during(&publisher, |progress| {
        progress.wait_for_spooled(200);
        fill();
        progress.wait_for_others(200);
        free();
        progress.wait_for_spooled(200);
        // Full again, and Kafka comes back to rows that can't be removed.
        fill();
        progress.wait_for_others(50);
        cluster.start();
        if mode == Mode::Direct {
            progress.wait_for_delivered(50);
        }
        free();
        progress.wait_for_usual(mode, 50);
    });
    finish(publisher);
    let refused = ledger.count(|outcome| {
        let clear = ["spool_disk_full", "spool_io"];
        matches!(outcome, Outcome::Failed(code) if clear.contains(&code.as_str()))
    });
    assert_eq!(
        refused,
        ledger.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    );
    let account = fixture.account_in_memory(&ledger, &cluster, "t");
    account.show(&format!("{case}, {mode:?}"));
    account.assert_kept();
}

fn limit_files(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes,
        maximum,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
fn file_size_limit_reached() {
    if let Some(task) = Task::of_this_process() {
        let fixture = Fixture::at(&task.spool);
        let fill = || limit_files(Some(512 * 1024));
        let free = || limit_files(None);
        return on_a_full_disk("files may not grow", &fixture, task.mode, fill, free);
    }
    let task = Task {
        spool: Fixture::new().spool(),
        topic: String::new(),
        mode: Mode::Direct,
        first_number: 0,
    };
    let mut command = task.command("disk::file_size_limit_reached");
    let output = command.output().unwrap();
    show_balances(&output.stderr);
    let said = String::from_utf8_lossy(&output.stderr);
    let harness = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{harness}");
}

/// A small file system in memory, which only root may mount.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "herald-faults"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self { folder })
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.folder.path().join("ballast")
    }

    fn fill(&self) {
        let mut ballast = fs::File::create(self.ballast()).unwrap();
        for bytes in [64 * 1024, 1] {
            let piece = vec![0; bytes];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

/// The database is deleted while the disk has no room for another copy of its rows.
#[test]
fn spool_deleted_on_a_full_disk() {
    for mode in [Mode::Direct, Mode::WriteAhead] {
        let Some(disk) = SmallDisk::mount() else {
            return skipped("no file system may be mounted here");
        };
        let spool = Path::join(disk.folder.path(), "spool").join("spool.db");
        let fixture = Fixture::at(&spool);
        let cluster = MemoryCluster::new();
        cluster.create_topic("t", 3);
        let publisher = Publisher::open(fixture.options(cluster.clone()).mode(mode)).unwrap();
        cluster.stop();
        let load = Load {
            note_bytes: 2000,
            ..Load::gentle("t")
        };
        let ledger = load.during(&publisher, |progress| {
            progress.wait_for_spooled(400);
            disk.fill();
            fs::remove_file(&spool).unwrap();
            progress.wait_for_others(100);
            cluster.start();
            progress.wait_for_delivered(50);
            disk.free();
            progress.wait_for_usual(mode, 50);
        });
        finish(publisher);
        let account = fixture.account_in_memory(&ledger, &cluster, "t");
        account.show(&format!("spool deleted on a full disk, {mode:?}"));
        account.assert_kept();
    }
}

#[test]
fn file_system_full() {
    for mode in [Mode::Direct, Mode::WriteAhead] {
        let Some(disk) = SmallDisk::mount() else {
            return skipped("no file system may be mounted here");
        };
        let spool = Path::join(disk.folder.path(), "spool").join("spool.db");
        let fixture = Fixture::at(&spool);
        on_a_full_disk("disk full", &fixture, mode, || disk.fill(), || disk.free());
    }
}

/// Publishes so many events that the spool takes all of them.
fn spool_some(publisher: &Publisher) -> Ledger {
    let load = Load {
        note_bytes: 2000,
        ..Load::burst("t", 1000)
    };
    let ledger = load.run(publisher);
    assert_eq!(
        ledger.count(|outcome| matches!(outcome, Outcome::Spooled)),
        1000
    );
    ledger
}

/// Kafka comes back to a full disk: the rows are delivered and removed, also by a publisher that
/// starts there, and never delivered twice.
#[test]
fn a_full_disk_does_not_stop_the_way_out() {
    for is_restarted in [false, true] {
        let Some(disk) = SmallDisk::mount() else {
            return skipped("no file system may be mounted here");
        };
        let fixture = Fixture::at(&Path::join(disk.folder.path(), "spool").join("spool.db"));
        let cluster = MemoryCluster::new();
        cluster.create_topic("t", 3);
        let open = || Publisher::open(fixture.options(cluster.clone())).unwrap();
        let mut publisher = open();
        cluster.stop();
        let ledger = spool_some(&publisher);
        disk.fill();
        if is_restarted {
            close_within(publisher, Duration::ZERO);
            publisher = open();
            assert_eq!(publisher.stats().waiting(), 1000);
        }
        cluster.start();
        finish(publisher);
        // Nothing is left for the next one.
        let publisher = open();
        finish(publisher);
        disk.free();
        let account = fixture.account_in_memory(&ledger, &cluster, "t");
        account.show("the way out of a full disk");
        account.assert_kept();
        assert_eq!((account.duplicates, account.queued), (0, 0));
    }
}

/// Nothing can be written at the start, not even the index of the log: the rows are delivered all
/// the same, and removed when there is space.
#[test]
fn a_publisher_starts_on_a_disk_that_takes_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return skipped("no file system may be mounted here");
    };
    let spool = Path::join(disk.folder.path(), "spool").join("spool.db");
    let fixture = Fixture::at(&spool);
    let cluster = MemoryCluster::new();
    cluster.create_topic("t", 3);
    let open = || Publisher::open(fixture.options(cluster.clone())).unwrap();
    let publisher = open();
    cluster.stop();
    let mut ledger = spool_some(&publisher);
    close_within(publisher, Duration::ZERO);
    let index = spool.with_file_name("spool.db-shm");
    fs::remove_file(&index).unwrap();
    disk.fill();
    let publisher = open();
    let stats = publisher.stats();
    let failure = stats.spool_failure.as_ref();
    assert_eq!(failure.unwrap().code(), "spool_disk_full");
    assert!(stats.spool.is_none());
    assert_eq!(stats.waiting(), 1000);
    cluster.start();
    eventually("the rows are delivered", || publisher.stats().orphaned == 0);
    let load = Load::burst("t", 100).starting_at(10_000);
    eventually("events go to Kafka alone", || {
        let message = Event { key: 99, number: 1 }.message("t", 10);
        let pending = publisher.blocking_enqueue(message).unwrap();
        pending.wait().is_ok_and(|receipt| receipt.is_delivered())
    });
    ledger.append(load.run(&publisher));
    disk.free();
    eventually("the spool is opened", || publisher.stats().spool.is_some());
    assert_eq!(publisher.stats().spool_failure, None);
    finish(publisher);
    let account = fixture.account_in_memory(&ledger, &cluster, "t");
    account.show("a start on a full disk");
    account.assert_kept();
    account.assert_no_errors();
    assert_eq!(account.queued, 0);
    assert_eq!(account.duplicates, 0);
}
