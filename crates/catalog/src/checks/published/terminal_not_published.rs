//! `published.terminal_not_published`: a terminal event that the contract does not publish.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "published.terminal_not_published",
    severity: Severity::Warning,
    title: "the terminal event is not published",
    docs: "`terminal_event` marks the published event that ends the work. It publishes nothing by \
           itself. The diagnostic's subject is the topic.",
    bad: "terminal_event: onex.evt.a.done.v1",
    good: "terminal_event: onex.evt.a.done.v1\nevent_bus:\n  publish_topics: [onex.evt.a.done.v1]",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let topics: HashSet<&str> = contract.published_topics().collect();
    let terminal = contract.terminal_topics.iter();
    for topic in terminal.filter(|topic| !topics.contains(topic.value.as_str())) {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "the terminal event {} is not published",
                    quote(&topic.value)
                ),
            )
            .at(topic.location)
            .detail(&topic.value)
            .help("add it to `event_bus.publish_topics`"),
        );
    }
}
