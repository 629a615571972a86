//! Process identity that notices a fork without a system call.
//!
//! A forked child has the memory of its parent, but neither its threads nor its connections, and
//! a copy of its random numbers. Asking the system for the process id with each event costs more
//! than building the event's key; a counter that the C library raises in each forked child costs
//! one read of memory.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Forks between the first call of [`fork_generation`] in an ancestor and this process.
static FORKS: AtomicU64 = AtomicU64::new(0);

static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Returns a number that is the same for the life of a process and another one in each child that
/// it forks.
///
/// A child made by the bare system call `clone`, or by `_Fork`, without the C library's `fork`
/// keeps the number of its parent.
pub fn fork_generation() -> u64 {
    if REGISTERED.load(Ordering::Acquire) || register() {
        return FORKS.load(Ordering::Relaxed);
    }
    // The C library has no memory for the handler. Process ids stand apart from counts.
    u64::from(process::id()) | 1 << 63
}

/// Asks the C library to count forks. Not through `Once`: a child forked while another thread is
/// inside of it would wait for ever. A second registration only counts in larger steps.
#[cfg(unix)]
#[expect(unsafe_code, reason = "there is no safe way to hear of a fork")]
fn register() -> bool {
    extern "C" fn count_fork() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler lives as long as the program, and changes one atomic number, which is
    // allowed between a fork and what the child does next.
    let registered = unsafe { libc::pthread_atfork(None, None, Some(count_fork)) } == 0;
    if registered {
        REGISTERED.store(true, Ordering::Release);
    }
    registered
}

/// There is no fork here.
#[cfg(not(unix))]
fn register() -> bool {
    REGISTERED.store(true, Ordering::Release);
    true
}

/// A process, for what must not be used in a fork of the process that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: u32,
    generation: u64,
}

impl Process {
    /// Returns the process that calls.
    pub fn current() -> Self {
        Self {
            generation: fork_generation(),
            id: process::id(),
        }
    }

    /// Whether the caller runs in this process, and not in a fork of it.
    pub fn is_current(self) -> bool {
        self.generation == fork_generation()
    }

    /// The number that the system knows it by.
    pub fn id(self) -> u32 {
        self.id
    }
}
