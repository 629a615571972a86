//! `herald spool dead`: lists, retries and drops dead letters.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use herald_spool::{DeadLetterAction, Found, Inspector, Sequence};

use super::dead_letter_change::{Outcome, Owner, apply};
use super::entry::{Entries, Entry, Filter, Section};
use super::location::{inspect, spool_error};
use super::{list, show};
use crate::args::spool::{Dead, Selection};
use crate::format::count;
use crate::terminal::{self, GREEN, YELLOW};
use crate::{Error, ExitStatus};

const DEAD_LETTER: &str = "dead letter";

/// Runs the command.
pub fn run(path: &Path, args: &Dead) -> Result<ExitStatus, Error> {
    match args {
        Dead::List(args) => list::dead(path, args),
        Dead::Show(args) => show::run(path, args, show::Scope::Dead),
        Dead::Retry(args) => change(path, &args.selection, DeadLetterAction::Retry, true),
        Dead::Drop(args) => change(path, &args.selection, DeadLetterAction::Drop, args.yes),
    }
}

/// The dead letters that the arguments select.
#[derive(Default)]
struct Selected {
    sequences: Vec<Sequence>,
    /// Sequences of the command line that are not dead letters.
    not_found: Vec<Sequence>,
    /// Damaged ones, which can't be retried.
    damaged: u64,
}

fn change(
    path: &Path,
    chosen: &Selection,
    action: DeadLetterAction,
    sure: bool,
) -> Result<ExitStatus, Error> {
    let inspector = inspect(path)?;
    let selection = select(&inspector, path, chosen, action)?;
    for sequence in &selection.not_found {
        terminal::status(&format!(
            "{YELLOW}skipped{YELLOW:#} {sequence}: not a dead letter"
        ));
    }
    if selection.damaged > 0 {
        terminal::status(&format!(
            "{YELLOW}skipped{YELLOW:#} {}: damaged, can only be dropped",
            count(selection.damaged, DEAD_LETTER)
        ));
    }
    let complete = selection.not_found.is_empty() && selection.damaged == 0;
    if selection.sequences.is_empty() {
        terminal::status("no dead letters selected");
        return Ok(if complete {
            ExitStatus::Success
        } else {
            ExitStatus::Problems
        });
    }
    let number = selection.sequences.len() as u64;
    if !sure
        && !confirm(&format!(
            "Delete {} permanently?",
            count(number, DEAD_LETTER)
        ))?
    {
        terminal::status("nothing was changed");
        return Ok(ExitStatus::Problems);
    }
    let outcome = apply(
        &inspector,
        path,
        action,
        &selection.sequences,
        chosen.timeout,
    )?;
    report(action, &outcome, number);
    Ok(if complete && outcome.done == number {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

fn select(
    inspector: &Inspector,
    path: &Path,
    chosen: &Selection,
    action: DeadLetterAction,
) -> Result<Selected, Error> {
    let mut selection = Selected::default();
    let mut add = |entry: &Entry| {
        if action == DeadLetterAction::Retry && entry.stored().is_none() {
            selection.damaged += 1;
        } else {
            selection.sequences.push(entry.sequence());
        }
    };
    if chosen.all {
        let filter = Filter {
            topic: chosen.filter.topic.as_deref(),
            event_type: None,
            reason: chosen.filter.reason.as_deref(),
        };
        for entry in Entries::new(inspector, path, Section::Dead, filter, Sequence::START) {
            add(&entry?);
        }
        return Ok(selection);
    }
    let mut not_found = Vec::new();
    let mut numbers = chosen.sequences.clone();
    numbers.sort_unstable();
    numbers.dedup();
    for sequence in numbers.into_iter().map(Sequence::new) {
        let found = inspector.find(sequence);
        match found.map_err(|error| spool_error(&error, path))? {
            Some(found @ Found::Dead(_)) => add(&Entry::of(sequence, found)),
            _ => not_found.push(sequence),
        }
    }
    selection.not_found = not_found;
    Ok(selection)
}

fn confirm(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::Message(
            "confirmation is required and standard input is not a terminal; confirm with --yes"
                .to_owned(),
        ));
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Error::Message(format!("can't read the answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn report(action: DeadLetterAction, outcome: &Outcome, number: u64) {
    let done = count(outcome.done, DEAD_LETTER);
    let (verb, then) = match action {
        DeadLetterAction::Drop => ("dropped", ""),
        DeadLetterAction::Retry => ("retried", ", now at the end of the queue"),
    };
    terminal::status(&format!("{GREEN}{verb}{GREEN:#} {done}{then}"));
    let by = match outcome.owner {
        Owner::Process(Some(process)) => format!("process {process}"),
        Owner::Process(None) => "the process that has the spool open".to_owned(),
        Owner::None => {
            if action == DeadLetterAction::Retry {
                terminal::status(
                    "no process has the spool open; run `herald spool drain`, or start the publisher, \
                     to deliver them",
                );
            }
            return;
        }
    };
    if outcome.left > 0 {
        terminal::status(&format!(
            "{by} has not served {} yet; it will",
            count(outcome.left, "request")
        ));
    } else if outcome.done < number {
        let rest = count(number - outcome.done, DEAD_LETTER);
        terminal::status(&format!("{by} could not change {rest}"));
    }
}
