//! `herald rules`: lists the rules of contracts and of their changes.

use herald_breaking::rules::RULES as BREAKING;
use herald_catalog::checks;
use serde_json::{Value, json};

use crate::args::{Rules, RulesFormat};
use crate::table::{Column, Table};
use crate::terminal;
use crate::{Error, ExitStatus, output, project};

static COLUMNS: [Column; 4] = [
    Column::main("RULE"),
    Column::text("LEVEL"),
    Column::text("FIX"),
    Column::text("MEANING"),
];

/// A rule and its level in the project.
struct Row {
    rule: &'static herald_diagnostics::Rule,
    command: &'static str,
    level: &'static str,
    default: &'static str,
    is_fixable: bool,
    breaks: Vec<&'static str>,
}

/// Runs the command.
pub fn run(args: &Rules) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let levels = &project.options.levels;
    let of_contracts = checks::rules().map(|rule| {
        let default = checks::default_level(rule);
        let level = levels.get(rule.code).copied().unwrap_or(default);
        let word = |level: Option<herald_diagnostics::Severity>| {
            level.map_or("off", herald_diagnostics::Severity::as_str)
        };
        Row {
            rule,
            command: "check",
            level: word(level),
            default: word(default),
            is_fixable: checks::is_fixable(rule),
            breaks: Vec::new(),
        }
    });
    let of_changes = BREAKING.iter().map(|rule| {
        let code = rule.rule.code;
        let is_off = project.breaking.except.iter().any(|except| except == code);
        Row {
            rule: &rule.rule,
            command: "breaking",
            level: if is_off { "off" } else { "error" },
            default: "error",
            is_fixable: false,
            breaks: rule
                .breaks
                .iter()
                .map(herald_breaking::Direction::as_str)
                .collect(),
        }
    });
    let rows: Vec<_> = of_contracts.chain(of_changes).collect();
    match args.format {
        RulesFormat::Json => output::json(&json!({
            "rules": rows.iter().map(document).collect::<Vec<_>>(),
        }))?,
        RulesFormat::Table => {
            let cells: Vec<_> = rows.iter().map(cells).collect();
            let mut table = Table::new(&COLUMNS, terminal::width());
            output::text(&table.rows_to_text(&cells))?;
        }
    }
    Ok(ExitStatus::Success)
}

fn cells(row: &Row) -> Vec<String> {
    vec![
        row.rule.code.to_owned(),
        row.level.to_owned(),
        if row.is_fixable { "--fix" } else { "" }.to_owned(),
        row.rule.title.to_owned(),
    ]
}

fn document(row: &Row) -> Value {
    json!({
        "rule": row.rule.code,
        "command": row.command,
        "level": row.level,
        "default": row.default,
        "fixable": row.is_fixable,
        "breaks": row.breaks,
        "title": row.rule.title,
        "docs": row.rule.docs,
        "bad": row.rule.bad,
        "good": row.rule.good,
    })
}
