//! `herald explain`: documentation of a diagnostic.

use std::fmt::Write as _;

use anstream::{AutoStream, ColorChoice};
use herald_catalog::checks;
use herald_diagnostics::{Rule, did_you_mean, render};

use crate::args::Explain;
use crate::terminal::{BOLD, DIM};
use crate::{Error, ExitStatus, output};

/// Runs the command.
pub fn run(args: &Explain) -> Result<ExitStatus, Error> {
    let Some(code) = &args.code else {
        output::text(&list())?;
        return Ok(ExitStatus::Success);
    };
    let Some(rule) = rules().find(|rule| rule.code == code) else {
        let hint = match did_you_mean(code, rules().map(|rule| rule.code)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "`herald explain` lists all codes".to_owned(),
        };
        return Err(Error::Message(format!(
            "unknown diagnostic `{code}`; {hint}"
        )));
    };
    let color = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    output::text(&render::explain(rule, color))?;
    Ok(ExitStatus::Success)
}

/// The rules of `herald check`, then those of `herald breaking`.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let breaking = herald_breaking::rules::RULES.iter().map(|rule| &rule.rule);
    checks::rules().chain(breaking)
}

fn list() -> String {
    let width = rules()
        .map(|rule| rule.code.len())
        .max()
        .unwrap_or_default();
    let mut list = String::new();
    for rule in rules() {
        let _ = writeln!(
            list,
            "{BOLD}{:width$}{BOLD:#}  {DIM}{:7}{DIM:#}  {}",
            rule.code, rule.severity, rule.title
        );
    }
    list
}
