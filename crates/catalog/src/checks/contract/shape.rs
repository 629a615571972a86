//! `contract.unknown_key`, `contract.wrong_type`, `contract.missing_key`: files that do not have
//! the shape of their format. Reported by [`crate::shape`].

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::shape::{Key, MapShape, Shape};
use crate::text::{did_you_mean, is_blank, quote};
use crate::yaml::{Value, Yaml};

pub(in crate::checks) static RULES: &[&Rule] = &[&UNKNOWN_KEY, &WRONG_TYPE, &MISSING_KEY];

pub(crate) static UNKNOWN_KEY: Rule = Rule {
    code: "contract.unknown_key",
    severity: Severity::Error,
    title: "unknown key in a native contract",
    docs: "The native format knows all its keys, so any other word is a typo, and its value would \
           be silently ignored. ONEX contracts may have any keys.",
    bad: "node_type: effect\nservice_name: orders\noperatoins: [place]",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

pub(crate) static WRONG_TYPE: Rule = Rule {
    code: "contract.wrong_type",
    severity: Severity::Error,
    title: "a value has the wrong type",
    docs: "The message names the expected type. Text that looks like a number or a boolean needs \
           quotes.",
    bad: "operations: place",
    good: "operations: [place]",
};

pub(crate) static MISSING_KEY: Rule = Rule {
    code: "contract.missing_key",
    severity: Severity::Error,
    title: "a required key is missing",
    docs: "`herald schema contract` prints every key of the format, and which are required.",
    bad: "metrics:\n  - unit: ms",
    good: "metrics:\n  - name: latency\n    unit: ms",
};

/// Reports a value that does not have its shape; `what` names it at the start of the message.
pub(crate) fn wrong_type(
    shape: &Shape,
    yaml: &Yaml,
    what: &str,
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let found = match &yaml.value {
        Value::Scalar(scalar) if is_blank(&scalar.text) => "nothing".to_owned(),
        Value::Scalar(scalar) if shape.is_particular() => quote(&scalar.text),
        _ => yaml.describe().to_owned(),
    };
    let diagnostic = Diagnostic::new(
        &WRONG_TYPE,
        format!("{what} has to be {}, found {found}", shape.describe()),
    )
    .at(yaml.head());
    let written = yaml.as_text().filter(|text| !is_blank(text));
    let short = written.filter(|text| text.len() <= 40 && !text.contains(['"', '\n']));
    let help = match (shape, written) {
        (Shape::Word(words), Some(text)) => did_you_mean(text, words.iter().copied(), diagnostics),
        (Shape::Text, Some(_)) => {
            let example = short
                .map(|text| format!(": \"{text}\""))
                .unwrap_or_default();
            Some(format!("if it is meant as text, put it in quotes{example}"))
        }
        (Shape::Bool, Some("yes" | "on")) => Some("write `true`".to_owned()),
        (Shape::Bool, Some("no" | "off")) => Some("write `false`".to_owned()),
        (Shape::List(_), Some(_)) => {
            let example = short.map(|text| format!(": [{text}]")).unwrap_or_default();
            Some(format!("write it as a list{example}"))
        }
        (Shape::Range(max), _) if found != "nothing" => Some(format!(
            "write one number, or the lowest and the highest: `[0, {max}]`"
        )),
        (Shape::Date, Some(_)) => Some("write year, month and day: `2027-01-31`".to_owned()),
        (Shape::Duration, Some(_)) => Some("write a number and its unit: `12h`, `7d`".to_owned()),
        (_, None) if found == "nothing" => Some("give it a value, or remove it".to_owned()),
        _ => None,
    };
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// Reports a key that the mapping does not have; `meant` is a key with a similar name.
pub(crate) fn unknown_key(
    map: &MapShape,
    word: &str,
    location: Location,
    meant: Option<&str>,
) -> Diagnostic {
    let help = meant.map_or_else(
        || {
            let names: Vec<_> = map.keys.iter().map(|key| key.name).collect();
            format!("known here: {}", names.join(", "))
        },
        |name| format!("did you mean `{name}`?"),
    );
    Diagnostic::new(&UNKNOWN_KEY, format!("unknown key {}", quote(word)))
        .at(location)
        .help(help)
}

/// Reports a required key that is missing, under the rule of the key.
pub(crate) fn missing_key(map: &MapShape, key: &Key, location: Location) -> Diagnostic {
    let doc = key.doc.split_once(". ").map_or(key.doc, |(first, _)| first);
    let doc = doc.trim_end_matches('.');
    let mut diagnostic = Diagnostic::new(
        key.missing,
        format!(
            "`{}` is missing from the {}",
            key.name,
            map.name.replace('_', " ")
        ),
    )
    .at(location)
    .help(format!("add `{}: …` ({})", key.name, lowercase_first(doc)));
    // Some of these rules are milder in ONEX contracts, where nothing is required.
    diagnostic.severity = Severity::Error;
    diagnostic
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
