//! Events as they arrive, for people and for programs.

mod filter;
mod jsonl;
mod readable;
mod seen;
mod text;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant, SystemTime};

use herald_diagnostics::render::visible_line;
use herald_publish::kafka::{Heard, Listener, Received};

use crate::args::events::{End, EventFormat, Show};
use crate::connection::failed;
use crate::human::counted;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, GREEN, YELLOW};
use crate::{CLEAN, DIAGNOSTICS, Failure};

use filter::{Filter, Verdict};
use seen::Seen;

pub use filter::glob;

/// How long an interruption may take to be noticed.
const LOOK: Duration = Duration::from_millis(100);

/// Bytes that are gathered before they are written, while more events are at hand.
const GATHERED: usize = 64 * 1024;

/// Shows what a listener hears until there is a reason to end, and gives the exit code.
pub fn watch(
    listener: &mut Listener,
    show: &Show,
    end: &End,
    duration: Option<Duration>,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let mut watch = Watch::new(show, end, duration)?;
    let ended = loop {
        if let Some(ended) = watch.ended(interrupt) {
            break ended;
        }
        // While something is to be written, only what is there already is added to it.
        let patience = if watch.gathered.is_empty() {
            LOOK
        } else {
            Duration::ZERO
        };
        match listener
            .next(patience)
            .map_err(|failure| failed(&failure))?
        {
            Some(Heard::Record(record)) => watch.hear(&record)?,
            Some(Heard::Trouble(failure)) => {
                watch.write()?;
                let detail = visible_line(&failure.detail);
                terminal::status(&format!("{YELLOW}waiting{YELLOW:#}: {detail}"));
            }
            Some(Heard::Recovered) => {
                watch.write()?;
                terminal::status(&format!("{GREEN}connected{GREEN:#} again"));
            }
            None => watch.write()?,
        }
    };
    watch.write()?;
    Ok(watch.finish(&ended))
}

/// Why showing events ended.
enum Ended {
    Count,
    Idle(Duration),
    Duration,
    Interrupt,
}

struct Watch<'a> {
    filter: Filter,
    format: EventFormat,
    text: text::Text,
    end: &'a End,
    duration: Option<Duration>,
    started: Instant,
    started_at: SystemTime,
    /// When something was last heard that keeps the command going.
    alive: Instant,
    shown: u64,
    /// Records that a filter for envelopes could not be asked about.
    left_out: u64,
    gathered: String,
}

impl<'a> Watch<'a> {
    fn new(show: &Show, end: &'a End, duration: Option<Duration>) -> Result<Self, Failure> {
        Ok(Self {
            filter: Filter::new(show)?,
            format: show.format,
            text: text::Text::new(show.full),
            end,
            duration,
            started: Instant::now(),
            started_at: SystemTime::now(),
            alive: Instant::now(),
            shown: 0,
            left_out: 0,
            gathered: String::new(),
        })
    }

    fn hear(&mut self, record: &Received) -> Result<(), Failure> {
        let seen = Seen::of(record);
        match self.filter.judge(&seen) {
            Verdict::Shown => {
                self.shown += 1;
                match self.format {
                    EventFormat::Text => self.text.write(&seen, &mut self.gathered),
                    EventFormat::Jsonl => self.gathered.push_str(&jsonl::line(&seen)?),
                }
            }
            Verdict::NoEnvelope => self.left_out += 1,
            Verdict::Hidden => {
                // Whoever looks for something in a long history is not idle while reading it.
                if record.timestamp.is_none_or(|time| time >= self.started_at) {
                    return Ok(());
                }
            }
        }
        self.alive = Instant::now();
        if self.gathered.len() >= GATHERED {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut out = anstream::stdout().lock();
        out.write_all(self.gathered.as_bytes())?;
        self.gathered.clear();
        out.flush()
    }

    fn ended(&self, interrupt: &Interrupt) -> Option<Ended> {
        if self.end.count.is_some_and(|count| self.shown >= count) {
            return Some(Ended::Count);
        }
        if interrupt.is_set() {
            return Some(Ended::Interrupt);
        }
        if self
            .duration
            .is_some_and(|duration| self.started.elapsed() >= duration)
        {
            return Some(Ended::Duration);
        }
        let idle = self.end.idle.filter(|idle| self.alive.elapsed() >= *idle);
        idle.map(Ended::Idle)
    }

    /// Says how it ended.
    fn finish(&self, ended: &Ended) -> u8 {
        if matches!(ended, Ended::Interrupt) && io::stderr().is_terminal() {
            // Behind the `^C` that the terminal shows.
            terminal::status("");
        }
        let of = self.end.count.filter(|count| self.shown < *count);
        let mut said = match of {
            Some(count) => format!("{} of {} shown", self.shown, counted(count, "event")),
            None => format!("{} shown", counted(self.shown, "event")),
        };
        if let Ended::Idle(idle) = ended {
            let _ = write!(said, ", nothing more for {idle:?}");
        }
        if self.left_out > 0 {
            let records = counted(self.left_out, "record");
            let _ = write!(said, "; {records} left out that are no envelopes");
        }
        if of.is_some() {
            terminal::error(&said);
            DIAGNOSTICS
        } else {
            terminal::status(&format!("{DIM}{said}{DIM:#}"));
            CLEAN
        }
    }
}
