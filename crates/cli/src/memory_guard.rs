//! Limit of the memory that templates of a project may use.
//!
//! The renderer limits steps, output and the text of each value. minijinja offers no hook for its
//! operators, though: `~` and `in` make text of a list without asking for its size (minijinja 3.1).
//! So the memory of the process is watched as well.

use std::process;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::error::ExitStatus;
use crate::terminal;

/// Bytes by which the memory of the process may grow while templates are rendered.
const MAX_GROWTH_BYTES: u64 = 1024 * 1024 * 1024;

/// Time between two checks. Text is made at some gigabytes per second at most, so the limit is
/// exceeded by less than a hundred megabytes.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Ends the process with an error when its memory grows too much, until it is dropped.
pub struct MemoryGuard {
    /// Closes the channel when it is dropped, which ends the thread.
    _running: Sender<()>,
}

impl MemoryGuard {
    /// Starts watching. `target` is named in the error.
    ///
    /// Does nothing on systems without `/proc`.
    pub fn start(target: &str) -> Self {
        let (running, ended) = channel();
        let target = target.to_owned();
        if let Some(before) = resident_bytes() {
            // Without the thread there is no limit, as on systems without `/proc`.
            let _ = thread::Builder::new()
                .name("herald-memory".to_owned())
                .spawn(move || {
                    while ended.recv_timeout(CHECK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                        let now = resident_bytes().unwrap_or_default();
                        if now.saturating_sub(before) > MAX_GROWTH_BYTES {
                            exit(&target);
                        }
                    }
                });
        }
        Self { _running: running }
    }
}

/// Ends the process. No file is incomplete, because files are written after all are rendered.
fn exit(target: &str) -> ! {
    terminal::error(&format!(
        "the templates of the target `{target}` need more than {} MB of memory; a list or text in \
         them is probably larger than it was meant to be",
        MAX_GROWTH_BYTES / 1024 / 1024
    ));
    process::exit(ExitStatus::Failure as i32)
}

/// Returns the resident memory of the process (`VmRSS`).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
