//! `volume.range`: a range that ends before it begins. Reported by the decoder.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "volume.range",
    severity: Severity::Error,
    title: "a range ends before it begins",
    docs: "A range is the lowest and the highest expected number, such as `[20, 80]` requests in a \
           second. A single number is enough where it is known exactly.",
    bad: "node_type: effect\nservice_name: orders\noperations: [place]\nvolume: {requests_per_second: [80, 20]}",
    good: "node_type: effect\nservice_name: orders\noperations: [place]\nvolume: {requests_per_second: [20, 80]}",
};

/// Reports a range whose first number is greater than its second.
pub(crate) fn reversed(low: &Yaml, high: &Yaml) -> Diagnostic {
    let text = |yaml: &Yaml| yaml.as_text().unwrap_or_default().to_owned();
    let (low_text, high_text) = (text(low), text(high));
    Diagnostic::new(
        &RULE,
        format!("the range ends at {high_text}, below its beginning {low_text}"),
    )
    .at(high.location)
    .label(low.location, "it begins here")
    .help(format!(
        "write the lower number first: `[{high_text}, {low_text}]`"
    ))
}
