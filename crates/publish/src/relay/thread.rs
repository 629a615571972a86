//! The thread that brings the spool to the cluster, and looks after the connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use herald_spool::{DeadLetterRequest, Sequence, Spool, SpoolError};

use super::known::Row;
use super::known::Rows;
use super::reopening::Reopening;
use super::window::Window;
use super::{Arrival, Reported};
use crate::core::Core;
use crate::failure::{Failure, FailureKind};
use crate::health::Health;
use crate::publisher::stats_of;
use crate::retry::Jitter;

/// How often the thread looks around when nobody rings: dead letters that another process sends
/// back into the queue do not ring.
pub(super) const LOOK_AROUND: Duration = Duration::from_secs(1);

/// After what was nobody's fault, such as a full disk, it tries again after this long.
pub(super) const SHORT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct RelayThread {
    pub(super) core: Arc<Core>,
    pub(super) health: Health,
    /// Rows of which more is known than that they wait.
    pub(super) rows: Rows,
    /// Rows that the cluster will never take, and why.
    pub(super) doomed: HashMap<Sequence, Failure>,
    /// Keys whose first row waits to be tried again.
    pub(super) blocked: HashMap<u64, Duration>,
    /// When to read again from where.
    pub(super) revisit: Option<(Duration, Sequence)>,
    /// Rows up to here have been looked at.
    pub(super) cursor: Sequence,
    /// Whether there was no row behind it.
    pub(super) at_end: bool,
    /// Rows that are with the transport.
    pub(super) window: Window,
    pub(super) sent_bytes: usize,
    /// Rows that are to be moved to the spool's dead letters.
    pub(super) burials: Vec<DeadLetterRequest>,
    /// Rows that are to be removed.
    pub(super) landed: Vec<Sequence>,
    /// Rows that were removed, but may be in what was read before.
    pub(super) gone: Vec<Sequence>,
    /// Whether a removal is on its way, and when the next may be after one that failed.
    pub(super) removing: bool,
    pub(super) remove_at: Duration,
    pub(super) connect_at: Duration,
    /// When the next row may go where there is a limit per second.
    pub(super) send_at: Duration,
    pub(super) spool_lost: Option<SpoolError>,
    pub(super) reopening: Reopening,
    /// Rows that the spool counts were not found, and are looked for from its beginning.
    pub(super) searching: bool,
    log_at: Duration,
    pub(super) jitter: Jitter,
}

impl RelayThread {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let window = Window::new(core.options.relay_window);
        Self {
            core,
            health: Health::Up,
            rows: Rows::default(),
            doomed: HashMap::new(),
            blocked: HashMap::new(),
            revisit: None,
            cursor: Sequence::START,
            at_end: false,
            window,
            sent_bytes: 0,
            burials: Vec::new(),
            landed: Vec::new(),
            gone: Vec::new(),
            removing: false,
            remove_at: Duration::ZERO,
            connect_at: Duration::ZERO,
            send_at: Duration::ZERO,
            spool_lost: None,
            reopening: Reopening::default(),
            searching: false,
            log_at: Duration::ZERO,
            jitter: Jitter::new(),
        }
    }

    /// Runs until the publisher is closed. Everything is in the spool then that was published
    /// and not acknowledged.
    pub(crate) fn run(mut self) {
        loop {
            self.hear();
            self.look_after_spool();
            self.look_after_connection();
            self.bury_doomed();
            self.remove_landed();
            self.relay();
            self.look_after_health();
            self.log_stats();
            if self.may_leave() {
                break;
            }
            let until = self.next_look();
            self.core.relay.bell.wait(&self.core.clock, Some(until));
        }
        self.finish();
    }

    pub(super) fn now(&self) -> Duration {
        self.core.clock.now()
    }

    pub(super) fn spool(&self) -> Option<Arc<Spool>> {
        self.core.gate().spool.clone()
    }

    fn log_stats(&mut self) {
        if let Some(every) = self.core.options.stats_interval
            && self.log_at <= self.now()
        {
            self.log_at = self.now() + every;
            stats_of(&self.core).log();
        }
    }

    pub(super) fn next_look(&self) -> Duration {
        let now = self.now();
        let mut next = now + LOOK_AROUND;
        let mut consider = |time: Duration| next = next.min(time.max(now));
        if let Some((time, _)) = self.revisit {
            consider(time);
        }
        if let Health::Down { ask_at, .. } = self.health {
            consider(ask_at);
        }
        if let Health::Trying { .. } = self.health {
            consider(self.window.silent_since() + self.trial_step());
        }
        if !self.landed.is_empty() && !self.removing {
            consider(self.remove_at);
        }
        if self.send_at > now {
            consider(self.send_at);
        }
        if self.spool_lost.is_some() {
            consider(self.reopening.at);
        }
        if self.core.options.stats_interval.is_some() {
            consider(self.log_at);
        }
        let close_until = self.core.relay.change(|inbox| inbox.close_until);
        close_until.into_iter().for_each(consider);
        next
    }

    pub(super) fn hear(&mut self) {
        let (arrivals, answered, cluster_lost, spool_lost) = self.core.relay.change(|inbox| {
            (
                std::mem::take(&mut inbox.arrivals),
                inbox.answered,
                std::mem::take(&mut inbox.cluster_lost),
                inbox.spool_lost.take(),
            )
        });
        if cluster_lost {
            let first = self.core.options.probe_interval;
            self.health = self.health.lost(self.now(), first, &mut self.jitter);
        }
        for arrival in arrivals {
            self.take(arrival);
        }
        let rows = &self.rows;
        let recovered = (self.core.relay)
            .change(|inbox| inbox.recover(answered, |key| rows.are_with_transport(key)));
        if recovered && let Some((_, first)) = self.revisit.take() {
            self.read_from(first);
        }
        // Not here: whoever calls may have the spool in hand.
        self.spool_lost = self.spool_lost.take().or(spool_lost);
    }

    pub(super) fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Adopted(sequence, key) => self.rows.insert(sequence, Row::Held(key)),
            Arrival::Released(sequence) => self.send_again(sequence),
            Arrival::Landed(sequence) => self.land(sequence),
            Arrival::Doomed(sequence, failure) => self.doom(sequence, failure),
            Arrival::Row(reported) => self.take_row(reported),
            Arrival::Letter(reported) => self.take_letter(reported),
            Arrival::Removed(sequences, outcome) => self.take_removal(sequences, outcome),
            Arrival::Probed(Ok(())) => {
                self.health = self.health.answered(self.now());
                self.window.start_trial(self.now());
            }
            Arrival::Probed(Err(_)) => self.try_failed(),
        }
    }

    pub(super) fn take_row(&mut self, reported: Reported) {
        self.leave_transport(&reported);
        let sequence = reported.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.drained.add(1);
                self.land(sequence);
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent => self.doom(sequence, failure),
                FailureKind::Retriable => self.retry(sequence, reported.key, failure),
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.block(reported.key, self.now() + SHORT_PAUSE);
                    self.send_again(sequence);
                }
            },
        }
    }

    pub(super) fn take_letter(&mut self, reported: Reported) {
        self.leave_transport(&reported);
        let sequence = reported.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.dead.add(1);
                self.doomed.remove(&sequence);
                self.land(sequence);
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent | FailureKind::Retriable => self.bury(sequence, &failure),
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.rows.remove(sequence);
                    self.revisit(self.now() + SHORT_PAUSE, sequence);
                }
            },
        }
    }

    pub(super) fn leave_transport(&mut self, reported: &Reported) {
        self.sent_bytes -= reported.weight;
        self.window.leave(reported.sent_at, self.now());
        let failure = reported.outcome.as_ref().err();
        match failure.map(|failure| failure.kind) {
            None => self.window.widen(),
            // Many that are refused must not go one by one.
            Some(FailureKind::Permanent) => self.window.open(),
            Some(_) => {}
        }
    }

    pub(super) fn take_removal(
        &mut self,
        sequences: Vec<Sequence>,
        outcome: Result<u64, SpoolError>,
    ) {
        self.removing = false;
        match outcome {
            Ok(_) => self.gone.extend(sequences),
            // A full disk refuses removals too. They stay landed, and are not sent again.
            Err(failure) => {
                self.core.spool_failed(&failure);
                self.landed.extend(sequences);
                self.remove_at = self.now() + SHORT_PAUSE;
            }
        }
    }
}
