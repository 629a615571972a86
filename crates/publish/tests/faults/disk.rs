//! A full disk under the spool, while Kafka is unavailable.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use herald_publish::memory::MemoryCluster;
use herald_publish::{Mode, Publisher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::child::{Task, show_balances};
use crate::cluster::skipped;
use crate::fixture::{Fixture, finish};
use crate::ledger::Outcome;
use crate::load::Load;

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
            .args(["-t", "tmpfs", "-o", "size=16m", "herald-faults"])
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
