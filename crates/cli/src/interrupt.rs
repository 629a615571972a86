//! Ctrl-C, and the signals that ask a process to end.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Failure;

/// Exit code of a process that ends at once at the second interruption, as shells have it.
const ENDED_AT_ONCE: i32 = 130;

/// Whether somebody asked this process to end. The first time it may finish what it is doing;
/// the second time it ends.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen; once in a process.
    pub fn watch() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        let handler = asked.clone();
        ctrlc::set_handler(move || {
            if handler.swap(true, Ordering::Relaxed) {
                process::exit(ENDED_AT_ONCE);
            }
        })
        .map_err(|error| Failure::Message(format!("can't listen for Ctrl-C: {error}")))?;
        Ok(Self(asked))
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
