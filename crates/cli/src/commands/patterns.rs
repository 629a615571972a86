//! `herald patterns`: lists the families of events that can be generated.

use std::fmt::Write as _;

use herald_catalog::category::{ALL_EVENTS, CATEGORIES, Category};

use crate::args::templates::Patterns;
use crate::{Error, ExitStatus, output};

/// Generators for use from Python, without a contract and without `herald generate`.
const PARTS: &str = "
Parts of classes, from `herald.codegen.patterns` in Python:
event publishing     EventPublishingPatternGenerator
metrics              MetricsPatternGenerator
lifecycle            LifecyclePatternGenerator
";

/// Runs the command.
pub fn run(args: &Patterns) -> Result<ExitStatus, Error> {
    let Patterns::List = args;
    let mut text = format!("{ALL_EVENTS:<21}all of the following\n");
    for category in CATEGORIES {
        let _ = writeln!(text, "{:<21}{}", category.key, event_types(category));
    }
    text.push_str(PARTS);
    output::text(&text)?;
    Ok(ExitStatus::Success)
}

/// The event types of a pattern, with placeholders for values of the contract.
fn event_types(category: &Category) -> String {
    let operation = if category.per_operation {
        "{operation}."
    } else {
        ""
    };
    let types: Vec<_> = (category.stages.iter())
        .map(|stage| format!("{{kind}}.{operation}{}", stage.event_type))
        .collect();
    if types.is_empty() {
        "what the contract lists under `events`".to_owned()
    } else {
        types.join(", ")
    }
}
