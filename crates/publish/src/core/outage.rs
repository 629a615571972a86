//! Loss of the cluster, of a connection and of the spool.

use std::sync::Weak;

use herald_spool::SpoolError;
use tracing::{error, warn};

use super::{Core, Route};
use crate::failure::{Failure, FailureKind};
use crate::transport::ConnectionListener;

impl Core {
    /// Routes events to the spool, starting with those that only the transport has.
    pub(crate) fn lose_cluster(&self, failure: &Failure) {
        let mut routing = self.lock_routing_exclusive();
        if routing.route == Route::Spool || routing.spool.is_none() {
            return;
        }
        if routing.route == Route::Closed {
            drop(routing);
            // It does not wait any longer, and leaves the events to the spool.
            return self.relay.cluster_lost();
        }
        routing.route = Route::Spool;
        let spilled = self.spill_all_to_spool(&routing);
        drop(routing);
        self.counters.outages.add(1);
        let what = if failure.kind == FailureKind::Fatal {
            "the connection broke: events go to the spool until there is a new one"
        } else {
            "the cluster is unreachable: events go to the spool"
        };
        warn!(
            target: "herald::publisher",
            code = failure.code.as_str(),
            detail = %failure.detail,
            spilled,
            "{what}"
        );
        self.relay.cluster_lost();
    }

    /// Handles a connection that is broken for good.
    pub(super) fn lose_connection(&self, failure: Failure) {
        self.lose_cluster(&failure);
        self.relay.connection_lost(failure);
    }

    /// Handles an error of the spool.
    pub(crate) fn spool_failed(&self, failure: &SpoolError) {
        if failure.ends_the_spool() && *failure != SpoolError::Closed {
            self.relay.spool_lost(failure.clone());
        }
    }
}

/// Listener of the publisher for the state of its connection. Weak, because the transport keeps its
/// listener, and the core keeps the transport.
pub(crate) struct Watcher(pub(crate) Weak<Core>);

impl ConnectionListener for Watcher {
    fn on_unreachable(&self, failure: Failure) {
        if let Some(core) = self.0.upgrade() {
            core.lose_cluster(&failure);
        }
    }

    fn on_fatal(&self, failure: Failure) {
        if let Some(core) = self.0.upgrade() {
            error!(
                target: "herald::publisher",
                code = failure.code.as_str(),
                detail = %failure.detail,
                "the connection is broken for good: a new one will be made"
            );
            core.lose_connection(failure);
        }
    }
}
