//! `published.publish_topic_without_event`: published topics that no event describes.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::{is_described, is_on_bus};
use crate::contract_file::ContractFile;

pub(crate) static RULE: Rule = Rule {
    code: "published.publish_topic_without_event",
    severity: Severity::Info,
    title: "publish topics without a published event",
    docs: "`published_events` describes some topics of `event_bus.publish_topics` but not all. The \
           diagnostic's subject is how many it leaves out; their event types are derived from the \
           topic.",
    bad: "event_bus:\n  publish_topics: [onex.evt.a.b.v1, onex.evt.a.c.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1",
    good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1",
};

/// Reports once for the contract, unless it describes no event at all.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    if !contract.events.iter().any(is_described) {
        return;
    }
    let events = contract.events.iter();
    let mut left_out = events.filter(|event| is_on_bus(event) && !is_described(event));
    let Some(first) = left_out.next() else {
        return;
    };
    let number = 1 + left_out.count();
    diagnostics.push(
        Diagnostic::new(
            &RULE,
            format!(
                "{number} of `publish_topics` {} no entry in `published_events`",
                if number == 1 { "has" } else { "have" }
            ),
        )
        .at(first.location)
        .detail(number.to_string())
        .help("event types are derived from the topics; describe an event to choose its own"),
    );
}
