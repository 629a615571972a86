//! Progress and summary of `herald publish`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_publish::{PublishError, Receipt};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::event_source::EventSource;
use super::receipts::{Receipts, Ticket};
use crate::format::count;
use crate::terminal::{self, DIM, GREEN, RED, YELLOW};

/// Refused events that are printed, in total and per reason; `--receipts` has all.
const MAX_SHOWN: u64 = 50;
const MAX_SHOWN_PER_REASON: u64 = 3;

/// Reasons that are counted separately.
const MAX_REASONS: usize = 1000;

/// Partitions that the summary lists.
const MAX_PARTITIONS: usize = 24;

/// Time between two updates of the progress bar.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Delivered events of one partition.
struct Delivered {
    events: u64,
    first: i64,
    last: i64,
}

/// Counts outcomes, writes receipts and draws the progress bar.
pub struct Report<'a> {
    events: &'a EventSource,
    started: Instant,
    delivered: BTreeMap<(Arc<str>, i32), Delivered>,
    spooled: u64,
    refused: u64,
    /// Events in the spool at the end.
    waiting: u64,
    /// Refused events that were printed.
    shown: u64,
    reasons: HashMap<String, u64>,
    receipts: Receipts,
    bar: ProgressBar,
    drawn: Instant,
}

impl<'a> Report<'a> {
    pub fn new(events: &'a EventSource, receipts: Receipts) -> Self {
        Self {
            events,
            started: Instant::now(),
            delivered: BTreeMap::new(),
            spooled: 0,
            refused: 0,
            waiting: 0,
            shown: 0,
            reasons: HashMap::new(),
            receipts,
            bar: bar(events.bytes),
            drawn: Instant::now(),
        }
    }

    /// Records the outcome of an event that was enqueued. Fails if its receipt can't be written.
    pub fn ended(
        &mut self,
        ticket: &Ticket,
        outcome: Result<Receipt, PublishError>,
    ) -> io::Result<()> {
        let written = self.receipts.ended(ticket, &outcome);
        match outcome {
            Ok(receipt) => self.count(receipt),
            Err(error) => self.refuse(ticket.line, &error.to_string()),
        }
        written
    }

    /// Records an event that could not be enqueued.
    pub fn not_sent(&mut self, line: u64, reason: &str) -> io::Result<()> {
        self.refuse(line, reason);
        self.receipts.not_sent(line, reason)
    }

    /// Updates the progress bar with the bytes of the input that were read.
    pub fn read(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
        if self.drawn.elapsed() >= REDRAW_INTERVAL {
            self.drawn = Instant::now();
            let events = self.receipts_given();
            let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let rate = events.saturating_mul(1000) / millis.max(1);
            self.bar.set_message(format!(
                "{}, {} a second",
                count(events, "receipt"),
                HumanCount(rate)
            ));
        }
    }

    /// Sets the number of events that are in the spool at the end.
    pub fn left_in_spool(&mut self, waiting: u64) {
        self.waiting = waiting;
    }

    /// Prints a status line above the progress bar.
    pub fn say(&self, message: &str) {
        self.above_bar(|| terminal::status(message));
    }

    /// Runs `write` while the progress bar is hidden.
    pub fn above_bar(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Returns whether every event that was read has a receipt.
    pub fn is_complete(&self) -> bool {
        self.refused == 0
    }

    /// Removes the progress bar, flushes the receipts and prints the summary.
    pub fn finish(mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        let written = self.receipts.flush();
        let events = self.receipts_given();
        let seconds = self.started.elapsed().as_secs_f64();
        let delivered = events - self.spooled;
        if delivered > 0 {
            terminal::status(&format!(
                "{GREEN}delivered{GREEN:#} {} in {seconds:.1} s",
                count(delivered, "event")
            ));
            self.print_partitions();
        }
        if self.spooled > 0 {
            let since = if self.waiting == 0 {
                ", and delivered from there since"
            } else {
                ""
            };
            terminal::status(&format!(
                "{YELLOW}spooled{YELLOW:#} {}: safe on the local disk{since}",
                count(self.spooled, "event")
            ));
        }
        if self.refused > 0 {
            let more = match self.refused - self.shown {
                0 => String::new(),
                more => format!(
                    "; {} not shown here, use --receipts FILE for all",
                    HumanCount(more)
                ),
            };
            let events = count(self.refused, "event");
            terminal::status(&format!("{RED}refused{RED:#} {events}{more}"));
        }
        if events == 0 && self.refused == 0 {
            terminal::status(&format!("no events in {}", visible_line(&self.events.name)));
        }
        written
    }

    fn print_partitions(&self) {
        for ((topic, partition), delivered) in self.delivered.iter().take(MAX_PARTITIONS) {
            let offsets = if delivered.first == delivered.last {
                format!("offset {}", delivered.first)
            } else {
                format!("offsets {} to {}", delivered.first, delivered.last)
            };
            terminal::status(&format!(
                "  {} {DIM}partition{DIM:#} {partition}  {}  {DIM}{offsets}{DIM:#}",
                visible_line(topic),
                count(delivered.events, "event"),
            ));
        }
        let more = self.delivered.len().saturating_sub(MAX_PARTITIONS);
        if more > 0 {
            let more = count(more, "more partition");
            terminal::status(&format!("  {DIM}and {more}{DIM:#}"));
        }
    }

    fn receipts_given(&self) -> u64 {
        let delivered = self.delivered.values().map(|delivered| delivered.events);
        delivered.sum::<u64>() + self.spooled
    }

    fn count(&mut self, receipt: Receipt) {
        match receipt {
            Receipt::Delivered {
                topic,
                partition,
                offset,
            } => {
                let delivered = self.delivered.entry((topic, partition));
                let delivered = delivered.or_insert(Delivered {
                    events: 0,
                    first: offset,
                    last: offset,
                });
                delivered.events += 1;
                delivered.first = delivered.first.min(offset);
                delivered.last = delivered.last.max(offset);
            }
            Receipt::Spooled { .. } => self.spooled += 1,
        }
    }

    fn refuse(&mut self, line: u64, reason: &str) {
        self.refused += 1;
        if self.shown < MAX_SHOWN && self.should_show(reason) {
            self.shown += 1;
            let text = format!("{}: {reason}", self.events.place(line));
            self.say(&format!("{RED}refused{RED:#} {}", visible_line(&text)));
        }
    }

    fn should_show(&mut self, reason: &str) -> bool {
        if self.reasons.len() >= MAX_REASONS && !self.reasons.contains_key(reason) {
            return true;
        }
        let count = self.reasons.entry(reason.to_owned()).or_default();
        *count += 1;
        *count <= MAX_SHOWN_PER_REASON
    }
}

fn bar(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{spinner} {wide_bar} {percent}%  {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(REDRAW_INTERVAL);
    bar
}
