//! `events.duplicate`: two events of one event type and version.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::node::{Event, Node};

pub(crate) static RULE: Rule = Rule {
    code: "events.duplicate",
    severity: Severity::Error,
    title: "an event is declared twice",
    docs: "Event type and version are the identity of an event: two declared events with both the same would be the same method. The version is `version`, else the number at the end of the topic, else 1.",
    bad: "events:\n  - event_type: order.placed\n  - event_type: order.placed",
    good: "events:\n  - event_type: order.placed\n  - {event_type: order.placed, version: 2}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut known: HashMap<(&str, u32), &Event> = HashMap::new();
    for event in &node.events {
        match known.entry(event.identity()) {
            Entry::Vacant(entry) => {
                entry.insert(event);
            }
            Entry::Occupied(entry) => {
                diagnostics.push(duplicate(node.format, entry.get(), event));
            }
        }
    }
}

fn duplicate(format: Format, first: &Event, second: &Event) -> Diagnostic {
    let (message, label) = match (&first.declared, first.operation) {
        (Some(_), _) => ("is declared twice", "first declared here"),
        (None, Some(_)) => ("is generated already", "generated for this operation"),
        (None, None) => ("is generated already", "generated for this contract"),
    };
    let mut diagnostic = Diagnostic::new(&RULE, format!("the event {} {message}", second.title()))
        .at(second.location)
        .label(first.location, label)
        .help("give one of the two another event type or another version");
    // Topics of an ONEX contract may differ in parts that its event types do not have.
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}
