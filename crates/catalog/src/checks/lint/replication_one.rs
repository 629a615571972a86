//! `lint.replication_one`: topics with a single replica.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.replication_one",
    severity: Severity::Info,
    title: "a topic has a single replica",
    docs: "The events of a partition are lost with the disk of its broker, and nobody can publish \
           while the broker is restarted. Three replicas survive both. A contract for development \
           only may switch the rule off.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    topic_settings: {replication_factor: 1}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    topic_settings: {replication_factor: 3}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for (event, declared) in node.declared() {
        let settings = declared.settings.as_ref();
        if settings.and_then(|settings| settings.replication_factor) == Some(1) {
            let topic = quote(&event.topic.as_template()).clone();
            diagnostics.push(
                Diagnostic::new(&RULE, format!("the topic {topic} has one replica"))
                    .at(event.topic_location)
                    .help("set `replication_factor: 3`, or leave it to the cluster"),
            );
        }
    }
}
