//! `published.event_not_in_publish_topics`: an event whose topic the platform does not create.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::{is_described, is_on_bus};
use crate::contract_file::ContractFile;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "published.event_not_in_publish_topics",
    severity: Severity::Warning,
    title: "a published event is not in `publish_topics`",
    docs: "The platform subscribes and creates topics by `event_bus.publish_topics`; an event that \
           only `published_events` names may have no topic there.",
    bad: "published_events:\n  - topic: onex.evt.a.b.v1",
    good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let events = contract.events.iter();
    for event in events.filter(|event| is_described(event) && !is_on_bus(event)) {
        let topic = event.topic.as_ref().map_or("", |topic| &topic.value);
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!("{} is not in `event_bus.publish_topics`", quote(topic)),
            )
            .at(event.location)
            .help("add it there, so that the platform creates the topic"),
        );
    }
}
