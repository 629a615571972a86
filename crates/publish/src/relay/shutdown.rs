//! Shutdown of the relay.

use super::connection::CLOSE_TIMEOUT;
use super::thread::RelayThread;

impl RelayThread {
    pub(super) fn may_leave(&self) -> bool {
        let Some(until) = self.core.relay.change(|inbox| inbox.close_until) else {
            return false;
        };
        if self.now() >= until {
            return true;
        }
        let resolved = self.core.limiter.used().messages == 0;
        let spool = self.spool();
        if spool.is_none() {
            let is_orphaned = self.core.routing().orphan.is_some();
            return resolved && self.core.held.messages() == 0 && !is_orphaned;
        }
        // Nothing can be delivered now: the spool keeps the remaining events.
        if !self.circuit.is_up() || self.core.routing().other_cluster.is_some() {
            return true;
        }
        let in_motion = self.core.held.messages() > 0 || self.removal.has_work();
        let unheard = self.core.relay.change(|inbox| !inbox.events.is_empty());
        resolved && !in_motion && !unheard && self.cursor.is_at_end()
    }

    pub(super) fn finish(mut self) {
        if self.core.routing().orphan.is_some() {
            // Last attempt to copy the rows of deleted files.
            self.reopening.at = self.now();
            self.recover_spool();
        }
        {
            let routing = self.core.lock_routing_exclusive();
            self.core.spill_all_to_spool(&routing);
        }
        let transport = self.core.lock_routing_exclusive().transport.take();
        if let Some(transport) = transport {
            transport.close(CLOSE_TIMEOUT);
        }
        while self
            .core
            .relay
            .change(|inbox| !inbox.tickets.are_all_answered())
        {
            self.core.relay.notify.wait(&self.core.clock, None);
        }
        // `close` above has reported every message. The resulting changes of rows are made here.
        while self.removal.has_work() || self.has_events() {
            self.process_inbox();
            if self.removal.is_paused(self.now()) || self.spool().is_none() {
                // The disk rejects changes, or the spool is lost. The delivered rows stay, and the
                // next process delivers them again.
                break;
            }
            self.write_dead_letters();
            self.remove_acknowledged();
            if self.removal.is_in_progress() && !self.has_events() {
                self.core.relay.notify.wait(&self.core.clock, None);
            }
        }
        self.report_orphan();
        self.core.end_all();
    }

    pub(super) fn has_events(&self) -> bool {
        self.core.relay.change(|inbox| !inbox.events.is_empty())
    }
}
