//! `topic.invalid`, `topic.too_long`: topic names that Kafka does not accept.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};
use herald_envelope::topic::{self, InvalidTopic};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::node::Node;
use crate::text::quote;

pub(in crate::checks) static RULES: &[&Rule] = &[&INVALID, &TOO_LONG];

static INVALID: Rule = Rule {
    code: "topic.invalid",
    severity: Severity::Error,
    title: "Kafka does not accept this topic name",
    docs: "Kafka's rule: 1 to 249 characters of `[A-Za-z0-9._-]`, not `.` or `..`. Topics of \
           generated events consist of namespace, service, event type and version.",
    bad: "events:\n  - event_type: order.placed\n    topic: orders/placed",
    good: "events:\n  - event_type: order.placed\n    topic: orders.placed",
};

static TOO_LONG: Rule = Rule {
    code: "topic.too_long",
    severity: Severity::Error,
    title: "the topic name is too long",
    docs: "Kafka accepts at most 249 characters.",
    bad: "service_name: a-name-of-two-hundred-and-fifty-characters…",
    good: "service_name: orders",
};

/// Checks the names that become part of many topics: a fault in them is reported once, at the
/// name.
pub(crate) fn check_parts(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    // The names of ONEX nodes are free text; topics contain their slug, which is always valid.
    let service_name = contract.name.as_ref();
    let service_name = service_name.filter(|_| contract.node.format == Format::Native);
    let parts = [
        ("the service name", service_name),
        ("the namespace", contract.namespace.as_ref()),
    ];
    for (what, name) in parts {
        let Some(name) = name else { continue };
        if let Err(reason) = topic::validate(&name.value) {
            diagnostics.push(invalid(what, &name.value, &reason, name.location));
        }
    }
}

/// Checks the topics of a node, except for faults that [`check_parts`] reports.
pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let is_valid = |name: &&str| topic::validate(name).is_ok();
    let invalid_service = Some(&*node.service_name).filter(|name| !is_valid(name));
    let namespace = node.namespace.as_deref().filter(is_valid);
    let namespace = namespace.unwrap_or(topic::DEFAULT_NAMESPACE);
    let mut reported = HashSet::new();
    for event in &node.events {
        let name = event.topic.in_namespace(namespace);
        let Err(reason) = topic::validate(&name) else {
            continue;
        };
        let is_service_only = |service: &str| topic::validate(&name.replace(service, "x")).is_ok();
        if invalid_service.is_some_and(is_service_only) {
            continue;
        }
        // The three events of an operation break the rule for one reason.
        if reported.insert(event.topic_location) {
            diagnostics.push(invalid("the topic", &name, &reason, event.topic_location));
        }
    }
}

fn invalid(what: &str, name: &str, reason: &InvalidTopic, at: Location) -> Diagnostic {
    let (rule, help) = match reason {
        InvalidTopic::TooLong(_) => (
            &TOO_LONG,
            format!(
                "shorten the names that it consists of, to {} characters in all",
                topic::MAX_LENGTH
            ),
        ),
        _ => (
            &INVALID,
            "topics consist of letters, digits, `.`, `_` and `-`".to_owned(),
        ),
    };
    Diagnostic::new(
        rule,
        format!("Kafka does not accept {what} {}: {reason}", quote(name)),
    )
    .at(at)
    .help(help)
}
