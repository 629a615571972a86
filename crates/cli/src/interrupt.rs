//! Handling of Ctrl-C and SIGTERM.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// Exit code after the second interruption: 128 + SIGINT, as shells report it.
const EXIT_INTERRUPTED: i32 = 130;

/// Flag that is set by the first interruption, so that a command can finish its work. The second
/// interruption ends the process at once.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Installs the signal handler; may be called once in a process.
    pub fn watch() -> Result<Self, Error> {
        let requested = Arc::new(AtomicBool::new(false));
        let handler = requested.clone();
        // ctrlc 3.5 calls this from a thread of its own, not in the signal handler, so it may do what
        // is forbidden there: `exit` runs exit handlers and takes locks.
        ctrlc::set_handler(move || {
            // Relaxed: the flag is polled, and no other memory depends on it.
            if handler.swap(true, Ordering::Relaxed) {
                process::exit(EXIT_INTERRUPTED);
            }
        })
        .map_err(|error| Error::Message(format!("can't listen for Ctrl-C: {error}")))?;
        Ok(Self(requested))
    }

    /// Returns whether an interruption was requested.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
