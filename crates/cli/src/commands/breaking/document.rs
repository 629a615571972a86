//! Breaking changes as JSON, for programs.

use herald_breaking::{Change, Direction, Proposal};
use herald_catalog::load::Loaded;
use herald_diagnostics::{Location, Sources};
use serde_json::{Value, json};

/// Raised when a field changes its meaning or is removed. New fields may come without notice.
const VERSION: u32 = 1;

/// The document: `changes`, and how many of them break each direction.
pub fn document(
    changes: &[Change],
    proposals: &[Proposal],
    against: &str,
    old: &Loaded,
    new: &Loaded,
) -> Value {
    let (old_sources, new_sources) = (&old.catalog.sources, &new.catalog.sources);
    let entries = changes.iter().map(|change| {
        let directions = |breaks: herald_breaking::Directions| -> Vec<_> {
            breaks.iter().map(Direction::as_str).collect()
        };
        json!({
            "rule": change.rule.rule.code,
            "breaks": directions(change.breaks),
            "message": change.message,
            "node": change.node,
            "events": change.events,
            "topics": change.topics,
            "consumers": change.consumers,
            "old": place(change.old, change.old_value.as_deref(), old_sources),
            "new": place(change.new, change.new_value.as_deref(), new_sources),
            "witness": change.witness.as_ref().map(|witness| json!({
                "value": witness.value,
                "breaks": directions(witness.breaks),
            })),
            "no_witness": change.rule.no_witness.filter(|_| change.witness.is_none()),
            "help": change.help,
        })
    });
    let entries: Vec<_> = entries.collect();
    let count = |direction| {
        let broken = changes
            .iter()
            .filter(|change| change.breaks.contains(direction));
        broken.count()
    };
    json!({
        "version": VERSION,
        "against": against,
        "contracts": new.catalog.nodes.len(),
        "changes": entries,
        "proposals": proposals.iter().map(proposal).collect::<Vec<_>>(),
        "summary": {
            "consumer": count(Direction::Consumer),
            "producer": count(Direction::Producer),
            "source": count(Direction::Source),
        },
    })
}

fn proposal(proposal: &Proposal) -> Value {
    let events = proposal.events.iter().map(|event| {
        json!({
            "event_type": event.event_type,
            "version": event.version,
            "topic": event.topic,
            "next_version": event.next_version,
            "next_topic": event.next_topic,
        })
    });
    json!({
        "node": proposal.node,
        "path": proposal.path,
        "version": proposal.version,
        "events": events.collect::<Vec<_>>(),
        "changed_definitions": proposal.definitions,
        "contract": proposal.fragment,
    })
}

fn place(location: Option<Location>, value: Option<&str>, sources: &Sources) -> Option<Value> {
    let location = location?;
    let source = sources.get(location.source);
    let start = source.position(location.span.start);
    let end = source.position(location.span.end);
    Some(json!({
        "path": source.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "value": value,
    }))
}
