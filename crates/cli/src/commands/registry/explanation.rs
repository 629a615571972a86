//! Explanation of a comparison: the reasons of the registry, and why it judges a change in another way
//! than `herald breaking`.

use herald_breaking::{Change, Direction};

use super::comparison::{Comparison, State};
use super::fields::{self, NewField};

/// Returns sentences about a comparison, without full stops.
pub fn sentences(comparison: &Comparison<'_>) -> Vec<String> {
    match &comparison.state {
        State::New => Vec::new(),
        State::Waiting => vec![format!(
            "it refers to {}, which are registered first",
            quoted(&parts_of(comparison))
        )],
        State::Failed(error) => vec![error.to_string()],
        State::Registered | State::Compatible => of_compatible(comparison),
        State::Incompatible { messages } => of_incompatible(comparison, messages),
    }
}

fn of_compatible(comparison: &Comparison<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    let kept = &comparison.form.kept;
    if !kept.is_empty() {
        sentences.push(format!(
            "the contract removed {}; the registered schema keeps it, because older events have it, so \
             that the registry takes the removal",
            quoted(kept)
        ));
    }
    for change in comparison.changes.iter().flatten() {
        sentences.push(format!(
            "`herald breaking` disagrees: {} [{}] breaks {}; the level {} does not compare that",
            change.message,
            change.rule.rule.code,
            directions(change),
            comparison.level
        ));
    }
    sentences
}

fn of_incompatible(comparison: &Comparison<'_>, messages: &[String]) -> Vec<String> {
    let level = comparison.level;
    let mut sentences: Vec<_> = messages
        .iter()
        .map(|message| format!("the registry: {message}"))
        .collect();
    let mut is_explained = false;
    if let Some(registered) = &comparison.registered {
        for field in fields::added(&registered.schema.schema, &comparison.form.schema.schema) {
            let reason = of_new_field(&field, comparison);
            is_explained |= reason.is_some();
            sentences.extend(reason);
        }
    }
    match &comparison.changes {
        None => sentences.push(
            "`herald breaking` can't compare the registered schema; `herald registry diff` shows both"
                .to_owned(),
        ),
        Some(changes) if changes.is_empty() && is_explained => sentences.push(
            "`herald breaking` disagrees: for events of Herald the change is safe in both directions"
                .to_owned(),
        ),
        Some(changes) if changes.is_empty() => sentences.push(format!(
            "`herald breaking` disagrees: it finds nothing that breaks, and the level {level} compares the \
             schemas alone; `herald registry diff` shows both"
        )),
        Some(changes) => sentences.extend(changes.iter().map(|change| {
            format!(
                "`herald breaking` agrees: {} [{}] breaks {}{}",
                change.message,
                change.rule.rule.code,
                directions(change),
                change.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default()
            )
        })),
    }
    sentences
}

/// Returns why a registry refuses a new field.
fn of_new_field(field: &NewField, comparison: &Comparison<'_>) -> Option<String> {
    let level = comparison.level;
    let NewField {
        path,
        is_required,
        was_open,
    } = field;
    if *is_required && level.is_backward() {
        return Some(format!(
            "`{path}` is new and required, and older events have none; make it optional"
        ));
    }
    if *was_open && level.is_backward() {
        let subject = &comparison.subject.name;
        return Some(format!(
            "`{path}` is new, and the registered version is open: to the registry, an older event may have \
             `{path}` with any type. Register the closed form once with the level NONE for `{subject}`; \
             from then on, optional fields can be added with {level}"
        ));
    }
    if !*was_open && level.is_forward() {
        let advice = if level.is_backward() {
            "no schema takes a new field with this level: use BACKWARD, or another version of the event"
        } else {
            "the content model `open` takes new fields with this level"
        };
        return Some(format!(
            "`{path}` is new, and the registered version takes no undeclared field, so that its readers refuse \
             events with `{path}`; {advice}"
        ));
    }
    None
}

fn parts_of(comparison: &Comparison<'_>) -> Vec<String> {
    let missing = comparison.subject.parts.iter();
    let missing = missing.filter(|part| part.version.is_none());
    missing.map(|part| part.subject.clone()).collect()
}

fn directions(change: &Change) -> String {
    let names = [
        (Direction::Consumer, "consumers with the old contract"),
        (Direction::Producer, "readers of older events"),
    ];
    let broken = names.iter().filter(|(one, _)| change.breaks.contains(*one));
    broken
        .map(|(_, name)| *name)
        .collect::<Vec<_>>()
        .join(" and ")
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
