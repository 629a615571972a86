//! Publishing of all events of a run.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_publish::spool::SpoolOptions;
use herald_publish::{Pending, PublishError, Publisher, PublisherOptions, Receipt};

use super::event_source::{EventSource, Next};
use super::input::Chunk;
use super::message_builder::MessageBuilder;
use super::receipts::{Receipts, Ticket};
use super::report::Report;
use crate::args::publish::Publish;
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, YELLOW};
use crate::{Error, ExitStatus, delivery};

/// Events that may be queued here for their receipts to be read in order. The publisher itself
/// limits those without an outcome.
const MAX_PENDING: usize = 50_000;

/// Time to wait for receipts after an interruption.
const INTERRUPT_GRACE: Duration = Duration::from_secs(5);

/// Time for the spool to deliver after the end of the input.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Time between two checks for an interruption while waiting for receipts.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Reason for which reading stopped.
enum StopReason {
    /// The end of the input.
    End,
    Interrupted,
    /// An event failed for a reason that affects the following events too.
    PublisherFailed(PublishError),
    CannotRead(io::Error),
    CannotWriteReceipts(io::Error),
}

/// Publishes everything.
pub fn run(
    events: &EventSource,
    builder: &MessageBuilder<'_>,
    options: PublisherOptions,
    args: &Publish,
    interrupt: &Interrupt,
) -> Result<ExitStatus, Error> {
    let mut options = options;
    if let Some(path) = &args.spool {
        options = options.spool(SpoolOptions::new(path));
    }
    if let Some(timeout) = args.timeout {
        options = options.deadline(timeout);
    }
    let (publisher, opened) =
        Publisher::open_with_report(options).map_err(|error| Error::Message(error.to_string()))?;
    if let Some(opened) = &opened {
        delivery::report_recovery(opened);
    }
    // Created last, so that an earlier failure leaves no file that blocks the next run.
    let receipts = Receipts::open(args.receipts.as_deref())?;
    let mut run = Run {
        events,
        builder,
        interrupt,
        publisher: Some(publisher),
        pending: VecDeque::new(),
        report: Report::new(events, receipts),
        stop: None,
        dead: 0,
    };
    run.send_all();
    run.wait_for_receipts();
    run.close(
        args.spool.as_deref(),
        opened.map_or(0, |opened| opened.dead),
    );
    Ok(run.finish())
}

struct Run<'a> {
    events: &'a EventSource,
    builder: &'a MessageBuilder<'a>,
    interrupt: &'a Interrupt,
    /// `None` once it is closed.
    publisher: Option<Publisher>,
    /// In the order of the input.
    pending: VecDeque<(Ticket, Pending)>,
    report: Report<'a>,
    stop: Option<StopReason>,
    /// Events from the spool that the cluster rejected permanently.
    dead: u64,
}

impl Run<'_> {
    fn send_all(&mut self) {
        while self.stop.is_none() {
            if self.interrupt.is_set() {
                self.stop = Some(StopReason::Interrupted);
                return;
            }
            match self.events.next() {
                Next::Chunk(chunk) => self.send_chunk(&chunk),
                Next::Nothing => self.take_receipts(),
                Next::End => self.stop = Some(StopReason::End),
                Next::Failed(error) => self.stop = Some(StopReason::CannotRead(error)),
            }
        }
    }

    fn send_chunk(&mut self, chunk: &Chunk) {
        let Some(publisher) = self.publisher.take() else {
            return;
        };
        for line in chunk.lines() {
            if self.interrupt.is_set() {
                self.stop = Some(StopReason::Interrupted);
            }
            if self.stop.is_some() {
                break;
            }
            match self.events.build(&line, self.builder) {
                None => {}
                Some(Err(reason)) => {
                    let noted = self.report.not_sent(line.number, &reason);
                    self.note(noted);
                }
                Some(Ok(built)) => {
                    let ticket = Ticket::new(line.number, &built);
                    let message = publisher.with_schema(built.message, &built.record);
                    match publisher.blocking_enqueue(message) {
                        Ok(pending) => self.pending.push_back((ticket, pending)),
                        Err(error) => self.ended(&ticket, Err(error)),
                    }
                }
            }
            self.take_receipts();
        }
        self.publisher = Some(publisher);
        self.report.read(chunk.read);
    }

    /// Takes available receipts in order, and waits for the first if too many are pending.
    fn take_receipts(&mut self) {
        while let Some((_, pending)) = self.pending.front() {
            if !pending.is_resolved() && self.pending.len() <= MAX_PENDING {
                return;
            }
            if let Some((ticket, pending)) = self.pending.pop_front() {
                self.ended(&ticket, pending.wait());
            }
        }
    }

    /// Waits for the remaining receipts. Each has a deadline; an interruption shortens the wait.
    fn wait_for_receipts(&mut self) {
        let mut until = None;
        while let Some((ticket, pending)) = self.pending.pop_front() {
            match pending.wait_timeout(POLL_INTERVAL) {
                Ok(outcome) => self.ended(&ticket, outcome),
                Err(pending) => self.pending.push_front((ticket, pending)),
            }
            if self.interrupt.is_set() {
                let until = *until.get_or_insert_with(|| Instant::now() + INTERRUPT_GRACE);
                if Instant::now() >= until {
                    return;
                }
            }
        }
    }

    /// Gives the spool some time to deliver, then closes the publisher, which resolves all pending
    /// receipts.
    fn close(&mut self, spool: Option<&Path>, dead_before: u64) {
        let Some(publisher) = self.publisher.take() else {
            return;
        };
        if spool.is_some() {
            delivery::wait_until_drained(&publisher, DRAIN_TIMEOUT, |stats| {
                stats.reachable && !self.interrupt.is_set()
            });
        }
        let stats = publisher.stats();
        let closed = publisher.close(Duration::ZERO);
        while let Some((ticket, pending)) = self.pending.pop_front() {
            self.ended(&ticket, pending.wait());
        }
        let (Ok(closed), Some(spool)) = (closed, spool) else {
            return;
        };
        self.report.left_in_spool(closed.spooled);
        self.dead = stats.dead;
        let in_spool = closed.dead.saturating_sub(dead_before);
        self.report
            .above_bar(|| delivery::report_dead_letters(stats.dead, in_spool));
        if closed.spooled > 0 {
            self.report.say(&format!(
                "{YELLOW}waiting{YELLOW:#} {} in {}; run `herald spool drain` to deliver",
                count(closed.spooled, "event"),
                terminal::path(spool)
            ));
        }
    }

    fn finish(self) -> ExitStatus {
        let complete = self.report.is_complete() && self.dead == 0;
        let name = visible_line(&self.events.name);
        let written = self.report.finish();
        let stop = match (self.stop, written) {
            (Some(StopReason::End) | None, Err(error)) => {
                Some(StopReason::CannotWriteReceipts(error))
            }
            (stop, _) => stop,
        };
        let stopped = match stop {
            Some(StopReason::End) | None => None,
            Some(StopReason::Interrupted) => Some("interrupted".to_owned()),
            Some(StopReason::PublisherFailed(error)) => Some(error.to_string()),
            Some(StopReason::CannotRead(error)) => Some(format!("can't read it: {error}")),
            Some(StopReason::CannotWriteReceipts(error)) => {
                Some(format!("can't write receipts: {error}"))
            }
        };
        if let Some(why) = &stopped {
            terminal::error(&format!("`{name}` was not published completely: {why}"));
        }
        if complete && stopped.is_none() {
            ExitStatus::Success
        } else {
            ExitStatus::Problems
        }
    }

    fn ended(&mut self, ticket: &Ticket, outcome: Result<Receipt, PublishError>) {
        if let Err(error) = &outcome
            && !affects_one_event(error)
        {
            self.stop
                .get_or_insert(StopReason::PublisherFailed(error.clone()));
        }
        let noted = self.report.ended(ticket, outcome);
        self.note(noted);
    }

    fn note(&mut self, noted: io::Result<()>) {
        if let Err(error) = noted
            && matches!(self.stop, None | Some(StopReason::End))
        {
            self.stop = Some(StopReason::CannotWriteReceipts(error));
        }
    }
}

/// Returns whether an error concerns this event only.
fn affects_one_event(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Envelope(_)
            | PublishError::InvalidTopic { .. }
            | PublishError::TooLargeForFlight { .. }
            | PublishError::Rejected { .. }
    )
}
