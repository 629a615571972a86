//! What became of each event, for people and for programs.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use herald_diagnostics::render::visible_line;
use herald_envelope::Uuid;
use herald_publish::{PublishError, Receipt};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::events::Events;
use super::make::Made;
use crate::human::counted;
use crate::terminal::{self, DIM, GREEN, RED, YELLOW};
use crate::{Failure, output};

/// Refusals that people are shown, of all reasons and of one; `--receipts` has all.
const SHOWN: u64 = 50;
const SHOWN_OF_A_REASON: u64 = 3;

/// Reasons that are told apart.
const REASONS: usize = 1000;

/// Lines of the summary that are partitions.
const PARTITIONS: usize = 24;

/// Time between two looks at the clock for the progress bar.
const REDRAW: Duration = Duration::from_millis(100);

/// An event that was handed to the publisher.
pub struct Ticket {
    line: u64,
    event_id: Uuid,
    event_type: String,
    topic: String,
}

impl Ticket {
    pub fn new(line: u64, made: &Made) -> Self {
        Self {
            line,
            event_id: made.event_id,
            event_type: made.event_type.clone(),
            topic: made.message.topic().to_owned(),
        }
    }
}

/// Events of one partition.
struct Delivered {
    events: u64,
    first: i64,
    last: i64,
}

/// Counts, writes receipts, and shows how far it is.
pub struct Report<'a> {
    events: &'a Events,
    started: Instant,
    delivered: BTreeMap<(String, i32), Delivered>,
    spooled: u64,
    refused: u64,
    /// Those that were shown, and how many by their reasons.
    shown: u64,
    reasons: HashMap<String, u64>,
    receipts: Option<Box<dyn Write>>,
    bar: ProgressBar,
    drawn: Instant,
}

impl<'a> Report<'a> {
    /// Opens the file for receipts, which must not be there yet.
    pub fn new(events: &'a Events, receipts: Option<&Path>) -> Result<Self, Failure> {
        let receipts = receipts.map(open).transpose()?;
        Ok(Self {
            events,
            started: Instant::now(),
            delivered: BTreeMap::new(),
            spooled: 0,
            refused: 0,
            shown: 0,
            reasons: HashMap::new(),
            receipts,
            bar: bar(events.bytes),
            drawn: Instant::now(),
        })
    }

    /// Notes what an event that was sent ended with. Fails where the receipt can't be written.
    pub fn ended(
        &mut self,
        ticket: &Ticket,
        outcome: Result<Receipt, PublishError>,
    ) -> io::Result<()> {
        let mut line = json!({
            "line": ticket.line,
            "event_id": ticket.event_id.to_string(),
            "event_type": ticket.event_type,
            "topic": ticket.topic,
        });
        let map = line.as_object_mut().expect("it is an object");
        match outcome {
            Ok(receipt) => {
                receipt_json(&receipt, map);
                self.count(receipt);
                self.write(&line)
            }
            Err(error) => {
                if let PublishError::Rejected {
                    dead_letter: Some(letter),
                    ..
                } = &error
                {
                    let mut place = Map::new();
                    receipt_json(letter, &mut place);
                    map.insert("dead_letter".to_owned(), Value::Object(place));
                }
                refusal_json(error.code(), error.is_retriable(), &error.to_string(), map);
                self.refuse(ticket.line, &error.to_string());
                self.write(&line)
            }
        }
    }

    /// Notes an event that could not be sent at all.
    pub fn not_sent(&mut self, line: u64, reason: &str) -> io::Result<()> {
        let mut json = json!({ "line": line });
        let map = json.as_object_mut().expect("it is an object");
        refusal_json("invalid_event", false, reason, map);
        self.refuse(line, reason);
        self.write(&json)
    }

    /// Shows how much of the input was read.
    pub fn read(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
        if self.drawn.elapsed() >= REDRAW {
            self.drawn = Instant::now();
            let events = self.receipts_given();
            let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let rate = events.saturating_mul(1000) / millis.max(1);
            self.bar.set_message(format!(
                "{}, {} a second",
                counted(events, "receipt"),
                HumanCount(rate)
            ));
        }
    }

    /// Says something above the progress bar.
    pub fn say(&self, message: &str) {
        self.bar.suspend(|| terminal::status(message));
    }

    /// Whether every event that was read has a receipt.
    pub fn is_complete(&self) -> bool {
        self.refused == 0
    }

    /// Ends the progress bar, writes what is buffered, and prints the summary.
    pub fn finish(mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        let written = self.receipts.as_mut().map_or(Ok(()), Write::flush);
        let events = self.receipts_given();
        let seconds = self.started.elapsed().as_secs_f64();
        let delivered = events - self.spooled;
        if delivered > 0 {
            terminal::status(&format!(
                "{GREEN}delivered{GREEN:#} {} in {seconds:.1} s",
                counted(delivered, "event")
            ));
            self.print_partitions();
        }
        if self.spooled > 0 {
            terminal::status(&format!(
                "{YELLOW}spooled{YELLOW:#} {}: safe on the local disk, and not on the cluster yet",
                counted(self.spooled, "event")
            ));
        }
        if self.refused > 0 {
            let more = match self.refused - self.shown {
                0 => String::new(),
                more => format!(
                    "; {} not shown here, --receipts FILE has all",
                    HumanCount(more)
                ),
            };
            let events = counted(self.refused, "event");
            terminal::status(&format!("{RED}no receipt{RED:#} for {events}{more}"));
        }
        if events == 0 && self.refused == 0 {
            terminal::status(&format!("no events in {}", visible_line(&self.events.name)));
        }
        written
    }

    fn print_partitions(&self) {
        for ((topic, partition), delivered) in self.delivered.iter().take(PARTITIONS) {
            let offsets = if delivered.first == delivered.last {
                format!("offset {}", delivered.first)
            } else {
                format!("offsets {} to {}", delivered.first, delivered.last)
            };
            terminal::status(&format!(
                "  {} {DIM}partition{DIM:#} {partition}  {}  {DIM}{offsets}{DIM:#}",
                visible_line(topic),
                counted(delivered.events, "event"),
            ));
        }
        let more = self.delivered.len().saturating_sub(PARTITIONS);
        if more > 0 {
            let more = counted(more as u64, "more partition");
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
        if self.shown < SHOWN && self.is_news(reason) {
            self.shown += 1;
            let text = format!("{}: {reason}", self.events.place(line));
            self.say(&format!("{RED}refused{RED:#} {}", visible_line(&text)));
        }
    }

    fn is_news(&mut self, reason: &str) -> bool {
        if self.reasons.len() >= REASONS && !self.reasons.contains_key(reason) {
            return true;
        }
        let count = self.reasons.entry(reason.to_owned()).or_default();
        *count += 1;
        *count <= SHOWN_OF_A_REASON
    }

    fn write(&mut self, line: &Value) -> io::Result<()> {
        match &mut self.receipts {
            Some(file) => writeln!(file, "{}", output::json_line(line)?),
            None => Ok(()),
        }
    }
}

fn receipt_json(receipt: &Receipt, map: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    match receipt {
        Receipt::Delivered {
            topic,
            partition,
            offset,
        } => {
            put("status", json!("delivered"));
            put("topic", json!(topic));
            put("partition", json!(partition));
            put("offset", json!(offset));
        }
        Receipt::Spooled { sequence } => {
            put("status", json!("spooled"));
            put("sequence", json!(sequence.get()));
        }
    }
}

fn refusal_json(code: &str, retriable: bool, reason: &str, map: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("status", json!("refused"));
    put("code", json!(code));
    put("retriable", json!(retriable));
    put("reason", json!(reason));
}

fn open(path: &Path) -> Result<Box<dyn Write>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout().lock()));
    }
    match File::create_new(path) {
        Ok(file) => Ok(Box::new(BufWriter::new(file))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::Message(format!(
                "`{}` is there already; receipts of an earlier run are not overwritten",
                path.display()
            )))
        }
        Err(error) => Err(Failure::Message(format!(
            "can't write receipts to `{}`: {error}",
            path.display()
        ))),
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
    bar.enable_steady_tick(REDRAW);
    bar
}
