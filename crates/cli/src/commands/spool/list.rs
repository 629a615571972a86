//! `herald spool list` and `herald spool dead list`.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use herald_diagnostics::render::visible_line;
use herald_spool::{Sequence, StoredRecord};
use indicatif::BinaryBytes;

use super::entry::{Entries, Entry, Filter, Section, short_age};
use super::location::inspect;
use crate::args::spool::{DeadList, List, ListFormat, Window};
use crate::format::visible_bytes;
use crate::table::{Column, Table};
use crate::terminal::{self, DIM};
use crate::{Error, ExitStatus, output};

/// Rows of a page of the table.
const PAGE: usize = 100;

static QUEUE: [Column; 8] = [
    Column::number("SEQUENCE"),
    Column::number("AGE"),
    Column::text("EVENT TYPE"),
    Column::text("TOPIC"),
    Column::text("KEY"),
    Column::number("SIZE"),
    Column::number("ATTEMPTS"),
    Column::main("LAST ERROR"),
];

static DEAD: [Column; 8] = [
    Column::number("SEQUENCE"),
    Column::number("AGE"),
    Column::text("REASON"),
    Column::text("EVENT TYPE"),
    Column::text("TOPIC"),
    Column::text("KEY"),
    Column::number("SIZE"),
    Column::main("LAST ERROR"),
];

/// Lists the queue.
pub fn queue(path: &Path, args: &List) -> Result<ExitStatus, Error> {
    let filter = Filter {
        topic: args.topic.as_deref(),
        event_type: args.event_type.as_deref(),
        reason: None,
    };
    run(path, Section::Queue, filter, &args.window)
}

/// Lists the dead letters.
pub fn dead(path: &Path, args: &DeadList) -> Result<ExitStatus, Error> {
    let filter = Filter {
        topic: args.filter.topic.as_deref(),
        event_type: None,
        reason: args.filter.reason.as_deref(),
    };
    run(path, Section::Dead, filter, &args.window)
}

fn run(
    path: &Path,
    part: Section,
    filter: Filter<'_>,
    window: &Window,
) -> Result<ExitStatus, Error> {
    let inspector = inspect(path)?;
    let limit = match window.limit {
        0 => u64::MAX,
        limit => limit,
    };
    let after = Sequence::new(window.after);
    let mut entries = Entries::new(&inspector, path, part, filter, after);
    let mut printer = Printer::new(part, window.format);
    let mut last = None;
    let mut count = 0;
    while count < limit {
        let Some(entry) = entries.next() else { break };
        let entry = entry?;
        last = Some(entry.sequence());
        count += 1;
        printer.add(&entry)?;
    }
    printer.finish()?;
    let what = match part {
        Section::Queue => "record",
        Section::Dead => "dead letter",
    };
    match last {
        None => terminal::status(&format!("no {what}s")),
        Some(last) if entries.next().transpose()?.is_some() => {
            terminal::status(&format!(
                "{DIM}more rows follow; continue with --after {last}{DIM:#}"
            ));
        }
        Some(_) => {}
    }
    Ok(ExitStatus::Success)
}

enum Printer {
    Lines,
    Table {
        part: Section,
        table: Table,
        page: Vec<Vec<String>>,
    },
}

impl Printer {
    fn new(part: Section, format: ListFormat) -> Self {
        if format == ListFormat::Jsonl {
            return Self::Lines;
        }
        // Output to a file or a pipe is not cut.
        let room = io::stdout().is_terminal().then(terminal::width).flatten();
        let columns = match part {
            Section::Queue => &QUEUE,
            Section::Dead => &DEAD,
        };
        Self::Table {
            part,
            table: Table::new(columns, room),
            page: Vec::new(),
        }
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        match self {
            Self::Lines => {
                let line = output::json_line(&entry.to_json())?;
                writeln!(io::stdout().lock(), "{line}")
            }
            Self::Table { part, page, .. } => {
                page.push(cells(entry, *part));
                if page.len() == PAGE {
                    self.finish()?;
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Table { table, page, .. } if !page.is_empty() => {
                let text = table.rows_to_text(page);
                page.clear();
                output::text(&text)
            }
            _ => Ok(()),
        }
    }
}

fn cells(entry: &Entry, part: Section) -> Vec<String> {
    let mut cells = vec![entry.sequence().to_string()];
    if let Entry::Dead(dead_letter) = entry {
        cells.push(short_age(dead_letter.died));
        cells.push(visible_line(&dead_letter.reason));
    }
    let Some(StoredRecord {
        record, last_error, ..
    }) = entry.stored()
    else {
        if part == Section::Queue {
            cells.push(String::new());
        }
        cells.push("(damaged)".to_owned());
        cells.resize(QUEUE.len(), String::new());
        return cells;
    };
    if part == Section::Queue {
        cells.push(short_age(record.created));
    }
    cells.push(visible_line(entry.event_type().as_deref().unwrap_or("-")));
    cells.push(visible_line(&record.topic));
    cells.push(
        record
            .key
            .as_deref()
            .map_or_else(|| "-".to_owned(), visible_bytes),
    );
    cells.push(size(record.payload.len()));
    if part == Section::Queue {
        cells.push(record.attempts.to_string());
    }
    cells.push(visible_line(last_error.as_deref().unwrap_or_default()));
    cells
}

fn size(bytes: usize) -> String {
    BinaryBytes(bytes as u64).to_string()
}
