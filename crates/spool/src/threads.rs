//! Threads that write files: a limit on file sizes must not end the process.
//!
//! A write beyond the limit (`RLIMIT_FSIZE`) sends SIGXFSZ to the thread that wrote, and its
//! default action ends the process. With the signal blocked, the write fails with an error, and the
//! signal stays with the thread until both end. Blocking it on a thread of the host instead would
//! leave it pending there, and changing its action would be the host's business.

use std::thread::{self, JoinHandle};

use crate::error::SpoolError;

/// Starts a thread that may write files.
pub(crate) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, SpoolError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            block_file_size_signal();
            run();
        })
        .map_err(SpoolError::io("starting a thread of the spool"))
}

/// Runs a function that writes files, and waits for it.
pub(crate) fn run<T: Send>(
    write: impl FnOnce() -> Result<T, SpoolError> + Send,
) -> Result<T, SpoolError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("herald-spool-open".to_owned())
            .spawn_scoped(scope, || {
                block_file_size_signal();
                write()
            })
            .map_err(SpoolError::io("starting a thread of the spool"))?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(unix)]
fn block_file_size_signal() {
    use nix::sys::signal::{SigSet, Signal};

    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    // Fails only for arguments that are not valid.
    let _ = signals.thread_block();
}

/// Does nothing: there is no such signal here.
#[cfg(not(unix))]
fn block_file_size_signal() {}
