//! `herald.yaml`: its diagnostics, and that its JSON Schema accepts the same files as the reader.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use herald_catalog::checks;
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::{self, Format};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&herald_project::json_schema()).expect("a schema"));

/// Reads a project from a text.
fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("herald.yaml");
    fs::write(&path, text).expect("written");
    match herald_project::read(&path) {
        Ok(_) => Vec::new(),
        Err((diagnostics, _)) => diagnostics,
    }
}

#[test]
fn reports_values_that_cannot_be_used() {
    let path = Path::new("tests/config.invalid.yaml");
    let (diagnostics, sources) = herald_project::read(path).expect_err("the project is broken");
    let mut shown = Vec::new();
    let options = render::Options {
        width: Some(100),
        ..render::Options::default()
    };
    render::write(Format::Human, &diagnostics, &sources, &options, &mut shown).expect("written");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("config.invalid", String::from_utf8(shown).expect("UTF-8"));
    });
}

#[test]
fn only_the_bad_example_breaks_its_rule() {
    let rule = checks::by_code("config.invalid").expect("a rule");
    let breaks = |example| diagnostics(example).iter().any(|d| d.rule == rule);
    assert!(breaks(rule.bad));
    assert!(!breaks(rule.good));
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        "[a-z ]{0,6}".prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,5}", inner), 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn entry() -> impl Strategy<Value = (String, Value)> {
    let key = select(
        &[
            "contracts",
            "targets",
            "templates",
            "output",
            "python",
            "namespace",
            "topic_pattern",
            "rules",
            "kafka",
            "spool",
            "lock",
            "breaking",
            "overrides",
            "baseline",
            "workspace",
            "other",
        ][..],
    );
    let level = select(&["off", "info", "warning", "error", "Error"][..])
        .prop_map(|level| json!({"topic.collision": level}));
    let nested = (
        select(
            &[
                "bootstrap_servers",
                "properties",
                "models",
                "standalone",
                "use",
                "except",
                "ignore",
                "unstable",
                "other",
            ][..],
        ),
        value(),
    )
        .prop_map(|(key, value)| json!({key: value}));
    (
        key.prop_map(str::to_owned),
        prop_oneof![value(), level, nested],
    )
}

proptest! {
    #[test]
    fn the_schema_accepts_the_same_files_as_the_reader(
        entries in prop::collection::vec(entry(), 1..4),
    ) {
        let project = Value::Object(entries.into_iter().collect());
        let text = serde_json::to_string_pretty(&project).expect("JSON");
        let about_shape = ["contract.unknown_key", "contract.wrong_type", "contract.missing_key"];
        let found = diagnostics(&text);
        let has_shape = !found.iter().any(|d| about_shape.contains(&d.rule.code));
        prop_assert_eq!(has_shape, SCHEMA.is_valid(&project), "{}\n{:?}", text, found);
    }
}
