//! Handlers that let a child use SQLite whatever the threads of its parent did at the fork.
//!
//! All connections of a process share a few mutexes of SQLite: for the list of open files, the
//! statistics of its allocator, and others. A child has a copy of them. If one was locked by a
//! thread of the parent, the child waits for it forever at its first call, because it does not have
//! that thread. So the thread that forks takes all of them first.
//!
//! No mutex of a single connection is needed: a child does not use the connections of its parent.
//! SQLite holds the shared ones for a moment only, never while it reads or writes a file, so a fork
//! does not wait for a commit or a checkpoint.

/// Registers the handlers, before the first call of SQLite. Not through `Once`, which a fork copies
/// too. If two threads are the first ones, the handlers must not run twice.
#[cfg(unix)]
pub(crate) fn register() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.swap(true, Ordering::AcqRel) {
        unix::register();
    }
}

/// Does nothing: only Unix has `fork`.
#[cfg(not(unix))]
pub(crate) fn register() {}

#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "the mutexes and the handlers of a fork have no safe interface"
)]
mod unix {
    use rusqlite::ffi;

    /// Mutexes that SQLite (3.54) shares between connections. Where it takes a second one while it
    /// holds a first, the first is further up: the name of a temporary file needs a random number,
    /// its seed the list of file systems, and everything needs memory.
    const SHARED: [i32; 7] = [
        ffi::SQLITE_MUTEX_STATIC_OPEN,
        ffi::SQLITE_MUTEX_STATIC_VFS1,
        ffi::SQLITE_MUTEX_STATIC_PRNG,
        ffi::SQLITE_MUTEX_STATIC_MAIN,
        ffi::SQLITE_MUTEX_STATIC_LRU,
        ffi::SQLITE_MUTEX_STATIC_PMEM,
        ffi::SQLITE_MUTEX_STATIC_MEM,
    ];

    pub(super) fn register() {
        // SAFETY: the handlers live as long as the program. It fails if there is no memory for
        // them; a fork is then as it is without them.
        unsafe { libc::pthread_atfork(Some(enter_all), Some(leave_all), Some(leave_all)) };
    }

    extern "C" fn enter_all() {
        // SAFETY: the first call waits until SQLite is initialized, if another thread is just
        // doing that. The static mutexes exist from then on until the end of the program.
        unsafe {
            ffi::sqlite3_initialize();
            for id in SHARED {
                ffi::sqlite3_mutex_enter(ffi::sqlite3_mutex_alloc(id));
            }
        }
    }

    extern "C" fn leave_all() {
        // SAFETY: this thread has entered them in `enter_all`; in the child, the copy of it has.
        unsafe {
            for id in SHARED.into_iter().rev() {
                ffi::sqlite3_mutex_leave(ffi::sqlite3_mutex_alloc(id));
            }
        }
    }
}
