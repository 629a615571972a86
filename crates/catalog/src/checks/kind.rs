//! `kind.*`: the `node_type`. Reported by the decoders.

use herald_diagnostics::{Diagnostic, Edit, Fix, Location, Rule, Severity, Span};

use crate::kind::Kind;
use crate::text::quote;

pub(super) static RULES: &[&Rule] = &[&MISSING, &UNKNOWN];

pub(crate) static MISSING: Rule = Rule {
    code: "kind.node_type_missing",
    severity: Severity::Warning,
    title: "`node_type` is missing",
    docs: "Without a kind a node has only its declared events: event types of operations begin \
           with the kind. `descriptor.node_archetype` is used instead where it names a kind.",
    bad: "name: node_orders\nio_operations: [{operation: place}]",
    good: "name: node_orders\nnode_type: effect\nio_operations: [{operation: place}]",
};

pub(crate) static UNKNOWN: Rule = Rule {
    code: "kind.unknown",
    severity: Severity::Error,
    title: "unknown `node_type`",
    docs: "The kinds are `effect`, `compute`, `reducer` and `orchestrator`. In an ONEX contract an \
           unknown kind is a warning, and its declared events are still published.",
    bad: "node_type: orchestratr",
    good: "node_type: orchestrator",
};

/// Reports an ONEX contract with a `node_type` that is not a kind.
pub(crate) fn unknown_in_onex(word: &str, location: Location) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&UNKNOWN, format!("unknown `node_type` {}", quote(word)))
        .at(location)
        .detail(word)
        .help(
            "use effect, compute, reducer or orchestrator; until then only the declared events \
             are published",
        );
    diagnostic.severity = Severity::Warning;
    diagnostic
}

/// Reports an ONEX contract without `node_type` whose archetype names the kind.
pub(crate) fn taken_from_archetype(kind: Kind, location: Location) -> Diagnostic {
    Diagnostic::new(&MISSING, "`node_type` is missing")
        .at(location)
        .help(format!(
            "`descriptor.node_archetype` is used instead; add `node_type: {kind}`"
        ))
        .fix(Fix {
            title: "add the kind of the archetype",
            edits: vec![Edit {
                location: Location {
                    span: Span::new(location.span.start, location.span.start),
                    ..location
                },
                text: format!("node_type: {kind}\n"),
            }],
        })
}

/// Reports an ONEX contract that does not state its kind at all.
pub(crate) fn missing_in_onex(location: Location) -> Diagnostic {
    Diagnostic::new(&MISSING, "`node_type` is missing")
        .at(location)
        .help(
            "add `node_type`: effect, compute, reducer or orchestrator; until then only the \
             declared events are published",
        )
}
