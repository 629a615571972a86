//! `lint.version_disagreement`: event types and topics with different versions in their names.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;
use crate::topics::split_version;

pub(crate) static RULE: Rule = Rule {
    code: "lint.version_disagreement",
    severity: Severity::Warning,
    title: "an event type and its topic name different versions",
    docs: "A consumer that subscribes to version 2 of the topic expects version 2 of the event. \
           Usually one of the two names was copied and not changed.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - {event_type: order.placed.v2, topic: shop.order.placed.v1}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - {event_type: order.placed.v2, topic: shop.order.placed.v2}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for (event, _) in node.declared() {
        let topic = event.topic.as_template();
        let (Some(of_event), Some(of_topic)) = (version(&event.event_type), version(&topic)) else {
            continue;
        };
        if of_event != of_topic {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} has the version {of_event}, and its topic {of_topic}",
                        quote(&event.event_type)
                    ),
                )
                .at(event.topic_location)
                .help("use the same version in both names"),
            );
        }
    }
}

/// The number of `.vN` at the end of a name.
fn version(name: &str) -> Option<u32> {
    split_version(name).map(|(_, version)| version)
}
