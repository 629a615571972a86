//! What would be published, without a cluster.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use herald_publish::Message;
use unicode_width::UnicodeWidthStr;

use super::events::{Events, Next};
use super::make::Maker;
use crate::human::{counted, visible_bytes};
use crate::interrupt::Interrupt;
use crate::terminal::{self, BOLD, DIM, RED};
use crate::{CLEAN, DIAGNOSTICS, Failure, output, pretty};

/// Prints each event as it would go.
pub fn run(events: &Events, maker: &Maker<'_>, interrupt: &Interrupt) -> Result<u8, Failure> {
    let (mut good, mut bad) = (0, 0);
    while !interrupt.is_set() {
        let piece = match events.next() {
            Next::Piece(piece) => piece,
            Next::Nothing => continue,
            Next::End => break,
            Next::Failed(error) => {
                return Err(Failure::Message(format!(
                    "can't read on in `{}`: {error}",
                    events.name
                )));
            }
        };
        for line in &piece.lines {
            match events.make(line, maker) {
                None => {}
                Some(Ok(made)) => {
                    good += 1;
                    output::text(&text(&events.place(line.number), &made.message))?;
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
        bad => format!(", {} refused", counted(bad, "event")),
    };
    terminal::status(&format!(
        "{DIM}nothing was published: {} shown{refused}{DIM:#}",
        counted(good, "event")
    ));
    Ok(if bad == 0 { CLEAN } else { DIAGNOSTICS })
}

fn text(place: &str, message: &Message) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#}\n", visible_line(place));
    let key = message
        .key()
        .map_or_else(|| "none".to_owned(), visible_bytes);
    for (name, value) in [("topic", message.topic()), ("key", &key)] {
        let _ = writeln!(text, "  {DIM}{name:<6}{DIM:#}{value}");
    }
    let _ = writeln!(text, "{DIM}headers{DIM:#}");
    let widest = message.headers().map(|(name, _)| name.width()).max();
    for (name, value) in message.headers() {
        let width = widest.unwrap_or_default();
        let _ = writeln!(text, "  {name:width$}  {}", visible_bytes(value));
    }
    let envelope = String::from_utf8_lossy(message.payload());
    let _ = writeln!(
        text,
        "{DIM}envelope, {} bytes{DIM:#}",
        message.payload().len()
    );
    for line in pretty::json(&envelope)
        .as_deref()
        .unwrap_or(&envelope)
        .lines()
    {
        let _ = writeln!(text, "  {}", visible_line(line));
    }
    text
}
