//! `lint.lifecycle_declared_too`: a declared event beside a generated one of the same meaning.
//!
//! An example is the operation `coding_agent.invoke`, whose completion is published anyway, beside
//! the declared topic `onex.evt.a.coding-agent-invoke-completed.v1`.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::ident::ident;
use crate::node::{Event, Node};
use crate::onex::topics::OnexTopic;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.lifecycle_declared_too",
    severity: Severity::Info,
    title: "a declared event repeats a generated one",
    docs: "Operations publish that they started, completed or failed. A declared event of the same \
           operation and stage tells consumers the same twice.",
    bad: "name: coding_agent\nnode_type: effect\nio_operations: [{operation: coding_agent.invoke}]\nevent_bus:\n  publish_topics: [onex.evt.a.coding-agent-invoke-completed.v1]",
    good: "name: coding_agent\nnode_type: effect\nio_operations: [{operation: coding_agent.invoke}]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let generated: HashMap<&str, &Event> = node
        .events
        .iter()
        .filter(|event| event.operation.is_some())
        .map(|event| (event.ident.as_str(), event))
        .collect();
    for (declared, _) in node.declared() {
        let topic = declared.topic.as_template();
        let Some(onex) = OnexTopic::parse(&topic) else {
            continue;
        };
        if let Some(event) = generated.get(ident(onex.event_name).as_str()) {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} is generated and has the same meaning",
                        quote(&event.event_type)
                    ),
                )
                .at(declared.location)
                .label(event.location, "generated for this operation")
                .help("publish one of the two"),
            );
        }
    }
}
