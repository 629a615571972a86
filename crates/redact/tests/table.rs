//! Every row of the table, with its examples.

use std::collections::HashSet;

use herald_redact::rules::{self, masked, plain};
use herald_redact::{Redactor, redact};

/// Differences between texts as they are masked, and as they should be.
fn differences(cases: impl Iterator<Item = (&'static str, String, String)>) -> Vec<String> {
    cases
        .filter_map(|(id, text, expected)| {
            let found = redact(&text);
            (found != expected).then(|| format!("{id}: {text:?} gives {found:?}, not {expected:?}"))
        })
        .collect()
}

fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    rules::all().flat_map(|rule| rule.examples.iter().map(|example| (rule.id, *example)))
}

#[test]
fn masks_each_example() {
    let cases = examples().map(|(id, example)| (id, plain(example), masked(example)));
    assert_eq!(differences(cases), [""; 0]);
}

#[test]
fn masks_each_example_amid_other_text() {
    let amid = |text: String| format!("ValueError: {text}");
    let cases = examples().map(|(id, example)| (id, amid(plain(example)), amid(masked(example))));
    assert_eq!(differences(cases), [""; 0]);
}

#[test]
fn keeps_each_near_miss() {
    let near_misses =
        rules::all().flat_map(|rule| rule.near_misses.iter().map(|text| (rule.id, plain(text))));
    let cases = near_misses.map(|(id, text)| (id, text.clone(), text));
    assert_eq!(differences(cases), [""; 0]);
}

#[test]
fn masking_twice_changes_nothing() {
    let cases = examples().map(|(id, example)| (id, masked(example), masked(example)));
    assert_eq!(differences(cases), [""; 0]);
}

/// Texts as services log them, beside the table.
fn formats(part: &str) -> Vec<String> {
    let formats = include_str!("formats.json");
    let formats: serde_json::Value = serde_json::from_str(formats).expect("JSON");
    let texts = formats[part].as_array().expect("a list");
    texts
        .iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn masks_realistic_formats() {
    let texts = formats("masked");
    let cases = texts
        .iter()
        .map(|text| ("format", plain(text), masked(text)));
    assert_eq!(differences(cases), [""; 0]);
}

#[test]
fn keeps_realistic_texts() {
    let texts = formats("kept");
    let cases = texts.iter().map(|text| ("text", plain(text), plain(text)));
    assert_eq!(differences(cases), [""; 0]);
}

#[test]
fn masks_custom_patterns_beside_the_table() {
    let redactor = Redactor::new(["cust-[0-9]+", "card=[0-9]+"]).expect("patterns");
    assert_eq!(
        redactor.redact("CUST-4711 password=x card=7"),
        "*** password=*** ***"
    );
    assert_eq!(redactor.redact("customer 4711"), "customer 4711");
}

#[test]
fn names_a_pattern_that_is_not_valid() {
    let error = Redactor::new(["(?<=key=)x"]).expect_err("look-around");
    assert!(
        error
            .to_string()
            .starts_with("`(?<=key=)x` is not a valid pattern of secrets: ")
    );
    let error = Redactor::new(["("]).expect_err("a group");
    assert_eq!(error.reason, "unclosed group");
}

#[test]
fn each_rule_has_examples() {
    for rule in rules::all() {
        assert!(!rule.examples.is_empty(), "{} has no example", rule.id);
        assert!(!rule.near_misses.is_empty(), "{} has no near miss", rule.id);
    }
}

#[test]
fn each_example_has_a_keyword() {
    for rule in rules::all().filter(|rule| !rule.keywords.is_empty()) {
        for example in rule.examples {
            let mut text = plain(example);
            if rule.ignore_case {
                text.make_ascii_lowercase();
            }
            let has_keyword = rule.keywords.iter().any(|keyword| text.contains(keyword));
            assert!(has_keyword, "{}: {example}", rule.id);
        }
    }
}

#[test]
fn ids_are_unique() {
    let mut ids = HashSet::new();
    for rule in rules::all() {
        assert!(ids.insert(rule.id), "{} stands twice", rule.id);
    }
    assert!(ids.len() <= 128, "the engine has a bit for each rule");
}
