//! Printing of events as they arrive.

mod filter;
mod jsonl;
mod parsed_record;
mod text;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant, SystemTime};

use herald_diagnostics::render::visible_line;
use herald_publish::kafka::{ConsumerRecord, ReaderEvent, TopicReader};

use crate::args::events::{DisplayArgs, EventFormat, StopArgs};
use crate::connection::cluster_error;
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, GREEN, YELLOW};
use crate::{Error, ExitStatus};

use filter::{Filter, FilterResult};
use parsed_record::ParsedRecord;

pub use filter::glob;

/// Time between two checks for an interruption.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Bytes that are buffered before they are written while more events are available.
const FLUSH_BYTES: usize = 64 * 1024;

/// Prints the events of a listener until a stop condition holds.
pub fn watch(
    listener: &mut TopicReader,
    show: &DisplayArgs,
    end: &StopArgs,
    duration: Option<Duration>,
    interrupt: &Interrupt,
) -> Result<ExitStatus, Error> {
    let mut printer = EventPrinter::new(show, end, duration)?;
    let stop_reason = loop {
        if let Some(stop_reason) = printer.stop_reason(interrupt) {
            break stop_reason;
        }
        // With bytes in the buffer, take only records that are here already, then flush.
        let timeout = if printer.buffer.is_empty() {
            POLL_INTERVAL
        } else {
            Duration::ZERO
        };
        match listener
            .next(timeout)
            .map_err(|failure| cluster_error(&failure))?
        {
            Some(ReaderEvent::Record(record)) => printer.handle_record(&record)?,
            Some(ReaderEvent::Interrupted(failure)) => {
                printer.flush()?;
                let detail = visible_line(&failure.detail);
                terminal::status(&format!("{YELLOW}waiting{YELLOW:#}: {detail}"));
            }
            Some(ReaderEvent::Recovered) => {
                printer.flush()?;
                terminal::status(&format!("{GREEN}reconnected{GREEN:#}"));
            }
            None => printer.flush()?,
        }
    };
    printer.flush()?;
    Ok(printer.finish(&stop_reason))
}

/// Reason for which printing stopped.
enum StopReason {
    Count,
    Idle(Duration),
    Duration,
    Interrupt,
}

struct EventPrinter<'a> {
    filter: Filter,
    format: EventFormat,
    text: text::Text,
    end: &'a StopArgs,
    duration: Option<Duration>,
    started: Instant,
    started_at: SystemTime,
    /// Time of the last record that restarts the `--idle` timer.
    last_activity: Instant,
    shown: u64,
    /// Records that are not envelopes while a filter needs one.
    skipped: u64,
    buffer: String,
}

impl<'a> EventPrinter<'a> {
    fn new(
        show: &DisplayArgs,
        end: &'a StopArgs,
        duration: Option<Duration>,
    ) -> Result<Self, Error> {
        Ok(Self {
            filter: Filter::new(show)?,
            format: show.format,
            text: text::Text::new(show.full),
            end,
            duration,
            started: Instant::now(),
            started_at: SystemTime::now(),
            last_activity: Instant::now(),
            shown: 0,
            skipped: 0,
            buffer: String::new(),
        })
    }

    fn handle_record(&mut self, record: &ConsumerRecord) -> Result<(), Error> {
        let parsed = ParsedRecord::of(record);
        match self.filter.apply(&parsed) {
            FilterResult::Show => {
                self.shown += 1;
                match self.format {
                    EventFormat::Text => self.text.write(&parsed, &mut self.buffer),
                    EventFormat::Jsonl => self.buffer.push_str(&jsonl::line(&parsed)?),
                }
            }
            FilterResult::NotAnEnvelope => self.skipped += 1,
            FilterResult::Hide => {
                // A hidden record from before the start means that history is still being read,
                // which is not idleness.
                if record.timestamp.is_none_or(|time| time >= self.started_at) {
                    return Ok(());
                }
            }
        }
        self.last_activity = Instant::now();
        if self.buffer.len() >= FLUSH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut out = anstream::stdout().lock();
        out.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        out.flush()
    }

    fn stop_reason(&self, interrupt: &Interrupt) -> Option<StopReason> {
        if self.end.count.is_some_and(|count| self.shown >= count) {
            return Some(StopReason::Count);
        }
        if interrupt.is_set() {
            return Some(StopReason::Interrupt);
        }
        if self
            .duration
            .is_some_and(|duration| self.started.elapsed() >= duration)
        {
            return Some(StopReason::Duration);
        }
        let idle = self
            .end
            .idle
            .filter(|idle| self.last_activity.elapsed() >= *idle);
        idle.map(StopReason::Idle)
    }

    /// Prints the last line and returns the exit status.
    fn finish(&self, stop_reason: &StopReason) -> ExitStatus {
        if matches!(stop_reason, StopReason::Interrupt) && io::stderr().is_terminal() {
            // Ends the line with the `^C` that the terminal echoed.
            terminal::status("");
        }
        let missing_of = self.end.count.filter(|wanted| self.shown < *wanted);
        let mut summary = match missing_of {
            Some(wanted) => format!("{} of {} shown", self.shown, count(wanted, "event")),
            None => format!("{} shown", count(self.shown, "event")),
        };
        if let StopReason::Idle(idle) = stop_reason {
            let _ = write!(summary, ", then none for {idle:?}");
        }
        if self.skipped > 0 {
            let records = count(self.skipped, "record");
            let _ = write!(summary, "; skipped {records} that are not envelopes");
        }
        if missing_of.is_some() {
            terminal::error(&summary);
            ExitStatus::Problems
        } else {
            terminal::status(&format!("{DIM}{summary}{DIM:#}"));
            ExitStatus::Success
        }
    }
}
