//! Which process a publisher belongs to.

use crate::error::PublishError;

/// The process that made something. A forked child has the memory of its parent, but neither its
/// threads nor its connections: what waits for those would wait for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn is_here(self) -> bool {
        std::process::id() == self.0
    }

    pub(crate) fn check(self) -> Result<(), PublishError> {
        if self.is_here() {
            Ok(())
        } else {
            Err(PublishError::Forked { owner: self.0 })
        }
    }
}
