//! `herald publish --dry-run`: prints the messages without a cluster.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use herald_publish::Message;
use unicode_width::UnicodeWidthStr;

use super::event_source::{EventSource, Next};
use super::message_builder::MessageBuilder;
use crate::format::{count, visible_bytes};
use crate::interrupt::Interrupt;
use crate::terminal::{self, BOLD, DIM, RED};
use crate::{Error, ExitStatus, json_format, output};

/// Prints each message.
pub fn run(
    events: &EventSource,
    builder: &MessageBuilder<'_>,
    interrupt: &Interrupt,
) -> Result<ExitStatus, Error> {
    let (mut good, mut bad) = (0, 0);
    while !interrupt.is_set() {
        let chunk = match events.next() {
            Next::Chunk(chunk) => chunk,
            Next::Nothing => continue,
            Next::End => break,
            Next::Failed(error) => {
                return Err(Error::Message(format!(
                    "can't read `{}`: {error}",
                    events.name
                )));
            }
        };
        for line in chunk.lines() {
            match events.build(&line, builder) {
                None => {}
                Some(Ok(built)) => {
                    good += 1;
                    output::text(&text(&events.place(line.number), &built.message))?;
                }
                Some(Err(reason)) => {
                    bad += 1;
                    let place = events.place(line.number);
                    terminal::status(&format!(
                        "{RED}refused{RED:#} {}",
                        visible_line(&format!("{place}: {reason}"))
                    ));
                }
            }
        }
    }
    let refused = match bad {
        0 => String::new(),
        bad => format!(", {bad} refused"),
    };
    terminal::status(&format!(
        "{DIM}dry run, nothing was published: {} valid{refused}{DIM:#}",
        count(good, "event")
    ));
    Ok(if bad == 0 {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

fn text(place: &str, message: &Message) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#}\n", visible_line(place));
    let key = message
        .key()
        .map_or_else(|| "none".to_owned(), visible_bytes);
    for (name, value) in [("topic", message.topic()), ("key", &key)] {
        let _ = writeln!(text, "  {DIM}{name:<6}{DIM:#}{}", visible_line(value));
    }
    let _ = writeln!(text, "{DIM}headers{DIM:#}");
    let widest = message.headers().map(|(name, _)| name.width()).max();
    for (name, value) in message.headers() {
        let width = widest.unwrap_or_default();
        let _ = writeln!(
            text,
            "  {:width$}  {}",
            visible_line(name),
            visible_bytes(value)
        );
    }
    let envelope = String::from_utf8_lossy(message.payload());
    let _ = writeln!(text, "{DIM}value, {} bytes{DIM:#}", message.payload().len());
    for line in json_format::pretty(&envelope)
        .as_deref()
        .unwrap_or(&envelope)
        .lines()
    {
        let _ = writeln!(text, "  {}", visible_line(line));
    }
    text
}
