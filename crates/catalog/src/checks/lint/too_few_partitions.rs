//! `lint.too_few_partitions`: topics with fewer partitions than their declared volume needs.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.too_few_partitions",
    severity: Severity::Warning,
    title: "a topic has too few partitions for its volume",
    docs: "One consumer reads a partition, so the partitions bound the speed of a consumer group. \
           The contract states requests per second, events in a request and what a consumer \
           handles; more partitions later change the order of events of a key. `herald volume` \
           shows the calculation for all topics.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    per_request: 1\n    topic_settings: {partitions: 2}\nvolume: {requests_per_second: 2000, consumer_events_per_second: 500}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    per_request: 1\n    topic_settings: {partitions: 6}\nvolume: {requests_per_second: 2000, consumer_events_per_second: 500}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let volume = &node.volume;
    let (Some(requests), Some(handled)) = (
        volume.requests_per_second,
        volume.consumer_events_per_second,
    ) else {
        return;
    };
    for (event, declared) in node.declared() {
        let partitions = declared
            .settings
            .as_ref()
            .and_then(|settings| settings.partitions);
        let (Some(partitions), Some(events)) = (partitions, declared.per_request) else {
            continue;
        };
        let rate = requests.high * events.high;
        let needed = (rate / f64::from(handled)).ceil();
        if needed > f64::from(partitions) {
            let topic = quote(&event.topic.as_template());
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "the topic {topic} has {partitions} partitions, and {rate} events per second need {needed}"
                    ),
                )
                .at(event.topic_location)
                .help(format!(
                    "a consumer handles {handled} events per second; set `partitions: {needed}` before the topic is created"
                )),
            );
        }
    }
}
