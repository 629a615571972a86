//! Ownership: one process per spool.

mod common;

use common::{Place, append, numbers, record};
use herald_spool::{Spool, SpoolError, WhenOwned, spool_files};

#[test]
fn second_opener_fails_until_the_first_has_closed() {
    let place = Place::new();
    let spool = place.open();
    let error = Spool::open(place.options()).err().unwrap();
    let SpoolError::Owned { path, owner } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (path, *owner),
        (&place.database(), Some(std::process::id()))
    );
    assert!(error.is_retriable() && error.code() == "spool_owned");
    append(&spool, 1);
    spool.close().unwrap();
    assert_eq!(numbers(&place.open()), [1]);
}

#[test]
fn second_opener_gets_a_numbered_spool_if_configured() {
    let place = Place::new();
    let options = place.options().when_owned(WhenOwned::Numbered { max: 2 });
    let open = || Spool::open(options.clone());
    let (first, _) = open().unwrap();
    let (second, _) = open().unwrap();
    let (third, _) = open().unwrap();
    assert_eq!(open().err().unwrap().code(), "spool_owned");
    assert_eq!(third.path(), place.folder.path().join("spool-2.db"));
    append(&second, 2);
    second.close().unwrap();

    let files = spool_files(&place.database(), 9);
    let owned: Vec<_> = files.iter().map(|file| file.owned).collect();
    assert_eq!(owned, [true, false, true]);
    let (again, report) = open().unwrap();
    assert_eq!(
        (report.path, report.records),
        (place.folder.path().join("spool-1.db"), 1)
    );
    drop((first, again));
}

#[cfg(unix)]
#[test]
fn fails_in_a_forked_child_without_harm() {
    use rustix::process::{Pid, WaitOptions, waitpid};

    if let Some(path) = common::child::spool_path() {
        let (spool, _) = Spool::open(herald_spool::SpoolOptions::new(path)).unwrap();
        append(&spool, 1);
        let pending = spool.append(record(2)).unwrap();
        match fork::fork().unwrap() {
            fork::Fork::Child => {
                let refused = [
                    spool.append(record(3)).err(),
                    pending.wait().err(),
                    spool.depth().err(),
                    spool.next_batch(1, 1, herald_spool::Sequence::START).err(),
                    spool.acknowledge([herald_spool::Sequence::START]).err(),
                    spool.verify().err(),
                ];
                let forked = |error: &Option<SpoolError>| {
                    error.as_ref().is_some_and(|e| e.code() == "spool_forked")
                };
                let all = refused.iter().all(forked);
                drop(spool);
                std::process::exit(i32::from(!all));
            }
            fork::Fork::Parent(child) => {
                let child = Pid::from_raw(child);
                let (_, status) = waitpid(child, WaitOptions::empty()).unwrap().unwrap();
                assert_eq!(status.exit_status(), Some(0));
                pending.wait().unwrap();
                append(&spool, 4);
                assert_eq!(numbers(&spool), [1, 2, 4]);
                spool.close().unwrap();
            }
        }
        return;
    }
    // In a process of its own, because a fork copies the threads of no other test then.
    let place = Place::new();
    let name = "fails_in_a_forked_child_without_harm";
    succeeds_in_its_own_process(name, &place);
    let spool = place.open();
    assert_eq!(numbers(&spool), [1, 2, 4]);
    assert!(spool.verify().unwrap().is_sound());
}

#[cfg(unix)]
#[track_caller]
fn succeeds_in_its_own_process(test: &str, place: &Place) {
    let output = common::child::command(test, &place.database())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Every mutex that all connections of SQLite share, held by another thread at the moment of the
/// fork.
#[cfg(unix)]
#[test]
fn fork_while_another_thread_is_inside_sqlite_leaves_a_usable_child() {
    if let Some(path) = common::child::spool_path() {
        let (spool, _) = Spool::open(herald_spool::SpoolOptions::new(&path)).unwrap();
        append(&spool, 1);
        for id in rusqlite::ffi::SQLITE_MUTEX_STATIC_MAIN..=rusqlite::ffi::SQLITE_MUTEX_STATIC_VFS3
        {
            let (held, is_held) = std::sync::mpsc::channel();
            let holder = std::thread::spawn(move || hold_sqlite_mutex(id, &held));
            is_held.recv().unwrap();
            match fork::fork().unwrap() {
                fork::Fork::Child => {
                    let own = path.with_file_name(format!("child-{id}.db"));
                    let (spool, _) = Spool::open(herald_spool::SpoolOptions::new(own)).unwrap();
                    append(&spool, 2);
                    spool.close().unwrap();
                    std::process::exit(0);
                }
                fork::Fork::Parent(child) => {
                    assert_eq!(exit_status(child), Some(0), "mutex {id}");
                }
            }
            holder.join().unwrap();
        }
        append(&spool, 3);
        spool.close().unwrap();
        return;
    }
    let place = Place::new();
    let name = "fork_while_another_thread_is_inside_sqlite_leaves_a_usable_child";
    succeeds_in_its_own_process(name, &place);
}

/// Holds one of SQLite's mutexes for long enough that a fork begins meanwhile.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "only SQLite's interface in C leads to its mutexes"
)]
fn hold_sqlite_mutex(id: i32, held: &std::sync::mpsc::Sender<()>) {
    use rusqlite::ffi;

    // SAFETY: a static mutex lives as long as the program, and this thread leaves what it enters.
    unsafe {
        let mutex = ffi::sqlite3_mutex_alloc(id);
        ffi::sqlite3_mutex_enter(mutex);
        held.send(()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        ffi::sqlite3_mutex_leave(mutex);
    }
}

/// Waits for a child; `None` if it hangs.
#[cfg(unix)]
fn exit_status(child: i32) -> Option<i32> {
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

    let child = Pid::from_raw(child)?;
    for _ in 0..1000 {
        if let Some((_, status)) = waitpid(Some(child), WaitOptions::NOHANG).unwrap() {
            return status.exit_status();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    kill_process(child, Signal::KILL).unwrap();
    waitpid(Some(child), WaitOptions::empty()).unwrap();
    None
}
