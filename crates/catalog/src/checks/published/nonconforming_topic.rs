//! `published.nonconforming_topic`: a topic that is not named by the rule of the ONEX platform.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::onex::topics::is_conforming;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "published.nonconforming_topic",
    severity: Severity::Warning,
    title: "a topic breaks the ONEX rule",
    docs: "The platform's topics are \
           `onex.(cmd|evt|dlq|intent|snapshot).<producer>.<event-name>.vN`: five segments in \
           lowercase kebab-case. The topic is published all the same.",
    bad: "event_bus:\n  publish_topics: [onex.evt.orders.order_placed.v1]",
    good: "event_bus:\n  publish_topics: [onex.evt.orders.order-placed.v1]",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    if contract.node.format != Format::Onex {
        return;
    }
    let topics = contract.events.iter().filter_map(|e| e.topic.as_ref());
    for topic in topics.filter(|topic| !is_conforming(&topic.value)) {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "the topic {} breaks the platform's rule",
                    quote(&topic.value)
                ),
            )
            .at(topic.location)
            .help(
                "the rule: onex.(cmd|evt|dlq|intent|snapshot).<producer>.<event-name>.vN, in \
                 lowercase kebab-case",
            ),
        );
    }
}
