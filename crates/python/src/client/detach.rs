//! Detaching from the Python interpreter around blocking work.
//!
//! Before CPython 3.14, a thread that re-attaches while the interpreter finalizes is ended by
//! CPython, which aborts the process: a thread can't be unwound in the middle of Rust. So detached
//! threads don't re-attach once finalization has begun, and finalization waits for those that are
//! just re-attaching.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Longest wait at finalization. A thread that is detached for longer is in a long call, and parks
/// itself when that ends.
const MAX_EXIT_WAIT: Duration = Duration::from_secs(1);

/// Number of threads that are detached and will re-attach. Not a mutex: a fork may copy it locked.
static DETACHED: AtomicUsize = AtomicUsize::new(0);
static FINALIZING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread finalizes the interpreter: it alone may re-attach.
    static IS_FINALIZER: Cell<bool> = const { Cell::new(false) };
}

/// Runs work that may block without the interpreter lock.
pub fn detach<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    // Counted before detaching. `SeqCst` on both atomics: of this increment and the store of
    // `FINALIZING`, one is seen by the other side. Either the finalizer waits for this thread, or this
    // thread sees the flag after its work and does not re-attach.
    let guard = DetachGuard::new();
    let result = py.detach(|| {
        let result = work();
        if FINALIZING.load(Ordering::SeqCst) && !IS_FINALIZER.get() {
            park_forever();
        }
        result
    });
    drop(guard);
    result
}

/// Waits for threads that are about to re-attach. Called at exit, once all clients are closed.
#[pyfunction]
pub fn wait_for_detached(py: Python<'_>) {
    py.detach(|| {
        IS_FINALIZER.set(true);
        FINALIZING.store(true, Ordering::SeqCst);
        let start = Instant::now();
        while DETACHED.load(Ordering::SeqCst) > 0 && start.elapsed() < MAX_EXIT_WAIT {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Resets the count in a forked child, which has none of the detached threads.
pub fn reset_after_fork() {
    DETACHED.store(0, Ordering::SeqCst);
}

fn park_forever() -> ! {
    // This thread will not re-attach, so finalization need not wait for it.
    drop(DetachGuard);
    loop {
        thread::park();
    }
}

struct DetachGuard;

impl DetachGuard {
    fn new() -> Self {
        DETACHED.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for DetachGuard {
    fn drop(&mut self) {
        DETACHED.fetch_sub(1, Ordering::SeqCst);
    }
}
