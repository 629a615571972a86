//! Which process a publisher belongs to.

use crate::error::PublishError;

/// The process that made something. A forked child has the memory of its parent, but neither its
/// threads nor its connections: what waits for those would wait for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(herald_process::Process);

impl Process {
    pub(crate) fn current() -> Self {
        Self(herald_process::Process::current())
    }

    pub(crate) fn is_here(self) -> bool {
        self.0.is_current()
    }

    pub(crate) fn check(self) -> Result<(), PublishError> {
        if self.is_here() {
            Ok(())
        } else {
            Err(PublishError::Forked { owner: self.0.id() })
        }
    }
}
