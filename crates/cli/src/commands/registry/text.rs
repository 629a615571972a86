//! Text format of comparisons and registrations.

use std::fmt::Write as _;

use anstyle::Style;
use herald_diagnostics::render::visible_line;

use super::Outcome;
use super::comparison::{Comparison, State};
use super::explanation;
use crate::format::count;
use crate::terminal::{BOLD, DIM, GREEN, RED};

/// States in the order of the report, each with its title, mark and style.
const SECTIONS: [(&str, &str, &str, Style); 6] = [
    ("new", "New", "+", GREEN),
    ("compatible", "Compatible", "~", GREEN),
    ("waiting", "Waiting for references", "~", GREEN),
    ("incompatible", "Incompatible", "!", RED),
    ("failed", "Not compared", "!", RED),
    ("registered", "Registered", "=", DIM),
];

/// Formats comparisons, grouped by state.
pub fn report(comparisons: &[Comparison<'_>]) -> String {
    let mut text = String::new();
    let mut parts = Vec::new();
    for (state, title, mark, style) in SECTIONS {
        let of_state: Vec<_> = (comparisons.iter())
            .filter(|one| one.state.as_str() == state)
            .collect();
        if of_state.is_empty() {
            continue;
        }
        parts.push(format!("{} {}", of_state.len(), title.to_lowercase()));
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{style}{title}{style:#}");
        for one in of_state {
            let name = visible_line(&one.subject.name);
            let facts = visible_line(&facts(one));
            let _ = writeln!(text, "  {style}{mark}{style:#} {name}  {DIM}{facts}{DIM:#}");
            for sentence in explanation::sentences(one) {
                let _ = writeln!(text, "      {}", visible_line(&sentence));
            }
        }
    }
    if comparisons.is_empty() {
        return "The contracts publish no events".to_owned();
    }
    let subjects = count(comparisons.len(), "subject");
    let _ = write!(text, "\n{BOLD}{subjects}{BOLD:#}: {}", parts.join(", "));
    text
}

/// Returns version, id and level of a subject.
fn facts(comparison: &Comparison<'_>) -> String {
    let mut facts = Vec::new();
    if let Some(registered) = &comparison.registered {
        facts.push(format!("version {}", registered.version));
        facts.push(format!("id {}", registered.id));
    }
    if !matches!(comparison.state, State::Registered) {
        facts.push(comparison.level.to_string());
    }
    if comparison.subject.only_event().is_none() {
        facts.push(count(comparison.subject.events.len(), "event"));
    }
    facts.join(", ")
}

/// Formats registrations, a line for each.
pub fn outcomes(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let width = outcomes.iter().map(|it| it.subject.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut failed = 0;
    for outcome in outcomes {
        let subject = visible_line(&outcome.subject);
        let _ = match &outcome.result {
            Ok(id) => writeln!(
                text,
                "{GREEN}registered{GREEN:#} {subject:width$}  {DIM}id {id}{DIM:#}"
            ),
            Err(error) => {
                failed += 1;
                let reason = visible_line(&error.to_string());
                writeln!(text, "{RED}failed{RED:#}     {subject:width$}  {reason}")
            }
        };
    }
    let schemas = count(outcomes.len() - failed, "schema");
    let _ = write!(text, "{BOLD}{schemas} registered{BOLD:#}");
    if failed > 0 {
        let _ = write!(text, ", {failed} failed");
    }
    text
}

/// Summary of differences.
pub fn differences(different: usize, all: usize) -> String {
    let subjects = count(all, "subject");
    match different {
        0 => format!("{GREEN}no differences{GREEN:#}: {subjects}"),
        _ => format!("{different} of {subjects} differ from the last registered version"),
    }
}
