//! What is allowed, but seldom meant.

use herald_diagnostics::Diagnostic;

use crate::ident::ident;
use crate::node::Node;
use crate::onex::OnexTopic;
use crate::rules;

/// Looks at every node.
pub(crate) fn run(nodes: &[Node], findings: &mut Vec<Diagnostic>) {
    for node in nodes {
        lifecycle_declared_too(node, findings);
    }
}

/// `coding_agent.invoke` completed, beside a declared `…coding-agent-invoke-completed.v1`.
fn lifecycle_declared_too(node: &Node, findings: &mut Vec<Diagnostic>) {
    for (declared, _) in node.declared() {
        let topic = declared.topic.as_template();
        let Some(onex) = OnexTopic::parse(&topic) else {
            continue;
        };
        let name = ident(onex.event_name);
        let same = node
            .events
            .iter()
            .find(|event| event.operation.is_some() && event.ident == name);
        if let Some(event) = same {
            findings.push(
                Diagnostic::new(
                    &rules::LINT_LIFECYCLE_DECLARED,
                    format!("`{}` is generated and says the same", event.event_type),
                )
                .at(declared.location)
                .label(event.location, "generated for this operation")
                .help("publish one of the two"),
            );
        }
    }
}
