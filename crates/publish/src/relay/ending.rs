//! How the relay ends.

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
        let resolved = self.core.room.used().messages == 0;
        let spool = self.spool();
        if spool.is_none() {
            return resolved && self.core.held.messages() == 0;
        }
        // Nothing can be delivered now; the spool takes what is left.
        if !self.health.is_up() {
            return true;
        }
        let in_motion = self.core.held.messages() > 0
            || self.removing
            || !(self.landed.is_empty() && self.burials.is_empty());
        let unheard = self.core.relay.change(|inbox| !inbox.arrivals.is_empty());
        resolved && !in_motion && !unheard && self.at_end
    }

    pub(super) fn finish(mut self) {
        {
            let gate = self.core.shut_gate();
            self.core.adopt_all(&gate);
        }
        let transport = self.core.shut_gate().transport.take();
        if let Some(transport) = transport {
            transport.close(CLOSE_TIMEOUT);
        }
        while self
            .core
            .relay
            .change(|inbox| inbox.handed_in != inbox.answered)
        {
            self.core.relay.bell.wait(&self.core.clock, None);
        }
        // Reports have come for everything; what they say about rows is done here.
        while self.removing
            || !(self.landed.is_empty() && self.burials.is_empty())
            || self.has_arrivals()
        {
            self.hear();
            if self.now() < self.remove_at || self.spool().is_none() {
                // The disk refused, or the spool is lost. The rows stay, and will be delivered
                // twice.
                break;
            }
            self.bury_doomed();
            self.remove_landed();
            if self.removing && !self.has_arrivals() {
                self.core.relay.bell.wait(&self.core.clock, None);
            }
        }
        self.core.end_all();
    }

    pub(super) fn has_arrivals(&self) -> bool {
        self.core.relay.change(|inbox| !inbox.arrivals.is_empty())
    }
}
