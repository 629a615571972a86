//! `herald spool dead`: what nothing could deliver.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use herald_spool::{DeadLetterAction, Found, Inspector, Sequence};

use super::change::{Outcome, Owner, apply};
use super::entry::{Entry, Filter, Part, Walk};
use super::place::{failed, inspect};
use super::{list, show};
use crate::args::spool::{Chosen, Dead};
use crate::human::counted;
use crate::terminal::{self, GREEN, YELLOW};
use crate::{CLEAN, DIAGNOSTICS, Failure};

const ONE: &str = "dead letter";

/// Runs the command.
pub fn run(path: &Path, args: &Dead) -> Result<u8, Failure> {
    match args {
        Dead::List(args) => list::dead(path, args),
        Dead::Show(args) => show::run(path, args, show::Of::Dead),
        Dead::Retry(args) => change(path, &args.chosen, DeadLetterAction::Retry, true),
        Dead::Drop(args) => change(path, &args.chosen, DeadLetterAction::Drop, args.yes),
    }
}

/// Dead letters that were asked for.
#[derive(Default)]
struct Selection {
    sequences: Vec<Sequence>,
    /// Named on the command line, but no dead letters.
    strangers: Vec<Sequence>,
    /// Can't be retried.
    damaged: u64,
}

fn change(
    path: &Path,
    chosen: &Chosen,
    action: DeadLetterAction,
    sure: bool,
) -> Result<u8, Failure> {
    let inspector = inspect(path)?;
    let selection = select(&inspector, path, chosen, action)?;
    for stranger in &selection.strangers {
        terminal::status(&format!(
            "{YELLOW}skipped{YELLOW:#} {stranger}: no dead letter"
        ));
    }
    if selection.damaged > 0 {
        terminal::status(&format!(
            "{YELLOW}skipped{YELLOW:#} {}: damaged, so they can only be dropped",
            counted(selection.damaged, ONE)
        ));
    }
    let complete = selection.strangers.is_empty() && selection.damaged == 0;
    if selection.sequences.is_empty() {
        terminal::status("no dead letters to change");
        return Ok(if complete { CLEAN } else { DIAGNOSTICS });
    }
    let number = selection.sequences.len() as u64;
    if !sure && !confirm(&format!("Delete {} for good?", counted(number, ONE)))? {
        terminal::status("nothing was changed");
        return Ok(DIAGNOSTICS);
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
        CLEAN
    } else {
        DIAGNOSTICS
    })
}

fn select(
    inspector: &Inspector,
    path: &Path,
    chosen: &Chosen,
    action: DeadLetterAction,
) -> Result<Selection, Failure> {
    let mut selection = Selection::default();
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
        for entry in Walk::new(inspector, path, Part::Dead, filter, Sequence::START) {
            add(&entry?);
        }
        return Ok(selection);
    }
    let mut strangers = Vec::new();
    let mut numbers = chosen.sequences.clone();
    numbers.sort_unstable();
    numbers.dedup();
    for sequence in numbers.into_iter().map(Sequence::new) {
        let found = inspector.find(sequence);
        match found.map_err(|error| failed(&error, path))? {
            Some(found @ Found::Dead(_)) => add(&Entry::of(sequence, found)),
            _ => strangers.push(sequence),
        }
    }
    selection.strangers = strangers;
    Ok(selection)
}

fn confirm(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Message(format!(
            "{question} Nobody is here to ask: say so with --yes"
        )));
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn report(action: DeadLetterAction, outcome: &Outcome, number: u64) {
    let done = counted(outcome.done, ONE);
    let (verb, then) = match action {
        DeadLetterAction::Drop => ("dropped", ""),
        DeadLetterAction::Retry => ("retried", ", at the queue's end now"),
    };
    terminal::status(&format!("{GREEN}{verb}{GREEN:#} {done}{then}"));
    let by = match outcome.owner {
        Owner::Process(Some(process)) => format!("process {process}"),
        Owner::Process(None) => "the owner of the spool".to_owned(),
        Owner::None => {
            if action == DeadLetterAction::Retry {
                terminal::status(
                    "No process has the spool open: `herald spool drain` delivers what waits, and \
                     so does its publisher when it starts.",
                );
            }
            return;
        }
    };
    if outcome.left > 0 {
        terminal::status(&format!(
            "{by} has not come to the rest yet; {} left for it",
            counted(outcome.left, "request")
        ));
    } else if outcome.done < number {
        let rest = counted(number - outcome.done, ONE);
        terminal::status(&format!("{by} could not change {rest}"));
    }
}
