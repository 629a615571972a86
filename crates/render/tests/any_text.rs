//! Property tests: for any contract, the module is Python, is formatted, and has the same meaning.
//!
//! Many modules with any text in them go through one process of each tool. The tools are
//! `python3` and `ruff` on the `PATH`, or what `HERALD_PYTHON` and `HERALD_RUFF` name; without
//! them the test reports that it was skipped.

mod hostile;

use std::fs;
use std::path::Path;

use herald_catalog::category::DECLARED;
use herald_catalog::contract::{Located, Metric, StateMachine};
use herald_catalog::fields::{Definition, Field, Limits, Privacy, Type};
use herald_catalog::ident::{ident, slug};
use herald_catalog::kind::Kind;
use herald_catalog::{Declared, EventTypeSource, Node, node_from_parts};
use herald_envelope::topic::Topic;
use herald_render::{BuiltInTarget, Context, Models, NodeProject, PythonOptions, Target};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use hostile::{check_style, run, text, tool};

const MODULES: usize = 80;

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r"sk-[A-Za-z0-9]{20}".to_owned()),
        Just("\"x\" \\d+\\\\".to_owned()),
        Just("é[^ ]{2}".to_owned()),
        "[a-z ]{1,120}",
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let privacy = prop_oneof![Just(Privacy::Public), Just(Privacy::Private)];
    let named = (
        field_name(),
        ty(),
        limits(),
        prop::option::of(value()),
        prop::option::of(text()),
        any::<bool>(),
        privacy,
    );
    named.prop_map(
        |(name, ty, limits, default, description, required, privacy)| Field {
            spelling: ty.to_string(),
            name,
            ty,
            limits,
            required,
            default,
            renamed_from: None,
            description,
            privacy,
            location: base().location,
        },
    )
}

/// Names of the class itself, of Python, of pydantic and of the module, among others.
fn field_name() -> impl Strategy<Value = String> {
    const NAMES: [&str; 20] = [
        "class",
        "model_config",
        "json",
        "copy",
        "list",
        "str",
        "Uuid",
        "Field",
        "_id",
        "__x__",
        "1st",
        "self",
        "None",
        "Mapping",
        "datetime",
        "field",
        "a-b",
        "a_b",
        "a b",
        "schema",
    ];
    prop_oneof![
        text(),
        prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
    ]
}

/// Names of definitions: one name for two of them, and those of imports.
const DEFINITIONS: [&str; 6] = ["Line", "line", "BaseModel", "Operation", "EVENT_X", "re"];

fn ty() -> impl Strategy<Value = Type> {
    let plain = prop_oneof![
        Just(Type::Any),
        Just(Type::String),
        Just(Type::Integer),
        Just(Type::Number),
        Just(Type::Boolean),
        Just(Type::Uuid),
        Just(Type::DateTime),
        Just(Type::Date),
        Just(Type::Decimal),
        Just(Type::Bytes),
        Just(Type::Null),
        text().prop_map(Type::Model),
        prop::collection::vec(text(), 1..4).prop_map(Type::Enum),
        prop::sample::select(&DEFINITIONS[..]).prop_map(|name| Type::Defined(name.to_owned())),
    ];
    plain.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| Type::List(Box::new(item))),
            inner.clone().prop_map(|item| Type::Map(Box::new(item))),
            prop::collection::vec(inner, 1..4).prop_map(Type::Union),
        ]
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let number = || prop::option::of((-1_000_000..1_000_000_i64).prop_map(Into::into));
    let length = || prop::option::of(0..100_000_u32);
    (
        number(),
        number(),
        length(),
        length(),
        prop::option::of(pattern()),
    )
        .prop_map(
            |(minimum, exclusive_maximum, min_length, max_items, pattern)| Limits {
                minimum,
                exclusive_maximum,
                min_length,
                max_items,
                pattern,
                ..Limits::default()
            },
        )
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        text().prop_map(Value::from),
        Just(Value::from("6f2c1c1e-0000-4000-8000-000000000001")),
        Just(Value::from("2024-02-29T12:00:00Z")),
        Just(Value::from("2024-02-29")),
        Just(Value::from("12.50")),
        Just(Value::from("AB==")),
    ];
    plain.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The definitions of a node; some have each other in them.
fn definitions() -> impl Strategy<Value = Vec<Definition>> {
    let all = DEFINITIONS.map(|name| (Just(name), prop::option::of(text()), fields()));
    Vec::from(all).prop_map(|definitions| {
        let definition = |(name, description, fields): (&str, _, _)| Definition {
            name: name.to_owned(),
            ident: ident(name),
            description,
            fields,
            location: base().location,
        };
        definitions.into_iter().map(definition).collect()
    })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    prop::collection::vec(field(), 0..4).prop_map(|mut fields| {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields.dedup_by(|a, b| a.name == b.name);
        fields
    })
}

fn topic() -> impl Strategy<Value = Topic> {
    prop_oneof![
        text().prop_map(Topic::Literal),
        ("[a-z.]{0,80}", "[a-zA-Z0-9._-]{0,120}")
            .prop_map(|(before, after)| Topic::Namespaced { before, after }),
    ]
}

fn declared() -> impl Strategy<Value = Declared> {
    (fields(), prop::option::of(text())).prop_map(|(payload, partition_key)| Declared {
        json_schema: None,
        class: None,
        payload,
        partition_key,
        settings: None,
        conforming: true,
        event_type_source: EventTypeSource::Declared,
        roles: vec![],
        schema_ref: None,
        per_request: None,
        sources: vec![],
    })
}

fn base() -> Node {
    node_from_parts(Kind::Effect, "service", &["first", "second"], true, true)
        .expect("the node is valid")
}

/// A node with any text wherever a contract has text.
fn node() -> impl Strategy<Value = Node> {
    let event = || {
        (
            text(),
            topic(),
            prop::option::of(text()),
            "[A-Za-z0-9_]{0,100}",
        )
    };
    let operation = || (text(), prop::option::of(text()), fields(), fields());
    (
        (
            text(),
            text(),
            prop::option::of(text()),
            prop::option::of("[a-z]{1,90}"),
        ),
        prop::collection::vec(operation(), 2),
        prop::collection::vec(event(), 8),
        prop::collection::vec((event(), declared()), 0..4),
        prop::collection::vec(pattern(), 0..3),
        prop::collection::vec((text(), prop::option::of(text())), 0..3),
        any::<bool>(),
        definitions(),
        prop::option::of(prop::collection::vec(text(), 1..4)),
    )
        .prop_map(
            |(
                names,
                operations,
                events,
                declared,
                redact,
                metrics,
                is_bare,
                definitions,
                states,
            )| {
                let mut node = base();
                node.definitions = definitions;
                node.states = states.map(|states| StateMachine {
                    source: "states",
                    location: node.location,
                    initial: states.first().cloned(),
                    terminal: vec![states[states.len() - 1].clone()],
                    states,
                    transitions: vec![],
                });
                node.identity.slug = slug(&names.0);
                node.identity.name = Some(names.0);
                node.service_name = names.1;
                node.description = names.2;
                node.namespace = names.3;
                node.redact = redact;
                node.metrics = metrics
                    .into_iter()
                    .map(|(name, unit)| Metric {
                        name: Located::new(name, node.location),
                        unit,
                        description: None,
                        per_request: None,
                    })
                    .collect();
                for (operation, given) in node.operations.iter_mut().zip(operations) {
                    (
                        operation.name,
                        operation.description,
                        operation.input,
                        operation.result,
                    ) = given;
                    operation.ident = ident(&operation.name);
                }
                for (event, given) in node.events.iter_mut().zip(events) {
                    (
                        event.event_type,
                        event.topic,
                        event.description,
                        event.ident,
                    ) = given;
                }
                for ((event_type, topic, description, ident), declared) in declared {
                    let mut event = node.events[0].clone();
                    event.category = &DECLARED;
                    (event.stage, event.operation) = (None, None);
                    (event.event_type, event.topic) = (event_type, topic);
                    (event.description, event.ident) = (description, ident);
                    event.declared = Some(declared);
                    node.events.push(event);
                }
                if is_bare && node.events.len() > 8 {
                    node.events.drain(..8);
                    node.kind = None;
                }
                for (i, event) in node.events.iter_mut().enumerate() {
                    event.ident = format!("{}_{i}", event.ident);
                }
                node
            },
        )
}

/// Writes one module for each node, and beside it what its constants must be.
fn write_modules(folder: &Path) {
    let python = BuiltInTarget::find("python").expect("there is a target for Python");
    let mut runner = TestRunner::deterministic();
    for i in 0..MODULES {
        let node = node()
            .new_tree(&mut runner)
            .expect("the strategy gives a node")
            .current();
        let context = Context {
            python: PythonOptions {
                models: Models::ALL[i % 2],
                standalone: i % 10 == 0,
            },
            ..Context::default()
        };
        let files = python
            .render(&[&node], &context, true)
            .expect("the templates are right");
        let events: Vec<_> = node
            .events
            .iter()
            .map(|event| [event.event_type.clone(), event.topic.as_template()])
            .collect();
        let events = serde_json::to_string(&events).expect("texts are JSON");
        fs::write(folder.join(format!("m{i}.py")), &files[0].contents).expect("writable");
        let consumers = BuiltInTarget::find("python-consumer").expect("there is one");
        let consumer = consumers
            .render(&[&node], &context, true)
            .expect("the templates are right");
        fs::write(folder.join(format!("c{i}.py")), &consumer[0].contents).expect("writable");
        for file in files[1..].iter().chain(&consumer[1..]) {
            let path = folder.join(&file.path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("writable");
            fs::write(path, &file.contents).expect("writable");
        }
        for module in ["m", "c"] {
            fs::write(folder.join(format!("{module}{i}.json")), &events).expect("writable");
        }
    }
}

#[test]
fn any_text_keeps_its_meaning_in_python() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    write_modules(folder.path());
    if let Some(python) = tool("HERALD_PYTHON", "python3") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_modules.py");
        run(
            &python,
            &[script.to_str().expect("UTF-8"), "."],
            folder.path(),
        );
    }
    check_style(folder.path());
}

/// Reads what is written in Python and in TOML.
const READ_ALL: &str = "
import ast, pathlib, tomllib
for path in pathlib.Path().rglob('*.py'):
    ast.parse(path.read_text('utf-8'), str(path))
for path in pathlib.Path().rglob('*.toml'):
    project = tomllib.loads(path.read_text('utf-8'))['project']
    assert project['version'] == '0.1.0' and len(project['dependencies']) == 2, path
";

#[test]
fn any_text_gives_a_valid_project() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let python = BuiltInTarget::find("python").expect("there is a target for Python");
    let mut runner = TestRunner::deterministic();
    for i in 0..MODULES {
        let node = node()
            .new_tree(&mut runner)
            .expect("the strategy gives a node")
            .current();
        let package = format!("p{i}");
        let project = NodeProject::new(&node, &package).expect("the templates are right");
        let generated = python.render(&[&node], &Context::default(), true);
        let generated = generated.expect("the templates are right").into_iter();
        let generated = generated.map(|mut file| {
            file.path = format!("{package}/generated/{}", file.path);
            file
        });
        for file in project.files.into_iter().chain(generated) {
            // All are below one root, so that each package is known as such.
            let is_inside = file.path.starts_with(&package) || file.path.starts_with("tests/");
            let path = if is_inside {
                folder.path().join(&file.path)
            } else {
                folder.path().join("root").join(&package).join(&file.path)
            };
            fs::create_dir_all(path.parent().expect("it has one")).expect("writable");
            fs::write(path, file.contents).expect("writable");
        }
    }
    if let Some(python) = tool("HERALD_PYTHON", "python3") {
        run(&python, &["-c", READ_ALL], folder.path());
    }
    check_style(folder.path());
}
