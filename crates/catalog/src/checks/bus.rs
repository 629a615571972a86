//! `bus.published_and_consumed`: topics that a node both publishes and consumes.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "bus.published_and_consumed",
    severity: Severity::Info,
    title: "topics are both published and consumed",
    docs: "An intended loop is fine; otherwise the node consumes its own events. The diagnostic's \
           subject is the number of topics.",
    bad: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\n  subscribe_topics: [onex.evt.a.b.v1]",
    good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\n  subscribe_topics: [onex.evt.c.d.v1]",
};

/// Reports once for the contract, at the first such topic.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let published: HashSet<&str> = contract.published_topics().collect();
    let consumed = contract.node.consumed.iter();
    let mut both = consumed.filter(|consumed| published.contains(consumed.topic.as_str()));
    let Some(first) = both.next() else { return };
    let number = 1 + both.count();
    let more = match number {
        1 => "is".to_owned(),
        _ => format!("and {} more are", number - 1),
    };
    diagnostics.push(
        Diagnostic::new(
            &RULE,
            format!("{} {more} both published and consumed", quote(&first.topic)),
        )
        .at(first.location)
        .detail(number.to_string())
        .help("fine for an intended loop; otherwise the node consumes its own events"),
    );
}
