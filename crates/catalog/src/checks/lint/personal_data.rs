//! `lint.personal_data`: public fields that are named like personal data.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::{published_fields, words};
use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.personal_data",
    severity: Severity::Warning,
    title: "a public field is named like personal data",
    docs: "Events are kept for days, copied to other systems and cannot be corrected. A field that \
           consumers do not need is better `privacy: private`; one that they need is worth a \
           comment `# herald: ignore[lint.personal_data] reason`, which tells the next reader that \
           somebody decided it.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {customer_email: string}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {customer_email: {type: string, privacy: private}}",
};

/// Words in a row that name data of a person.
const NAMES: &[&[&str]] = &[
    &["email"],
    &["e", "mail"],
    &["phone"],
    &["phone", "number"],
    &["mobile", "number"],
    &["first", "name"],
    &["last", "name"],
    &["full", "name"],
    &["maiden", "name"],
    &["surname"],
    &["birth", "date"],
    &["birthdate"],
    &["birthday"],
    &["date", "of", "birth"],
    &["dob"],
    &["ssn"],
    &["social", "security", "number"],
    &["tax", "id"],
    &["passport", "number"],
    &["iban"],
    &["card", "number"],
    &["credit", "card"],
    &["bank", "account"],
    &["street"],
    &["street", "address"],
    &["home", "address"],
    &["postal", "address"],
    &["ip", "address"],
];

/// Last words of names that tell about the data, not the data itself: `email_verified`.
const ABOUT: &[&str] = &[
    "count",
    "verified",
    "hash",
    "hashed",
    "enabled",
    "sent",
    "type",
    "template",
    "id",
    "status",
    "valid",
    "present",
    "required",
    "changed",
    "masked",
    "encrypted",
    "at",
    "length",
];

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for published in published_fields(node) {
        let field = published.field;
        if matches!(field.ty, Type::Boolean | Type::Enum(_)) || !is_personal(&field.name) {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "{} in {} looks like personal data, and is public",
                    quote(&field.name),
                    published.owner
                ),
            )
            .at(field.location)
            .help(
                "add `privacy: private` if consumers do not need it, else a comment behind it: \
                 `# herald: ignore[lint.personal_data] reason`",
            ),
        );
    }
}

fn is_personal(name: &str) -> bool {
    let words = words(name);
    let is_about = words
        .last()
        .is_some_and(|word| ABOUT.contains(&word.as_str()));
    let contains = |name: &&[&str]| words.windows(name.len()).any(|part| *part == **name);
    let is_tax_id = words.ends_with(&["tax".to_owned(), "id".to_owned()]);
    (is_tax_id || !is_about) && NAMES.iter().any(contains)
}

#[cfg(test)]
mod tests {
    use super::is_personal;

    #[test]
    fn knows_names_of_personal_data_and_names_about_them() {
        for name in [
            "email",
            "customerEmail",
            "e_mail",
            "phone-number",
            "taxId",
            "ip_address",
        ] {
            assert!(is_personal(name), "{name}");
        }
        for name in [
            "email_verified",
            "emailHash",
            "name",
            "telephone_ready",
            "phoneme",
            "file_name",
        ] {
            assert!(!is_personal(name), "{name}");
        }
    }
}
