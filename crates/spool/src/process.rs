//! Which process a spool belongs to.

use crate::error::SpoolError;

/// The process that opened the spool.
///
/// A fork copies the memory of a spool but not its writer thread: work would wait for ever, a
/// mutex may have been copied locked, and two processes would write with one idea of the next
/// sequence. So every call asks this first, before it touches a lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(herald_process::Process);

impl Process {
    pub(crate) fn current() -> Self {
        Self(herald_process::Process::current())
    }

    pub(crate) fn is_forked(self) -> bool {
        !self.0.is_current()
    }

    pub(crate) fn check(self) -> Result<(), SpoolError> {
        if self.is_forked() {
            return Err(SpoolError::Forked { owner: self.0.id() });
        }
        Ok(())
    }
}
