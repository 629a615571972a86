//! Relay thread: delivers the spool to the cluster, and maintains the connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use herald_spool::{Sequence, SpoolError};

use super::cluster_identity::Identity;
use super::cursor::Cursor;
use super::refusal_log::RefusalLog;
use super::removal::Removal;
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
    pub(super) cursor: Cursor,
    /// State of the inbox when its events were taken.
    pub(super) seen: Seen,
    /// Window of rows in the transport.
    pub(super) window: Window,
    pub(super) removal: Removal,
    pub(super) connect_at: Duration,
    pub(super) identity: Identity,
    pub(super) reopening: Reopening,
    /// Whether the relay reads from the beginning to find rows that the spool counts but did not
    /// return.
    pub(super) searching: bool,
    /// Error with which the disk refuses rows, as was logged.
    pub(super) logged_refusal: Option<SpoolError>,
    log_at: Duration,
    pub(super) refusal_log: RefusalLog,
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
            cursor: Cursor::default(),
            seen: Seen::default(),
            window,
            removal: Removal::default(),
            connect_at: Duration::ZERO,
            identity: Identity::UNKNOWN,
            reopening: Reopening::default(),
            searching: false,
            logged_refusal: None,
            log_at: Duration::ZERO,
            refusal_log: RefusalLog::default(),
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

    pub(crate) fn next_wakeup(&self) -> Duration {
        let now = self.now();
        let mut next = now + POLL_INTERVAL;
        let mut consider = |time: Duration| next = next.min(time.max(now));
        self.cursor.back_at().into_iter().for_each(&mut consider);
        if let CircuitState::Open { probe_at, .. } = self.circuit {
            consider(probe_at);
        }
        let has_spool = self.core.routing().spool.is_some();
        if let CircuitState::HalfOpen { since, .. } = self.circuit {
            consider(since + self.core.options.deadline_or_default());
            let widens_at = self.widens_at().filter(|_| has_spool);
            widens_at.into_iter().for_each(&mut consider);
        }
        if has_spool {
            self.removal.next().into_iter().for_each(&mut consider);
        }
        if self.window.open_at() > now {
            consider(self.window.open_at());
        }
        let ask_at = self.identity.ask_at().filter(|at| *at > now);
        ask_at.into_iter().for_each(&mut consider);
        if self.reopening.failure.is_some() {
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
        self.cursor.note_last(self.seen.confirmed);
        let rows = &self.rows;
        let recovered =
            (self.core.relay).change(|inbox| inbox.recover(answered, rows.keys_with_transport()));
        if recovered {
            self.cursor.go_back_now();
        }
        // Only noted: the caller may hold a reference to the spool, and reopening needs the last one.
        self.reopening.failure = self.reopening.failure.take().or(spool_lost);
    }

    pub(super) fn handle(&mut self, event: RowEvent) {
        match event {
            RowEvent::Spilled(sequence, key) => {
                self.rows.insert(sequence, RowState::WithTransport(key));
                self.cursor.pass_next(sequence);
            }
            RowEvent::Requeued(sequence) => self.send_again(sequence),
            RowEvent::Acknowledged(record) => {
                self.mark_acknowledged(record);
                self.cursor.pass_next(record.sequence);
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
        let row = reported.row;
        let sequence = row.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.drained.add(1);
                self.mark_acknowledged(row.acknowledged());
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent => self.reject_permanently(sequence, failure),
                FailureKind::Retriable => self.retry(sequence, row.key, failure),
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.block(row.key, self.now() + SHORT_BACKOFF);
                    self.send_again(sequence);
                }
            },
        }
    }

    pub(super) fn handle_dead_letter(&mut self, reported: Reported) {
        self.leave_transport(&reported);
        let sequence = reported.row.sequence;
        match reported.outcome {
            Ok(_) => {
                self.core.counters.dead.add(1);
                self.rejected.remove(&sequence);
                self.mark_acknowledged(reported.row.acknowledged());
            }
            Err(failure) => match failure.kind {
                FailureKind::Permanent | FailureKind::Retriable => {
                    self.dead_letter(sequence, &failure);
                }
                FailureKind::Fatal | FailureKind::Full | FailureKind::Abandoned => {
                    self.send_later(self.now() + SHORT_BACKOFF, sequence);
                }
            },
        }
    }

    pub(super) fn leave_transport(&mut self, reported: &Reported) {
        let now = self.now();
        self.window
            .leave(reported.row.sent_at, now, reported.row.weight);
        let failure = reported.outcome.as_ref().err();
        match failure.map(|failure| failure.kind) {
            None => self.window.widen(),
            // A rejection shows that the cluster answers: many rejected rows must not go one by one.
            Some(FailureKind::Permanent) => self.window.open(),
            Some(_) => {}
        }
    }
}
