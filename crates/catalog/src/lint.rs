//! What is allowed, but seldom meant.

use std::collections::HashMap;

use herald_diagnostics::Diagnostic;

use crate::ident::ident;
use crate::node::{Event, Node};
use crate::onex::OnexTopic;
use crate::rules;
use crate::text::quote;

/// Looks at every node.
pub(crate) fn run(nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    for node in nodes {
        lifecycle_declared_too(node, diagnostics);
    }
}

/// `coding_agent.invoke` completed, beside a declared `…coding-agent-invoke-completed.v1`.
fn lifecycle_declared_too(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
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
        let same = generated.get(ident(onex.event_name).as_str());
        if let Some(event) = same {
            diagnostics.push(
                Diagnostic::new(
                    &rules::LINT_LIFECYCLE_DECLARED,
                    format!(
                        "{} is generated and says the same",
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
