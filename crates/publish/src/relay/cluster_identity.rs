//! Identity of the cluster: no row of a spool goes to another cluster than the one that it is for.

use std::time::Duration;

use herald_spool::{SpoolCluster, SpoolError};
use tracing::error;

use super::RowEvent;
use super::thread::{RelayThread, SHORT_BACKOFF};
use crate::core::Core;
use crate::failure::Failure;
use crate::transport::Transport;

/// Time that the cluster may take to tell its id.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for that while a publisher starts with rows in its spool. An unreachable cluster delays the
/// start by so much.
const START_TIMEOUT: Duration = Duration::from_secs(1);

/// Knowledge about the cluster of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// It is asked for its id at this time.
    Unknown { ask_at: Duration },
    /// It was asked for its id.
    Asked,
    /// The rows of the spool are for it.
    Right,
    /// They are for another one.
    Other,
}

impl Identity {
    pub(super) const UNKNOWN: Self = Self::Unknown {
        ask_at: Duration::ZERO,
    };

    /// Time to ask for the id; `None` if it is known or was asked for.
    pub(super) fn ask_at(self) -> Option<Duration> {
        match self {
            Self::Unknown { ask_at } => Some(ask_at),
            Self::Asked | Self::Right | Self::Other => None,
        }
    }
}

impl Core {
    /// Fails if the cluster answers at once, and the rows of the spool are for another one. If it
    /// does not answer, the relay asks again before it sends a row.
    pub(crate) fn check_cluster_at_start(
        &self,
        transport: &dyn Transport,
    ) -> Result<(), SpoolError> {
        let has_rows = {
            let routing = self.routing();
            let stats = routing.spool.as_ref().and_then(|spool| spool.stats());
            let orphan = routing.orphan.as_ref();
            stats.is_some_and(|stats| stats.records + stats.dead > 0)
                || orphan.is_some_and(|orphan| orphan.remaining() + orphan.dead() > 0)
        };
        if !has_rows {
            return Ok(());
        }
        match transport.cluster_id(START_TIMEOUT) {
            Ok(Some(id)) => self.check_cluster(&id),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    fn check_cluster(&self, id: &str) -> Result<(), SpoolError> {
        let routing = self.routing();
        let checked = match (&routing.spool, &routing.orphan) {
            (Some(spool), _) => spool.check_cluster(id),
            (None, Some(orphan)) => orphan.check_cluster(id),
            (None, None) => Ok(()),
        };
        match checked {
            Err(error @ SpoolError::OtherCluster { .. }) => Err(error),
            // A spool that can't be read has no rows to send either.
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl RelayThread {
    /// Returns whether the rows are for the cluster of this connection; asks it if that is not
    /// known.
    pub(super) fn is_right_cluster(&mut self) -> bool {
        if self.identity.ask_at().is_some_and(|at| at <= self.now()) {
            self.ask_for_identity();
        }
        self.identity == Identity::Right
    }

    /// After a new connection, or with another spool.
    pub(super) fn forget_identity(&mut self) {
        if self.identity == Identity::Right {
            self.identity = Identity::UNKNOWN;
        }
    }

    fn ask_for_identity(&mut self) {
        let Some(transport) = self.core.routing().transport.clone() else {
            return;
        };
        #[cfg(test)]
        if self.core.options.simulated.is_some() {
            let outcome = transport.cluster_id(IDENTITY_TIMEOUT);
            return self.handle_identity(outcome);
        }
        let core = self.core.clone();
        let asked = std::thread::Builder::new()
            .name("herald-identity".to_owned())
            .spawn(move || {
                let outcome = transport.cluster_id(IDENTITY_TIMEOUT);
                drop(transport);
                core.relay.post(RowEvent::Identified(outcome));
            });
        if asked.is_ok() {
            self.identity = Identity::Asked;
        } else {
            self.ask_again();
        }
    }

    fn ask_again(&mut self) {
        let ask_at = self.now() + SHORT_BACKOFF;
        self.identity = Identity::Unknown { ask_at };
    }

    pub(super) fn handle_identity(&mut self, outcome: Result<Option<String>, Failure>) {
        let id = match outcome {
            Ok(Some(id)) => id,
            Ok(None) => {
                self.identity = Identity::Right;
                return;
            }
            Err(_) => return self.ask_again(),
        };
        if let Err(other) = self.core.check_cluster(&id) {
            self.identity = Identity::Other;
            error!(
                target: "herald::publisher",
                code = other.code().as_str(),
                error = %other,
                "nothing is published, because the spool is for another cluster"
            );
            self.core.lock_routing_exclusive().other_cluster = Some(other);
            return;
        }
        self.identity = Identity::Right;
        if let Some(spool) = self.spool() {
            spool.note_cluster(SpoolCluster {
                id,
                servers: self.core.options.connect.servers(),
                environment: self.core.options.environment.clone(),
            });
        }
    }
}
