//! Work without Python's lock.
//!
//! Before 3.14, a thread that wants the lock back while Python ends is ended by Python, and the
//! process with it: a thread can't be ended in the middle of Rust. So those that are away do not
//! come back once the end has begun, and the end waits for those that are just coming back.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// The end does not wait longer: somebody is away for long, and will not come back.
const PATIENCE: Duration = Duration::from_secs(1);

/// Threads that are without Python's lock, and will want it back. No mutex: a fork may have it
/// locked for ever.
static AWAY: AtomicUsize = AtomicUsize::new(0);
static ENDING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread ends Python: it alone goes on.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// Does something that may take time without Python's lock.
pub fn detach<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    let away = Away::begin();
    let done = py.detach(|| {
        let done = work();
        if ENDING.load(Ordering::SeqCst) && !ENDS.get() {
            stay_away();
        }
        done
    });
    drop(away);
    done
}

/// Called by Python at its end, when all clients are closed.
#[pyfunction]
pub fn wait_at_end(py: Python<'_>) {
    py.detach(|| {
        ENDS.set(true);
        ENDING.store(true, Ordering::SeqCst);
        let began = Instant::now();
        while AWAY.load(Ordering::SeqCst) > 0 && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// A forked child has none of the threads that were away.
pub fn forget_all() {
    AWAY.store(0, Ordering::SeqCst);
}

fn stay_away() -> ! {
    drop(Away);
    loop {
        thread::park();
    }
}

struct Away;

impl Away {
    fn begin() -> Self {
        AWAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        AWAY.fetch_sub(1, Ordering::SeqCst);
    }
}
