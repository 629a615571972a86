//! `fields.renamed_from`: a former name that can't be that of the field. Reported by the reader of
//! fields.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::fields::Field;
use crate::text::quote;
use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.renamed_from",
    severity: Severity::Warning,
    title: "a field can't have had this name",
    docs: "`renamed_from` names a field that is gone. A name that is still a field of the same \
           payload, or that two fields claim, is not the former name of a field.",
    bad: "node_type: effect\nservice_name: orders\noperations: [place]\nevents:\n  - event_type: order.placed\n    payload:\n      total: decimal\n      amount: {type: decimal, renamed_from: total}",
    good: "node_type: effect\nservice_name: orders\noperations: [place]\nevents:\n  - event_type: order.placed\n    payload:\n      amount: {type: decimal, renamed_from: total}",
};

/// Checks the former names of a group of fields, which `yaml` declares.
pub(crate) fn check(fields: &[Field], yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
    let mut claimed = std::collections::HashMap::new();
    for field in fields {
        let Some(former) = &field.renamed_from else {
            continue;
        };
        let written = yaml.at(&[&field.name, "renamed_from"]);
        let location = written.map_or(field.location, |written| written.location);
        let existing = fields.iter().find(|other| other.name == *former);
        let earlier = claimed.insert(former.as_str(), location);
        if let Some(existing) = existing {
            diagnostics.push(
                Diagnostic::new(&RULE, format!("{} is still a field", quote(former)))
                    .at(location)
                    .label(existing.location, "declared here")
                    .help("remove `renamed_from` while both fields are published"),
            );
        } else if let Some(earlier) = earlier {
            diagnostics.push(
                Diagnostic::new(&RULE, format!("two fields were named {}", quote(former)))
                    .at(location)
                    .label(earlier, "the other one")
                    .help("only one field can be the same one under a new name"),
            );
        }
    }
}
