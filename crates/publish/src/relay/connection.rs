//! Connection of the publisher, and its circuit breaker.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::RowEvent;
use super::thread::{POLL_INTERVAL, RelayThread};
use crate::circuit::CircuitState;
use crate::core::{Core, Watcher};
use crate::failure::Failure;
use crate::transport::Transport;

/// Timeout of a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of closing a connection.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

impl RelayThread {
    pub(super) fn maintain_connection(&mut self) {
        let lost = self.core.relay.change(|inbox| inbox.connection_lost.take());
        if lost.is_some() {
            let old = self.core.lock_routing_exclusive().transport.take();
            if let Some(old) = old {
                old.close(CLOSE_TIMEOUT);
            }
            // Closing may have reported the old connection as lost once more.
            self.core.relay.change(|inbox| inbox.connection_lost = None);
        }
        let missing = self.core.routing().transport.is_none();
        if !missing || self.now() < self.connect_at {
            return;
        }
        match connect(&self.core) {
            Ok(transport) => {
                self.core.lock_routing_exclusive().transport = Some(transport);
                self.forget_identity();
            }
            Err(failure) => {
                warn!(
                    target: "herald::publisher",
                    code = failure.code.as_str(),
                    detail = %failure.detail,
                    "no new connection could be made"
                );
                self.connect_at = self.now() + POLL_INTERVAL;
            }
        }
    }

    pub(super) fn update_circuit(&mut self) {
        let now = self.now();
        match self.circuit {
            CircuitState::Closed | CircuitState::Probing { .. } => {}
            CircuitState::Open { outage, probe_at } => {
                if probe_at <= now {
                    self.circuit = CircuitState::Probing { outage };
                    self.probe();
                }
            }
            CircuitState::HalfOpen { outage, since } => {
                let nothing_to_try = self.core.held.messages() == 0 && self.cursor.is_at_end();
                if nothing_to_try || self.core.acknowledged_since(since) {
                    self.circuit = CircuitState::Closed;
                    self.window.open();
                    self.core.lock_routing_exclusive().open_to_cluster();
                    info!(
                        target: "herald::publisher",
                        after_seconds = now.saturating_sub(outage.since).as_secs_f64(),
                        "the cluster is reachable again"
                    );
                    self.core.relay.notify.notify();
                } else if now >= since + self.core.options.deadline_or_default() {
                    self.trial_failed();
                }
            }
        }
    }

    pub(super) fn trial_failed(&mut self) {
        let first = self.core.options.probe_interval;
        self.circuit = self.circuit.failed(self.now(), first, &mut self.jitter);
    }

    /// Starts a probe, on a thread of its own because it may block until its timeout.
    pub(super) fn probe(&mut self) {
        let Some(transport) = self.core.routing().transport.clone() else {
            return self.trial_failed();
        };
        let core = self.core.clone();
        #[cfg(test)]
        if core.options.simulated.is_some() {
            let outcome = transport.probe(PROBE_TIMEOUT);
            return core.relay.post(RowEvent::Probed(outcome));
        }
        let asked = std::thread::Builder::new()
            .name("herald-probe".to_owned())
            .spawn(move || {
                let outcome = transport.probe(PROBE_TIMEOUT);
                drop(transport);
                core.relay.post(RowEvent::Probed(outcome));
            });
        if asked.is_err() {
            self.trial_failed();
        }
    }
}

/// Connects to the cluster, with this publisher as the listener.
pub(crate) fn connect(core: &Arc<Core>) -> Result<Arc<dyn Transport>, Failure> {
    let has_spool = core.options.spool.is_some();
    let delivery_timeout = (!has_spool).then(|| core.options.deadline_or_default());
    let watch = Arc::new(Watcher(Arc::downgrade(core)));
    core.options.connect.connect(watch, delivery_timeout)
}
