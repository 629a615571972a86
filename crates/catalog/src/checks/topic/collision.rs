//! `topic.collision`: topics that Kafka's metrics do not tell apart.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};
use herald_envelope::topic;

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "topic.collision",
    severity: Severity::Error,
    title: "two topics differ only in `.` and `_`",
    docs: "Kafka's metrics write both characters as `_`, so such topics collide; brokers warn \
           about it and some tools refuse it.",
    bad: "events:\n  - {event_type: a, topic: orders.placed}\n  - {event_type: b, topic: orders_placed}",
    good: "events:\n  - {event_type: a, topic: orders.placed}\n  - {event_type: b, topic: orders.changed}",
};

/// Checks topics within a contract and between contracts.
pub(crate) fn check(nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    let mut known: HashMap<String, (String, Location)> = HashMap::new();
    for node in nodes {
        let namespace = node.namespace.as_deref();
        let namespace = namespace.unwrap_or(topic::DEFAULT_NAMESPACE);
        for event in &node.events {
            let name = event.topic.in_namespace(namespace);
            match known.entry(topic::collision_key(&name)) {
                Entry::Vacant(entry) => {
                    entry.insert((name, event.topic_location));
                }
                Entry::Occupied(entry) => {
                    let (other, location) = entry.get();
                    if *other != name {
                        diagnostics.push(
                            Diagnostic::new(
                                &RULE,
                                format!(
                                    "the topics {} and {} differ only in `.` and `_`",
                                    quote(other),
                                    quote(&name)
                                ),
                            )
                            .at(event.topic_location)
                            .label(*location, "the other one is here")
                            .help("Kafka's metrics do not tell the two apart; rename one"),
                        );
                    }
                }
            }
        }
    }
}
