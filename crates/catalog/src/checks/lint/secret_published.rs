//! `lint.secret_published`: public fields that are named like secrets.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::published_fields;
use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.secret_published",
    severity: Severity::Warning,
    title: "a public field is named like a secret",
    docs: "Everybody with access to the topic can read the secret, for as long as events are kept. The \
           names are those that the redaction of error messages masks.",
    bad: "node_type: effect\nservice_name: accounts\nevents:\n  - event_type: account.opened\n    payload: {api_key: string}",
    good: "node_type: effect\nservice_name: accounts\nevents:\n  - event_type: account.opened\n    payload: {api_key: {type: string, privacy: private}}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for published in published_fields(node) {
        let field = published.field;
        let may_hold = matches!(field.ty, Type::String | Type::Bytes | Type::Any)
            || matches!(&field.ty, Type::Union(members) if members.contains(&Type::String));
        if !may_hold || !is_secret(&field.name) {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "{} in {} looks like a secret, and is public",
                    quote(&field.name),
                    published.owner
                ),
            )
            .at(field.location)
            .help("add `privacy: private`, or publish a reference to the secret instead"),
        );
    }
}

/// Whether redaction takes a value behind this name for a secret.
fn is_secret(name: &str) -> bool {
    // The engine takes milliseconds to start, and most contracts have no such name.
    const PARTS: [&str; 8] = [
        "pass", "pwd", "secret", "cred", "token", "key", "session", "auth",
    ];
    let lower = name.to_lowercase();
    if !PARTS.iter().any(|part| lower.contains(part)) {
        return false;
    }
    let assignment = format!("{name}=Q7vK2mX9pL4w");
    herald_redact::redact(&assignment) != assignment
}
