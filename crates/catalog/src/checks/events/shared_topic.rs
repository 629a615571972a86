//! `events.shared_topic`: two versions of an event with one topic.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::{Event, Node};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "events.shared_topic",
    severity: Severity::Error,
    title: "two versions of an event have one topic",
    docs: "Consumers of the topic that know only one version would receive events of the other. \
           Each version needs a topic of its own: usually it ends with the number of the version.",
    bad: "events:\n  - {event_type: order.placed, version: 1, topic: order.placed}\n  - {event_type: order.placed, version: 2, topic: order.placed}",
    good: "events:\n  - {event_type: order.placed, topic: order.placed.v1}\n  - {event_type: order.placed, topic: order.placed.v2}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut known: HashMap<(&str, String), &Event> = HashMap::new();
    for (event, _) in node.declared() {
        let topic = event.topic.as_template();
        match known.entry((&event.event_type, topic)) {
            Entry::Vacant(entry) => {
                entry.insert(event);
            }
            // The same event twice is another problem.
            Entry::Occupied(entry) if entry.get().version != event.version => {
                let message = format!(
                    "versions {} and {} of the event {} have one topic",
                    entry.get().version,
                    event.version,
                    quote(&event.event_type)
                );
                diagnostics.push(
                    Diagnostic::new(&RULE, message)
                        .at(event.topic_location)
                        .label(entry.get().topic_location, "the other version is here")
                        .help("give each version a topic of its own, such as `….v2`"),
                );
            }
            Entry::Occupied(_) => {}
        }
    }
}
