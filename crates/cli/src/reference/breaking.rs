//! The page of the rules of `herald breaking`.

use std::fmt::Write as _;

use herald_breaking::BreakingRule;
use herald_breaking::rules::RULES;

use super::MADE;
use super::markdown::{block, cell, prose};

/// Introduction of the page.
const INTRO: &str = "\
`herald breaking --against OLD` compares contracts with an older version of them: a file, a folder, a
commit of git (`git:main`, `git:v1.4.0:contracts`) or the lock file (`lock`). [Contract changes](../contract-changes.md)
shows it at work. It reports what breaks, and in which direction:

| direction | question |
| --- | --- |
| consumer | Can an old consumer read new events? |
| producer | Can a new consumer read old events: retained ones, and those of instances that are not upgraded yet? |
| source | Does code that uses the generated module still compile and type-check? |

`--direction` chooses; the exit code is 1 when something breaks in a chosen direction. A change of a
payload comes with a witness: a value that one side publishes and the other side rejects. Payloads are
judged as they are on the wire: unknown fields pass, and a private field is the name of its type.

Each rule shows two versions of a contract that it reports, and a safe way to make a similar change.
`node_type` and `service_name` are left out where they do not matter.
";

/// The page.
pub(super) fn page() -> String {
    let mut page = format!("# Breaking changes\n\n{MADE}\n{INTRO}\n");
    page += "| rule | breaks | change |\n| --- | --- | --- |\n";
    for rule in RULES {
        let BreakingRule { rule, breaks, .. } = rule;
        let anchor = rule.code.replace('.', "");
        let title = cell(rule.title);
        let _ = writeln!(
            page,
            "| [`{}`](#{anchor}) | {breaks} | {title} |",
            rule.code
        );
    }
    let mut area = "";
    for rule in RULES {
        let (of, _) = rule.rule.code.split_once('.').expect("a code has an area");
        if of != area {
            area = of;
            let _ = write!(page, "\n## {area}\n");
        }
        let _ = write!(
            page,
            "\n### {}\n\n**{}** (breaks {}). {}\n\n",
            rule.rule.code,
            prose(rule.rule.title),
            rule.breaks,
            prose(rule.rule.docs),
        );
        if let Some(reason) = rule.no_witness {
            let _ = write!(page, "No witness: {}\n\n", prose(reason));
        }
        let _ = write!(page, "Breaks:\n\n{}\n", versions(rule.before, rule.after));
        let _ = write!(page, "Safe:\n\n{}", block("yaml fragment", rule.safe));
    }
    page
}

fn versions(before: &str, after: &str) -> String {
    block(
        "yaml fragment",
        &format!("# before\n{before}\n# after\n{after}"),
    )
}
