//! `lint.retention_missing`: topics with settings, but without a retention.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.retention_missing",
    severity: Severity::Info,
    title: "a topic has settings, but no retention",
    docs: "How long events are kept decides how long a consumer may be down. Without \
           `retention.ms`, `retention.bytes` or compaction it is the cluster's default. Off by \
           default.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    topic_settings: {partitions: 6}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    topic_settings: {partitions: 6, config: {retention.ms: 604800000}}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    if node.volume.retention.is_some() {
        return;
    }
    for (event, declared) in node.declared() {
        let Some(settings) = &declared.settings else {
            continue;
        };
        let has = |key: &str| settings.config.contains_key(key);
        let policy = settings.config.get("cleanup.policy");
        let is_compacted = policy.is_some_and(|policy| policy.contains("compact"));
        if !has("retention.ms") && !has("retention.bytes") && !is_compacted {
            let topic = quote(&event.topic.as_template());
            diagnostics.push(
                Diagnostic::new(&RULE, format!("the topic {topic} has no retention"))
                    .at(event.topic_location)
                    .help("set `retention.ms`, or `volume: {retention: 7d}` for all topics"),
            );
        }
    }
}
