//! The table as Python reads it: the rules of the engine in `herald.runtime`, and the examples for
//! its tests. `HERALD_BLESS=1 cargo test -p herald-redact` prints them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use herald_redact::numbers::{CARDS, IBAN_LENGTHS};
use herald_redact::rules::{self, Before, PROSE, PUBLIC_ENDINGS, Rule, Secret};

/// Width of lines that `ruff format` leaves.
const WIDTH: usize = 88;

/// Compares a file with its text, or writes it.
fn compare(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    if env::var_os("HERALD_BLESS").is_some() {
        fs::write(&path, text).expect("the file can be written");
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let stale = format!(
        "{} is stale: HERALD_BLESS=1 cargo test -p herald-redact",
        path.display()
    );
    assert_eq!(written, text, "{stale}");
}

#[test]
fn python_rules_match_the_table() {
    compare(
        "crates/python/python/herald/runtime/_redaction_rules.py",
        &module(),
    );
}

#[test]
fn python_examples_match_the_table() {
    let examples: BTreeMap<_, _> = rules::all().map(|rule| (rule.id, rule.examples)).collect();
    let near_misses: BTreeMap<_, _> = rules::all()
        .map(|rule| (rule.id, rule.near_misses))
        .collect();
    let table = serde_json::json!({"examples": examples, "near_misses": near_misses});
    let text = serde_json::to_string_pretty(&table).expect("texts are JSON") + "\n";
    compare("crates/redact/tests/examples.json", &text);
}

fn module() -> String {
    let mut text = String::from(
        "\"\"\"The table of secrets, printed by crates/redact/tests/python.rs: change it there.\"\"\"\n\n\
        from typing import Final\n\n\
        # Kind of secret, what may not stand before it, whether case does not matter, keywords,\n\
        # pattern, and what follows.\nRULES: Final = (\n",
    );
    for row in rows() {
        text += &element(&row);
    }
    text += ")\n\n# Suffixes of names that are not secret, and words of prose behind \"Bearer\".\n";
    text += &names("PUBLIC_ENDINGS", PUBLIC_ENDINGS);
    text += &names("PROSE", PROSE);
    text += "\n# First and last prefix of cards, least and most digits; lengths of IBANs.\nCARDS: Final = (\n";
    for card in CARDS {
        let _ = writeln!(text, "    {card:?},");
    }
    text += ")\nIBAN_LENGTHS: Final = (\n";
    for line in chunks(IBAN_LENGTHS, ' ', WIDTH - 6) {
        let _ = writeln!(text, "    \"{line}\"");
    }
    text + ")\n"
}

/// Alternatives of a pattern.
fn names(name: &str, words: &[&str]) -> String {
    let mut text = format!("{name}: Final = (\n");
    for line in chunks(&words.join("|"), '|', WIDTH - 6) {
        let _ = writeln!(text, "    \"{line}\"");
    }
    text + ")\n"
}

/// One row: kind, before, case, keywords, pattern, value.
type Row = (&'static str, Before, bool, String, String, String);

/// Rows for Python, with tokens that go on alike as one: they have the same end.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for rule in rules::all() {
        let (kind, value) = value(rule);
        let same = |row: &&mut Row| {
            kind == "match"
                && (row.0, row.1, row.2, &row.5) == (kind, rule.before, rule.ignore_case, &value)
        };
        let keywords = rule.keywords.join(" ");
        match rows.iter_mut().find(same) {
            Some(row) => {
                row.3 += " ";
                row.3 += &keywords;
                row.4 += "|";
                row.4 += rule.pattern;
            }
            None => rows.push((
                kind,
                rule.before,
                rule.ignore_case,
                keywords,
                rule.pattern.to_owned(),
                value,
            )),
        }
    }
    rows
}

/// The name of a kind in Python, and a pattern of what follows the match.
fn value(rule: &Rule) -> (&'static str, String) {
    let kind = match rule.secret {
        Secret::Match("") => return ("match", "(?![A-Za-z0-9])".to_owned()),
        Secret::Match(class) => return ("match", format!("{class}*")),
        Secret::Following(class, least) => return ("following", format!("{class}{{{least},}}")),
        Secret::Card => "card",
        Secret::Iban => "iban",
        Secret::Pem => "pem",
        Secret::Assigned => "assigned",
        Secret::Line => "line",
        Secret::Paired => "paired",
        Secret::Option => "option",
        Secret::Element => "element",
        Secret::Encoded => "encoded",
        Secret::Header => "header",
        Secret::Quoted => "quoted",
        Secret::Credentials => "credentials",
        Secret::UserPassword => "user_password",
        Secret::UserInfo => "user_info",
        Secret::EncodedUserInfo => "encoded_user_info",
        Secret::Code => "code",
        Secret::InputValue => "input_value",
    };
    (kind, String::new())
}

/// A row of the tuple, on one line or one line for each of its parts.
fn element((kind, before, ignore_case, keywords, pattern, value): &Row) -> String {
    let before = match before {
        Before::Any => "any",
        Before::Alphanumeric => "alphanumeric",
        Before::Part => "part",
    };
    let ignore_case = if *ignore_case { "True" } else { "False" };
    let line = [
        literal(kind),
        literal(before),
        ignore_case.to_owned(),
        literal(keywords),
        literal(pattern),
        literal(value),
    ];
    let line = format!("    ({}),\n", line.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let mut text = String::from("    (\n");
    for part in [kind, before] {
        let _ = writeln!(text, "        \"{part}\",");
    }
    let _ = writeln!(text, "        {ignore_case},");
    for (part, separator) in [(keywords, ' '), (pattern, '|'), (value, '|')] {
        if literal(part).len() + 9 <= WIDTH {
            let _ = writeln!(text, "        {},", literal(part));
            continue;
        }
        let lines = chunks(part, separator, WIDTH - 18);
        let lines: Vec<_> = lines
            .iter()
            .map(|line| format!("        {}", literal(line)))
            .collect();
        text += &(lines.join("\n") + ",\n");
    }
    text + "    ),\n"
}

/// Parts of a text of at most `width`, cut before a separator.
fn chunks(text: &str, separator: char, width: usize) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for (place, part) in text.split(separator).enumerate() {
        let part = if place > 0 {
            format!("{separator}{part}")
        } else {
            part.to_owned()
        };
        let last = chunks.last_mut().expect("there is one");
        if last.is_empty() || last.len() + part.len() <= width {
            *last += &part;
        } else {
            chunks.push(part);
        }
    }
    chunks
}

/// A literal as `ruff format` leaves it.
fn literal(text: &str) -> String {
    let raw = if text.contains('\\') { "r" } else { "" };
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("{raw}\"{text}\""),
        (true, false) => format!("{raw}'{text}'"),
        (true, true) => format!("{raw}\"\"\"{text}\"\"\""),
    }
}
