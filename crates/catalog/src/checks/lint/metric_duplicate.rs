//! `lint.metric_duplicate`: a metric that is listed twice.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.metric_duplicate",
    severity: Severity::Warning,
    title: "a metric is listed twice",
    docs: "Both entries mean the same metric; the second unit and description are not used.",
    bad: "node_type: effect\nservice_name: orders\nmetrics: [{name: latency, unit: ms}, {name: latency, unit: s}]",
    good: "node_type: effect\nservice_name: orders\nmetrics: [{name: latency, unit: ms}]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut known = HashMap::new();
    for metric in &node.metrics {
        let name = &metric.name;
        if let Some(first) = known.insert(name.value.as_str(), name.location) {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!("the metric {} is listed twice", quote(&name.value)),
                )
                .at(name.location)
                .label(first, "first listed here")
                .help("remove one of the two"),
            );
        }
    }
}
