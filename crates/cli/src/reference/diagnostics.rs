//! The page of all diagnostics, by area.

use std::fmt::Write as _;

use herald_catalog::checks::rules;

use super::MADE;
use super::markdown::{block, cell, prose};

/// Introduction of the page.
const INTRO: &str = "What `herald check` finds. `herald explain CODE` prints one of them; \
    `rules` in [herald.yaml](project.md) sets their severity, or switches them off.\n";

/// The page.
pub(super) fn page() -> String {
    let mut page = format!("# Diagnostics\n\n{MADE}\n{INTRO}\n");
    page += "| code | severity | message |\n| --- | --- | --- |\n";
    for rule in rules() {
        let anchor = rule.code.replace('.', "");
        let title = cell(rule.title);
        let _ = writeln!(
            page,
            "| [`{}`](#{anchor}) | {} | {title} |",
            rule.code, rule.severity
        );
    }
    let mut area = "";
    for rule in rules() {
        let (of, _) = rule.code.split_once('.').expect("a code has an area");
        if of != area {
            area = of;
            let _ = write!(page, "\n## {area}\n");
        }
        let _ = write!(page, "\n### {}\n\n", rule.code);
        let title = prose(rule.title);
        let _ = write!(
            page,
            "**{title}** ({}). {}\n\n",
            rule.severity,
            prose(rule.docs)
        );
        let _ = write!(page, "Bad:\n\n{}\n", fragment(rule.bad));
        let _ = write!(page, "Good:\n\n{}", fragment(rule.good));
    }
    page
}

fn fragment(text: &str) -> String {
    let commands = ["herald ", "chmod ", "mkdir "];
    let is_command = commands.iter().any(|name| text.starts_with(name));
    block(if is_command { "sh rule" } else { "yaml rule" }, text)
}
