//! Events to the cluster, as many at a time as may be, and what each ended with.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_publish::spool::SpoolOptions;
use herald_publish::{Pending, PublishError, Publisher, PublisherOptions, Receipt};

use super::events::{Events, Next};
use super::input::Piece;
use super::make::Maker;
use super::receipts::{Receipts, Ticket};
use super::report::Report;
use crate::args::publish::Publish;
use crate::commands::spool::tell_of_recovery;
use crate::human::counted;
use crate::interrupt::Interrupt;
use crate::terminal::{self, YELLOW};
use crate::{CLEAN, DIAGNOSTICS, Failure, delivery};

/// Events whose receipts may be waited for; the publisher bounds those that have none.
const MOST_PENDING: usize = 50_000;

/// How long receipts are waited for after an interruption.
const GRACE: Duration = Duration::from_secs(5);

/// How long the spool may go on delivering when all is read.
const DRAIN: Duration = Duration::from_secs(5);

/// How often an interruption is looked for while waiting.
const LOOK: Duration = Duration::from_millis(50);

/// Why no more was read.
enum Stop {
    /// There is no more.
    End,
    Interrupted,
    /// An event got no receipt for a reason that holds for the next ones, too.
    NoWay(PublishError),
    CannotRead(io::Error),
    CannotWriteReceipts(io::Error),
}

/// Publishes everything.
pub fn run(
    events: &Events,
    maker: &Maker<'_>,
    options: PublisherOptions,
    args: &Publish,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let mut options = options;
    if let Some(path) = &args.spool {
        options = options.spool(SpoolOptions::new(path));
    }
    if let Some(timeout) = args.timeout {
        options = options.deadline(timeout);
    }
    let (publisher, opened) = Publisher::open_with_report(options)
        .map_err(|error| Failure::Message(error.to_string()))?;
    if let Some(opened) = &opened {
        tell_of_recovery(opened);
    }
    // Last, so that what failed before leaves no file in the way of the next try.
    let receipts = Receipts::open(args.receipts.as_deref())?;
    let mut run = Run {
        events,
        maker,
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
    events: &'a Events,
    maker: &'a Maker<'a>,
    interrupt: &'a Interrupt,
    /// `None` once it is closed.
    publisher: Option<Publisher>,
    /// In the order of the input.
    pending: VecDeque<(Ticket, Pending)>,
    report: Report<'a>,
    stop: Option<Stop>,
    /// Events that went through the spool and that the cluster will never take.
    dead: u64,
}

impl Run<'_> {
    fn send_all(&mut self) {
        while self.stop.is_none() {
            if self.interrupt.is_set() {
                self.stop = Some(Stop::Interrupted);
                return;
            }
            match self.events.next() {
                Next::Piece(piece) => self.send_piece(&piece),
                Next::Nothing => self.take_receipts(),
                Next::End => self.stop = Some(Stop::End),
                Next::Failed(error) => self.stop = Some(Stop::CannotRead(error)),
            }
        }
    }

    fn send_piece(&mut self, piece: &Piece) {
        let Some(publisher) = self.publisher.take() else {
            return;
        };
        for line in &piece.lines {
            if self.interrupt.is_set() {
                self.stop = Some(Stop::Interrupted);
            }
            if self.stop.is_some() {
                break;
            }
            match self.events.make(line, self.maker) {
                None => {}
                Some(Err(reason)) => {
                    let noted = self.report.not_sent(line.number, &reason);
                    self.note(noted);
                }
                Some(Ok(made)) => {
                    let ticket = Ticket::new(line.number, &made);
                    match publisher.blocking_enqueue(made.message) {
                        Ok(pending) => self.pending.push_back((ticket, pending)),
                        Err(error) => self.ended(&ticket, Err(error)),
                    }
                }
            }
            self.take_receipts();
        }
        self.publisher = Some(publisher);
        self.report.read(piece.read);
    }

    /// Takes the receipts that are there, and waits for some where too many are pending.
    fn take_receipts(&mut self) {
        while let Some((_, pending)) = self.pending.front() {
            if !pending.is_resolved() && self.pending.len() <= MOST_PENDING {
                return;
            }
            if let Some((ticket, pending)) = self.pending.pop_front() {
                self.ended(&ticket, pending.wait());
            }
        }
    }

    /// Each comes within its deadline, unless somebody does not want to wait so long.
    fn wait_for_receipts(&mut self) {
        let mut until = None;
        while let Some((ticket, pending)) = self.pending.pop_front() {
            match pending.wait_timeout(LOOK) {
                Ok(outcome) => self.ended(&ticket, outcome),
                Err(pending) => self.pending.push_front((ticket, pending)),
            }
            if self.interrupt.is_set() {
                let until = *until.get_or_insert_with(|| Instant::now() + GRACE);
                if Instant::now() >= until {
                    return;
                }
            }
        }
    }

    /// Gives the spool some time to deliver. What is pending then has an outcome.
    fn close(&mut self, spool: Option<&Path>, dead_before: u64) {
        let Some(publisher) = self.publisher.take() else {
            return;
        };
        if spool.is_some() {
            delivery::wait(&publisher, DRAIN, |stats| {
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
            .above_bar(|| delivery::report_dead(stats.dead, in_spool));
        if closed.spooled > 0 {
            let spool = spool.display().to_string();
            self.report.say(&format!(
                "{YELLOW}waiting{YELLOW:#} in {}: {}; `herald spool drain` delivers them",
                visible_line(&spool),
                counted(closed.spooled, "event")
            ));
        }
    }

    fn finish(self) -> u8 {
        let complete = self.report.is_complete() && self.dead == 0;
        let name = visible_line(&self.events.name);
        let written = self.report.finish();
        let stop = match (self.stop, written) {
            (Some(Stop::End) | None, Err(error)) => Some(Stop::CannotWriteReceipts(error)),
            (stop, _) => stop,
        };
        let stopped = match stop {
            Some(Stop::End) | None => None,
            Some(Stop::Interrupted) => Some("interrupted".to_owned()),
            Some(Stop::NoWay(error)) => Some(error.to_string()),
            Some(Stop::CannotRead(error)) => Some(format!("`{name}` can't be read: {error}")),
            Some(Stop::CannotWriteReceipts(error)) => {
                Some(format!("receipts can't be written: {error}"))
            }
        };
        if let Some(why) = &stopped {
            terminal::error(&format!("not all of `{name}` was published: {why}"));
        }
        if complete && stopped.is_none() {
            CLEAN
        } else {
            DIAGNOSTICS
        }
    }

    fn ended(&mut self, ticket: &Ticket, outcome: Result<Receipt, PublishError>) {
        if let Err(error) = &outcome
            && !is_of_one_event(error)
        {
            self.stop.get_or_insert(Stop::NoWay(error.clone()));
        }
        let noted = self.report.ended(ticket, outcome);
        self.note(noted);
    }

    fn note(&mut self, noted: io::Result<()>) {
        if let Err(error) = noted
            && matches!(self.stop, None | Some(Stop::End))
        {
            self.stop = Some(Stop::CannotWriteReceipts(error));
        }
    }
}

/// Whether other events may fare better.
fn is_of_one_event(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Envelope(_)
            | PublishError::InvalidTopic { .. }
            | PublishError::TooLargeForFlight { .. }
            | PublishError::Rejected { .. }
    )
}
