//! `events.duplicate`: two events of one event type.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::node::{Event, Node};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "events.duplicate",
    severity: Severity::Error,
    title: "an event is declared twice",
    docs: "Two declared events with the same event type would be the same method.",
    bad: "events:\n  - event_type: order.placed\n  - event_type: order.placed",
    good: "events:\n  - event_type: order.placed",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut by_type: HashMap<&str, &Event> = HashMap::new();
    for event in &node.events {
        match by_type.entry(&event.event_type) {
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
    let mut diagnostic = Diagnostic::new(
        &RULE,
        format!("the event {} {message}", quote(&second.event_type)),
    )
    .at(second.location)
    .label(first.location, label)
    .help("give one of the two another event type");
    // An ONEX contract may publish two versions of a topic, which mean one event type.
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}
