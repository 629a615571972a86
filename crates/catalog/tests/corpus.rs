//! Real contracts, compared with the expected results of a correct reader.
//!
//! They are not part of the project. The test is skipped unless their folder exists beside it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use herald_catalog::load::{Loaded, Options, load};
use herald_catalog::version::Version;
use herald_catalog::{Declared, Event, Node};
use serde_json::{Value, json};

#[test]
fn reads_every_real_contract_as_expected() {
    let folder = fixtures();
    let expected = folder.join("onex-contracts-expected.json");
    let Ok(text) = fs::read_to_string(&expected) else {
        // Not by a macro: the test harness would keep that for itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: there is no {}",
            expected.display()
        );
        return;
    };
    let expected: Value = serde_json::from_str(&text).expect("the expectations are JSON");
    let expected = expected["contracts"].as_array().expect("a list");

    let paths = [folder.join("onex-contracts").to_string_lossy().into_owned()];
    let loaded = load(&paths, &Options::default(), &|| ());
    assert_eq!(loaded.catalog.nodes.len(), expected.len());
    assert!(loaded.skipped.is_empty(), "{:?}", loaded.skipped);

    let mut differences = Vec::new();
    for expected in expected {
        let path = expected["path"].as_str().expect("a path");
        let Some(node) = loaded
            .catalog
            .nodes
            .iter()
            .find(|node| node.origin.relative_path == path)
        else {
            differences.push(format!("{path}: not read"));
            continue;
        };
        for (what, understood) in actual(node, &loaded) {
            let wanted = expected_value(expected, what);
            if understood != wanted {
                differences.push(format!(
                    "{path}: {what}\n  understood {understood}\n  expected   {wanted}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Folder of the contracts, beside the project.
fn fixtures() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    project.join("../shared/fixtures")
}

/// Returns the compared properties, with lists sorted by name.
fn actual(node: &Node, loaded: &Loaded) -> Vec<(&'static str, Value)> {
    let machine = node.states.as_ref();
    let version =
        |version: Option<&Version>| version.map_or(Value::Null, |v| v.text.as_str().into());
    vec![
        ("/identity/name", json!(node.identity.name)),
        ("/identity/slug", json!(node.identity.slug)),
        (
            "/identity/contract_version",
            version(node.identity.contract_version.as_ref()),
        ),
        (
            "/identity/node_version",
            version(node.identity.node_version.as_ref()),
        ),
        (
            "/kind",
            json!(node.kind.map(herald_catalog::kind::Kind::as_str)),
        ),
        (
            "/operations",
            by_name(node.operations.iter().map(|operation| {
                json!([operation.name, operation.ident, sorted(&operation.sources)])
            })),
        ),
        (
            "/published",
            by_name(
                node.declared()
                    .map(|(event, declared)| published(event, declared)),
            ),
        ),
        (
            "/consumed",
            by_name(node.consumed.iter().map(|topic| {
                json!([
                    topic.topic,
                    topic.conforming,
                    topic.event_type,
                    sorted(&topic.sources)
                ])
            })),
        ),
        (
            "/states",
            json!(
                machine
                    .map(|machine| &machine.states[..])
                    .unwrap_or_default()
            ),
        ),
        (
            "/fsm",
            machine.map_or(Value::Null, |machine| {
                let transitions = machine
                    .transitions
                    .iter()
                    .map(|t| json!({"from": t.from.value, "to": t.to.value, "trigger": t.trigger}));
                json!({
                    "source": machine.source,
                    "initial": machine.initial,
                    "terminal": machine.terminal,
                    "transitions": transitions.collect::<Vec<_>>(),
                })
            }),
        ),
        ("/fields", fields(node)),
        ("/diagnostics", diagnostics(node, loaded)),
    ]
}

fn expected_value(expected: &Value, what: &str) -> Value {
    let value = expected.pointer(what).cloned().unwrap_or_default();
    let list = |keys: &[&str]| {
        let items = value.as_array().expect("a list").iter();
        by_name(items.map(|item| {
            let parts = keys.iter().map(|key| match *key {
                "roles" | "sources" => sorted(item[*key].as_array().expect("a list")),
                _ => item[*key].clone(),
            });
            Value::Array(parts.collect())
        }))
    };
    match what {
        "/operations" => list(&["name", "ident", "sources"]),
        "/published" => list(&[
            "topic",
            "event_type",
            "event_type_source",
            "conforming",
            "roles",
            "schema_ref",
            "topic_config",
            "sources",
        ]),
        "/consumed" => list(&["topic", "conforming", "event_type", "sources"]),
        "/diagnostics" => sorted(value.as_array().expect("a list")),
        "/fsm" if value.is_object() => json!({
            "source": value["source"],
            "initial": value["initial"],
            "terminal": value["terminal"],
            "transitions": value["transitions"],
        }),
        _ => value,
    }
}

fn published(event: &Event, declared: &Declared) -> Value {
    json!([
        event.topic.as_template(),
        event.event_type,
        declared.event_type_source.as_str(),
        declared.conforming,
        sorted(&declared.roles),
        declared.schema_ref,
        declared.settings.as_ref().map(|settings| json!({
            "partitions": settings.partitions,
            "replication_factor": settings.replication_factor,
            "kafka_config": settings.config,
        })),
        sorted(&declared.sources),
    ])
}

/// Returns the fields of the node, with their types as spelled.
fn fields(node: &Node) -> Value {
    let sections = [("inputs", &node.inputs), ("outputs", &node.outputs)];
    sections
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(name, fields)| {
            let spelled = fields
                .iter()
                .map(|field| (field.name.clone(), field.spelling.clone().into()));
            (name.to_owned(), Value::Object(spelled.collect()))
        })
        .collect()
}

/// Returns codes with their subjects, without lints.
fn diagnostics(node: &Node, loaded: &Loaded) -> Value {
    let keys: BTreeSet<String> = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.location.map(|at| at.source) == Some(node.location.source))
        .filter(|diagnostic| !diagnostic.rule.code.starts_with("lint."))
        .map(herald_diagnostics::Diagnostic::key)
        .collect();
    json!(keys)
}

fn sorted<T: Clone + Into<Value>>(items: &[T]) -> Value {
    let mut items: Vec<Value> = items.iter().cloned().map(Into::into).collect();
    items.sort_by_key(Value::to_string);
    items.into()
}

fn by_name(items: impl Iterator<Item = Value>) -> Value {
    let mut items: Vec<Value> = items.collect();
    items.sort_by_key(|item| item[0].to_string());
    items.into()
}
