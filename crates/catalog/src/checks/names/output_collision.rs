//! `names.output_collision`: two contracts generate the same file.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

/// The rule `names.output_collision`.
pub static RULE: Rule = Rule {
    code: "names.output_collision",
    severity: Severity::Warning,
    title: "two contracts generate the same file",
    docs: "Generated files are named after the node. Two nodes of one name would overwrite each \
           other, so `herald generate` treats it as an error and generates neither.",
    bad: "# a/contract.yaml and b/contract.yaml:\nservice_name: orders",
    good: "# b/contract.yaml:\nservice_name: orders_archive",
};

pub(crate) fn check(nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    let mut by_slug: HashMap<&str, Vec<&Node>> = HashMap::new();
    for node in nodes.iter().filter(|node| !node.events.is_empty()) {
        by_slug.entry(&node.identity.slug).or_default().push(node);
    }
    for (slug, nodes) in by_slug.into_iter().filter(|(_, nodes)| nodes.len() > 1) {
        for (index, node) in nodes.iter().enumerate() {
            let other = nodes[usize::from(index == 0)];
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!("{} nodes generate files named {}", nodes.len(), quote(slug)),
                )
                .at(node.location)
                .label(other.location, "another one is here")
                .help("rename the node, or generate the two in separate runs with --out"),
            );
        }
    }
}
