//! Changes as diagnostics, with the places of both versions.

use herald_diagnostics::{Diagnostic, Location, Source, SourceId, Sources};

use crate::{Change, Direction, Directions};

/// The diagnostics of changes, and the texts that they point into: those of the new version as
/// they are, then those of the old one under the names that `old_name` gives them.
pub fn diagnostics(
    changes: &[Change],
    old: &Sources,
    new: &Sources,
    old_name: impl Fn(&str) -> String,
) -> (Vec<Diagnostic>, Sources) {
    let mut sources = new.clone();
    for (_, source) in old.iter() {
        sources.add(Source::new(old_name(&source.path), source.text.clone()));
    }
    let offset = u32::try_from(new.len()).unwrap_or(u32::MAX);
    let diagnostics = changes.iter().map(|change| diagnostic(change, offset));
    (diagnostics.collect(), sources)
}

fn diagnostic(change: &Change, offset: u32) -> Diagnostic {
    let message = format!("{} (breaks {})", change.message, people(change.breaks));
    let mut diagnostic = Diagnostic::new(&change.rule.rule, message);
    let old = change.old.map(|place| Location {
        source: SourceId(place.source.0.saturating_add(offset)),
        ..place
    });
    match (change.new, old) {
        (Some(new), old) => {
            diagnostic = diagnostic.at(new);
            if let Some(old) = old {
                diagnostic = diagnostic.label(old, "before");
            }
        }
        (None, Some(old)) => diagnostic = diagnostic.at(old),
        (None, None) => {}
    }
    let witness = change.witness.as_ref().map(|witness| {
        let value = &witness.value;
        if witness.breaks.contains(Direction::Consumer) {
            format!("`{value}` can be published now, and consumers generated before reject it")
        } else {
            format!("`{value}` could be published before, and consumers generated now reject it")
        }
    });
    let consumers = (!change.consumers.is_empty())
        .then(|| format!("its consumers are {}", change.consumers.join(", ")));
    let help = witness
        .into_iter()
        .chain(consumers)
        .chain(change.help.clone());
    let help: Vec<_> = help.collect();
    if help.is_empty() {
        diagnostic
    } else {
        diagnostic.help(help.join("; "))
    }
}

/// The directions in a sentence: "consumers and source code".
fn people(directions: Directions) -> String {
    let words: Vec<_> = directions
        .iter()
        .map(|direction| match direction {
            Direction::Consumer => "consumers",
            Direction::Producer => "producers",
            Direction::Source => "source code",
        })
        .collect();
    match words.as_slice() {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
