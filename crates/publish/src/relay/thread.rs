//! Relay thread: delivers the spool to the cluster, and maintains the connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use herald_spool::{DeadLetterRequest, Sequence, SpoolError};
use tracing::warn;

use super::cluster_identity::Identity;
use super::refusal_log::RefusalLog;
use super::row_table::{RowState, RowTable};
use super::spool_recovery::Reopening;
use super::window::Window;
use super::{Reported, RowEvent};
use crate::circuit::CircuitState;
use crate::core::Core;
use crate::failure::{Failure, FailureKind};
use crate::publisher::stats_of;
use crate::retry::Jitter;
use crate::store::Store;

/// Interval of checks without a notification. Dead letters that another process re-queues do not
/// notify this one.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Backoff after failures that are not caused by a row itself, such as a full disk.
pub(super) const SHORT_BACKOFF: Duration = Duration::from_millis(100);

/// Minimum interval between warnings that rows can't be removed.
pub(super) const WARN_INTERVAL: Duration = Duration::from_secs(30);

/// State of the inbox when its events were taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// Highest sequence of an answered record.
    pub(super) confirmed: Sequence,
    /// Number of changes that may have added an unsent row.
    pub(super) waits: u64,
    /// Whether the rows of those changes are answered, and so not behind `confirmed`.
    pub(super) all_answered: bool,
}

pub(crate) struct RelayThread {
    pub(super) core: Arc<Core>,
    pub(super) circuit: CircuitState,
    /// Rows in the transport, and delivered rows that are not removed yet.
    pub(super) rows: RowTable,
    /// Rows that the cluster rejected permanently, with the reason.
    pub(super) rejected: HashMap<Sequence, Failure>,
    /// Keys whose first row waits for its backoff, with the end of the wait.
    pub(super) blocked: HashMap<u64, Duration>,
    /// Time and sequence at which the relay reads again.
    pub(super) revisit: Option<(Duration, Sequence)>,
    /// Sequence up to which rows were handled.
    pub(super) cursor: Sequence,
    /// Whether the cursor has passed every row that this process knows of.
    pub(super) at_end: bool,
    /// Time of the next read at the end, for rows that another process adds.
    pub(super) read_at: Duration,
    /// State of the inbox when its events were taken.
    pub(super) seen: Seen,
    /// Window of rows in the transport.
    pub(super) window: Window,
    pub(super) sent_bytes: usize,
    /// Rows to move to the spool's dead letters.
    pub(super) dead_letters: Vec<DeadLetterRequest>,
    /// Delivered rows to remove.
    pub(super) acknowledged: Vec<Sequence>,
    /// Removed rows that a batch may still contain that was read before. They stay in `rows` until
    /// the next batch is read.
    pub(super) gone: Vec<Sequence>,
    /// Whether a removal is in progress, and the earliest time of the next one after a failure.
    pub(super) removing: bool,
    pub(super) remove_at: Duration,
    pub(super) connect_at: Duration,
    /// Earliest time of the next row, if the rate is limited or the transport was full.
    pub(super) send_at: Duration,
    pub(super) identity: Identity,
    /// When the cluster may be asked for its id again.
    pub(super) identify_at: Duration,
    pub(super) spool_lost: Option<SpoolError>,
    pub(super) reopening: Reopening,
    /// Whether the relay reads from the beginning to find rows that the spool counts but did not
    /// return.
    pub(super) searching: bool,
    /// Error with which the disk refuses rows, as was logged.
    pub(super) logged_refusal: Option<SpoolError>,
    log_at: Duration,
    pub(super) refusal_log: RefusalLog,
    /// Earliest time of the next warning about rows that can't be removed.
    warn_at: Duration,
    pub(super) jitter: Jitter,
}

impl RelayThread {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let window = Window::new(core.options.relay_window);
        let jitter = core.options.jitter();
        Self {
            core,
            circuit: CircuitState::Closed,
            rows: RowTable::default(),
            rejected: HashMap::new(),
            blocked: HashMap::new(),
            revisit: None,
            cursor: Sequence::START,
            at_end: false,
            read_at: Duration::ZERO,
            seen: Seen::default(),
            window,
            sent_bytes: 0,
            dead_letters: Vec::new(),
            acknowledged: Vec::new(),
            gone: Vec::new(),
            removing: false,
            remove_at: Duration::ZERO,
            connect_at: Duration::ZERO,
            send_at: Duration::ZERO,
            identity: Identity::Unknown,
            identify_at: Duration::ZERO,
            spool_lost: None,
            reopening: Reopening::default(),
            searching: false,
            logged_refusal: None,
            log_at: Duration::ZERO,
            refusal_log: RefusalLog::default(),
            warn_at: Duration::ZERO,
            jitter,
        }
    }

    /// Runs until the publisher is closed. Then the spool has every event that was published and not
    /// acknowledged.
    pub(crate) fn run(mut self) {
        while !self.step() {
            let until = self.next_wakeup();
            self.core.relay.notify.wait(&self.core.clock, Some(until));
        }
        self.finish();
    }

    /// Does all work that is possible now; returns whether the thread may end.
    pub(crate) fn step(&mut self) -> bool {
        self.check_spool();
        self.process_inbox();
        self.recover_spool();
        self.maintain_connection();
        self.write_dead_letters();
        self.remove_acknowledged();
        self.relay();
        self.drop_empty_orphan();
        self.update_circuit();
        self.log_write_failure();
        self.log_stats();
        self.log_refusals();
        self.may_leave()
    }

    pub(super) fn now(&self) -> Duration {
        self.core.clock.now()
    }

    pub(super) fn spool(&self) -> Option<Arc<Store>> {
        self.core.routing().spool.clone()
    }

    fn log_stats(&mut self) {
        if let Some(every) = self.core.options.stats_interval
            && self.log_at <= self.now()
        {
            self.log_at = self.now() + every;
            stats_of(&self.core).log();
        }
    }

    pub(super) fn next_wakeup(&self) -> Duration {
        let now = self.now();
        let mut next = now + POLL_INTERVAL;
        let mut consider = |time: Duration| next = next.min(time.max(now));
        if let Some((time, _)) = self.revisit {
            consider(time);
        }
        if let CircuitState::Open { probe_at, .. } = self.circuit {
            consider(probe_at);
        }
        if let CircuitState::HalfOpen { .. } = self.circuit {
            consider(self.window.silent_since() + self.trial_step());
        }
        let has_spool = self.core.routing().spool.is_some();
        if has_spool && !self.acknowledged.is_empty() && !self.removing {
            consider(self.remove_at);
        }
        if self.send_at > now {
            consider(self.send_at);
        }
        if self.identity == Identity::Unknown && self.identify_at > now {
            consider(self.identify_at);
        }
        if self.spool_lost.is_some() {
            consider(self.reopening.at);
        }
        if self.core.options.stats_interval.is_some() {
            consider(self.log_at);
        }
        self.refusal_log.next().into_iter().for_each(&mut consider);
        let close_until = self.core.relay.change(|inbox| inbox.close_until);
        close_until.into_iter().for_each(consider);
        next
    }

    pub(super) fn process_inbox(&mut self) {
        let (events, answered, cluster_lost, spool_lost) = self.core.relay.change(|inbox| {
            self.seen = Seen {
                confirmed: inbox.confirmed,
                waits: inbox.waits,
                all_answered: inbox.has_answered_waiting(),
            };
            (
                std::mem::take(&mut inbox.events),
                inbox.tickets.answered(),
                std::mem::take(&mut inbox.cluster_lost),
                inbox.spool_lost.take(),
            )
        });
        if cluster_lost {
            let first = self.core.options.probe_interval;
            self.circuit = self.circuit.lost(self.now(), first, &mut self.jitter);
        }
        for event in events {
            self.handle(event);
        }
        self.at_end &= self.cursor >= self.seen.confirmed;
        let rows = &self.rows;
        let recovered = (self.core.relay)
            .change(|inbox| inbox.recover(answered, |key| rows.are_with_transport(key)));
        if recovered && let Some((_, first)) = self.revisit.take() {
            self.read_from(first);
        }
        // Only noted: the caller may hold a reference to the spool, and reopening needs the last one.
        self.spool_lost = self.spool_lost.take().or(spool_lost);
    }

    pub(super) fn handle(&mut self, event: RowEvent) {
        match event {
            RowEvent::Spilled(sequence, key) => {
                self.rows.insert(sequence, RowState::WithTransport(key));
                self.need_not_read(sequence);
            }
            RowEvent::Requeued(sequence) => self.send_again(sequence),
            RowEvent::Acknowledged(sequence) => {
                self.mark_acknowledged(sequence);
                self.need_not_read(sequence);
            }
            RowEvent::Rejected(sequence, failure) => self.reject_permanently(sequence, failure),
            RowEvent::Row(reported) => self.handle_row(reported),
            RowEvent::DeadLetter(reported) => self.handle_dead_letter(reported),
            RowEvent::Removed(sequences, outcome) => self.handle_removal(sequences, outcome),
            RowEvent::Identified(outcome) => self.handle_identity(outcome),
            RowEvent::LimitsAnswered(topic) => self.core.limits_answered(topic),
            RowEvent::Probed(Ok(())) => {
                self.circuit = self.circuit.answered(self.now());
                self.window.start_trial(self.now());
            }
            RowEvent::Probed(Err(_)) => self.trial_failed(),
        }
    }

    pub(super) fn handle_row(&mut self, reported: Reported) {
        self.leave_transport(&reported);
        let sequence = reported.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.drained.add(1);
                self.mark_acknowledged(sequence);
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent => self.reject_permanently(sequence, failure),
                FailureKind::Retriable => self.retry(sequence, reported.key, failure),
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.block(reported.key, self.now() + SHORT_BACKOFF);
                    self.send_again(sequence);
                }
            },
        }
    }

    pub(super) fn handle_dead_letter(&mut self, reported: Reported) {
        self.leave_transport(&reported);
        let sequence = reported.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.dead.add(1);
                self.rejected.remove(&sequence);
                self.mark_acknowledged(sequence);
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent | FailureKind::Retriable => {
                    self.dead_letter(sequence, &failure);
                }
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.rows.remove(sequence);
                    self.revisit(self.now() + SHORT_BACKOFF, sequence);
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
            // A rejection shows that the cluster answers: many rejected rows must not go one by one.
            Some(FailureKind::Permanent) => self.window.open(),
            Some(_) => {}
        }
    }

    fn warn_of_removal(&mut self, failure: &SpoolError) {
        if self.now() < self.warn_at {
            return;
        }
        self.warn_at = self.now() + WARN_INTERVAL;
        warn!(
            target: "herald::publisher",
            code = failure.code().as_str(),
            error = %failure,
            rows = self.acknowledged.len(),
            "rows of the spool are delivered but can't be removed from the disk; they would be \
             delivered again after a restart"
        );
    }

    pub(super) fn handle_removal(
        &mut self,
        sequences: Vec<Sequence>,
        outcome: Result<u64, SpoolError>,
    ) {
        self.removing = false;
        match outcome {
            Ok(_) => self.gone.extend(sequences),
            // A full disk rejects removals too. The rows stay in `acknowledged`, and are not sent again
            // by this process.
            Err(failure) => {
                self.core.spool_failed(&failure);
                self.acknowledged.extend(sequences);
                self.remove_at = self.now() + SHORT_BACKOFF;
                self.warn_of_removal(&failure);
            }
        }
    }
}
