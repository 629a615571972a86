//! Process identity that notices a fork without a system call.
//!
//! A forked child has the memory of its parent, but neither its threads nor its connections, and
//! a copy of its random numbers. Asking the system for the process id with each event costs more
//! than building the event's key; a counter that the C library raises in each forked child costs
//! one read of memory.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Number of forks between the first call of [`fork_generation`] in an ancestor and this process.
static FORKS: AtomicU64 = AtomicU64::new(0);

static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Returns a number that is the same for the life of a process and another one in each child that
/// it forks.
///
/// A child made by the bare system call `clone`, or by `_Fork`, without the C library's `fork`
/// keeps the number of its parent.
pub fn fork_generation() -> u64 {
    if REGISTERED.load(Ordering::Acquire) || register() {
        // Relaxed: the count only changes in a child that has a single thread at that moment.
        return FORKS.load(Ordering::Relaxed);
    }
    // The C library has no memory for the handler (`ENOMEM`). The highest bit distinguishes process
    // ids from counts.
    u64::from(process::id()) | 1 << 63
}

/// Registers a handler that counts forks. Not through `Once`: a child forked while another thread is
/// inside of it would wait forever. A second registration only counts in larger steps.
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

/// Does nothing: there is no fork here.
#[cfg(not(unix))]
fn register() -> bool {
    REGISTERED.store(true, Ordering::Release);
    true
}

/// Guard of an object that must not be used in a fork of the process that created it.
///
/// A fork copies the memory of a spool or a publisher, but neither its threads nor its connections.
/// In the child, a call would wait forever for a thread that does not exist, a mutex may have been
/// copied locked, and two processes would write with one idea of the next sequence. So every call
/// checks this first, before it touches a lock.
#[derive(Clone, Copy, Debug)]
pub struct ForkGuard {
    owner: u32,
    generation: u64,
}

/// Error of a call in a forked child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object belongs to process {owner}, and this process is a fork of it")]
pub struct Forked {
    /// Process that created the object.
    pub owner: u32,
}

impl ForkGuard {
    /// Creates a guard of the current process.
    pub fn new() -> Self {
        Self {
            generation: fork_generation(),
            owner: process::id(),
        }
    }

    /// Returns whether the current process is a fork of the one that created the guard.
    pub fn is_forked(self) -> bool {
        self.generation != fork_generation()
    }

    /// Fails in a forked child.
    ///
    /// # Errors
    /// [`Forked`].
    pub fn check(self) -> Result<(), Forked> {
        if self.is_forked() {
            return Err(Forked { owner: self.owner });
        }
        Ok(())
    }
}

impl Default for ForkGuard {
    fn default() -> Self {
        Self::new()
    }
}
