//! Payloads whose fields are read from a JSON Schema.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use herald_catalog::Node;
use herald_catalog::imported::ImportedClasses;
use herald_catalog::load::{Loaded, Options, load, load_text};
use herald_catalog::value;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const CONTRACT: &str = "node_type: effect\nservice_name: shop\noperations: []\n\
    include_state_events: false\ninclude_metric_events: false\n";

/// A project with these files. The last one is the contract.
fn read_files(files: &[(&str, &str)]) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    let (contract, _) = files.last().expect("a contract");
    read_below(folder.path(), contract)
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn read_below(root: &Path, contract: &str) -> Loaded {
    let mut options = Options::default();
    options.defaults.root = Some(root.to_path_buf());
    let path = root.join(contract).to_string_lossy().into_owned();
    load(&[path], &options, &|| ())
}

/// Reads a contract with one event, whose payload is the schema's.
fn read(schema: &Value, reference: &str) -> Loaded {
    let contract = format!(
        "{CONTRACT}events:\n  - {{event_type: order.placed, payload: {{json_schema: '{reference}'}}}}\n"
    );
    read_files(&[
        ("order.json", &schema.to_string()),
        ("contract.yaml", &contract),
    ])
}

fn node(schema: &Value) -> Node {
    let mut loaded = read(schema, "order.json");
    assert!(!loaded.has_errors(), "{:?}", messages(&loaded));
    loaded.catalog.nodes.remove(0)
}

fn messages(loaded: &Loaded) -> Vec<String> {
    let diagnostics = loaded.diagnostics.iter();
    let about_payloads =
        diagnostics.filter(|diagnostic| diagnostic.rule.code.starts_with("payload."));
    about_payloads
        .map(|diagnostic| diagnostic.message.clone())
        .collect()
}

/// Fields as `name: type`, with `?` behind the name of optional ones.
fn types(node: &Node) -> Vec<String> {
    let (_, declared) = node.declared().next().expect("an event");
    let fields = declared.payload.iter();
    fields
        .map(|field| {
            let mark = if field.required { "" } else { "?" };
            format!("{}{mark}: {}", field.name, field.ty)
        })
        .collect()
}

/// The problems of a payload.
fn problems(node: &Node, payload: &Value) -> Vec<String> {
    let (_, declared) = node.declared().next().expect("an event");
    let payload = payload.as_object().expect("an object");
    value::check(&declared.payload, payload, &node.definitions, "payload")
}

/// The schema that pydantic prints for a model.
fn pydantic() -> Value {
    json!({
        "$defs": {
            "Address": {
                "properties": {"street": {"title": "Street", "type": "string"}},
                "required": ["street"], "title": "Address", "type": "object",
            },
            "Card": {
                "properties": {
                    "kind": {"const": "card", "title": "Kind", "type": "string"},
                    "number": {"title": "Number", "type": "string"},
                },
                "required": ["kind", "number"], "title": "Card", "type": "object",
            },
            "Cash": {
                "properties": {"kind": {"const": "cash", "title": "Kind", "type": "string"}},
                "required": ["kind"], "title": "Cash", "type": "object",
            },
            "Color": {"enum": ["red", "blue"], "title": "Color", "type": "string"},
            "Priority": {"enum": [1, 2], "title": "Priority", "type": "integer"},
            "Tree": {
                "properties": {
                    "children": {"items": {"$ref": "#/$defs/Tree"}, "title": "Children", "type": "array"},
                },
                "required": ["children"], "title": "Tree", "type": "object",
            },
        },
        "additionalProperties": false,
        "properties": {
            "order_id": {"format": "uuid", "title": "Order Id", "type": "string"},
            "placed_at": {"format": "date-time", "title": "Placed At", "type": "string"},
            "due": {"format": "date", "type": "string"},
            "wait": {"format": "duration", "type": "string"},
            "total": {"pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", "title": "Total", "type": "string"},
            "count": {"exclusiveMinimum": 0, "maximum": 9, "title": "Count", "type": "integer"},
            "coupon": {
                "anyOf": [{"maxLength": 8, "type": "string"}, {"type": "null"}],
                "default": null, "description": "Of the campaign.",
            },
            "color": {"$ref": "#/$defs/Color", "default": "red"},
            "priority": {"$ref": "#/$defs/Priority"},
            "tags": {"items": {"type": "string", "minLength": 1}, "type": "array", "uniqueItems": true},
            "extra": {"additionalProperties": {"type": "integer"}, "type": "object"},
            "any": {"title": "Any"},
            "pair": {"maxItems": 2, "minItems": 2, "prefixItems": [{"type": "number"}, {"type": "number"}], "type": "array"},
            "address": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}]},
            "payment": {
                "discriminator": {"mapping": {"card": "#/$defs/Card"}, "propertyName": "kind"},
                "oneOf": [{"$ref": "#/$defs/Card"}, {"$ref": "#/$defs/Cash"}],
            },
            "tree": {"$ref": "#/$defs/Tree"},
            "mode": {"enum": ["a", 1, null]},
        },
        "required": ["order_id", "placed_at", "due", "wait", "total", "count", "color", "priority",
            "tags", "extra", "any", "pair", "address", "payment", "tree", "mode"],
        "title": "OrderPlaced",
        "type": "object",
    })
}

#[test]
fn reads_what_pydantic_prints() {
    let loaded = read(&pydantic(), "order.json");
    assert_eq!(messages(&loaded), [""; 0]);
    let node = &loaded.catalog.nodes[0];
    assert_eq!(
        types(node),
        [
            "order_id: uuid",
            "placed_at: datetime",
            "due: date",
            "wait: duration",
            "total: decimal",
            "count: integer",
            "coupon?: string",
            "color: Color",
            "priority: Priority",
            "tags: list[string]",
            "extra: map[integer]",
            "any: any",
            "pair: list[number]",
            "address: Address | null",
            "payment: Card | Cash",
            "tree: Tree",
            "mode: enum(a) | enum(1) | null",
        ]
    );
    let (_, declared) = node.declared().next().expect("an event");
    let field = |name: &str| {
        let mut fields = declared.payload.iter();
        fields.find(|field| field.name == name).expect("a field")
    };
    assert_eq!(field("coupon").limits.max_length, Some(8));
    assert_eq!(
        field("coupon").description.as_deref(),
        Some("Of the campaign.")
    );
    assert_eq!(field("color").default, Some(json!("red")));
    assert_eq!(field("pair").limits.max_items, Some(2));
    assert_eq!(field("tags").limits.unique_items, Some(true));
    let names: Vec<_> = node.definitions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Address", "Card", "Cash", "Tree"]);
    let names: Vec<_> = node.scalars.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Color", "Priority"]);
}

#[test]
fn follows_a_fragment_and_reads_operations() {
    let schema = json!({"$defs": {"Order": {"properties": {"id": {"type": "integer"}}}}});
    let contract = format!(
        "{}operations:\n  - name: place\n    input: {{json_schema: '../types/order.json#/$defs/Order'}}\n    \
         result: {{json_schema: '../types/order.json#/$defs/Order'}}\n",
        CONTRACT.replace("operations: []\n", "")
    );
    let loaded = read_files(&[
        ("types/order.json", &schema.to_string()),
        ("contracts/contract.yaml", &contract),
    ]);
    assert_eq!(messages(&loaded), [""; 0]);
    let operation = &loaded.catalog.nodes[0].operations[0];
    assert_eq!(operation.input[0].name, "id");
    assert_eq!(operation.input[0].privacy.as_str(), "private");
    assert_eq!(operation.result.len(), 1);
}

#[test]
fn one_definition_of_several_documents_is_one_and_others_get_a_number() {
    let order = |money: &str| {
        json!({
            "properties": {"total": {"$ref": "#/$defs/Money"}},
            "$defs": {"Money": {"properties": {"amount": {"type": money}}}},
        })
        .to_string()
    };
    let contract = format!(
        "{CONTRACT}events:\n  - {{event_type: a, payload: {{json_schema: a.json}}}}\n  \
         - {{event_type: b, payload: {{json_schema: b.json}}}}\n  \
         - {{event_type: c, payload: {{json_schema: c.json}}}}\n"
    );
    let loaded = read_files(&[
        ("a.json", &order("integer")),
        ("b.json", &order("integer")),
        ("c.json", &order("number")),
        ("contract.yaml", &contract),
    ]);
    assert_eq!(messages(&loaded), [""; 0]);
    let node = &loaded.catalog.nodes[0];
    let names: Vec<_> = node.definitions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Money", "Money2"]);
    let types: Vec<_> = node
        .declared()
        .map(|(_, declared)| declared.payload[0].ty.to_string())
        .collect();
    assert_eq!(types, ["Money", "Money", "Money2"]);
}

#[test]
fn keeps_what_contracts_cannot_express_and_validates_it() {
    let schema = json!({
        "type": "object",
        "properties": {
            "place": {"prefixItems": [{"type": "number"}, {"$ref": "#/$defs/Unit"}], "items": false, "type": "array"},
            "codes": {"type": "object", "patternProperties": {"^[a-z]+$": {"type": "integer"}}, "additionalProperties": false},
            "flag": {"const": true},
            "zip": {"type": "string", "pattern": "^\\d{5}$"},
            "names": {"items": {"type": "string", "not": {"const": "x"}}, "type": "array"},
            "sizes": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
            "either": {"oneOf": [{"type": "number"}, {"type": "integer"}]},
        },
        "required": ["place"],
        "$defs": {"Unit": {"enum": ["km", "m"]}},
    });
    let loaded = read(&schema, "order.json");
    let place = |name: &str| format!("`order.json#/properties/{name}`");
    let expected = [
        ("place", "`prefixItems` of several types"),
        ("codes", "`patternProperties`"),
        ("flag", "only one boolean"),
        (
            "zip",
            "a `pattern` that not all languages read in the same way",
        ),
        ("names/items", "`not`"),
        ("sizes", "limits of the values of a map"),
        ("either", "`oneOf` whose schemas may match the same value"),
    ];
    let expected =
        expected.map(|(name, what)| format!("{}: contracts have no type for {what}", place(name)));
    assert_eq!(messages(&loaded), expected);
    let node = &loaded.catalog.nodes[0];
    assert_eq!(
        types(node),
        [
            "place: list[any]",
            "codes?: map[any]",
            "flag?: boolean",
            "zip?: string",
            "names?: list[string]",
            "sizes?: map[integer]",
            "either?: number | integer",
        ]
    );
    let valid = json!({"place": [1, "km"], "codes": {"a": 1}, "flag": true, "zip": "12345",
        "names": ["y"], "sizes": {"a": 1}, "either": 1.5});
    assert_eq!(problems(node, &valid), [""; 0]);
    for (name, value) in [
        ("place", json!([1, "cm"])),
        ("place", json!([1, "km", 3])),
        ("codes", json!({"A": 1})),
        ("flag", json!(false)),
        ("zip", json!("1234")),
        ("names", json!(["x"])),
        ("sizes", json!({"a": 0})),
        ("either", json!(1)),
    ] {
        let mut payload = valid.clone();
        payload[name] = value.clone();
        let found = problems(node, &payload);
        assert_eq!(found.len(), 1, "{name}: {value}: {found:?}");
        assert!(!found[0].contains("cm"), "values are not quoted: {found:?}");
    }
}

#[test]
fn merges_all_of_as_inheritance_is_written() {
    let node = node(&json!({
        "allOf": [
            {"$ref": "#/$defs/Base"},
            {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
        ],
        "$defs": {"Base": {"properties": {"id": {"type": "string"}}, "required": ["id"]}},
    }));
    assert_eq!(types(&node), ["id: string", "total: integer"]);
    let (_, declared) = node.declared().next().expect("an event");
    assert_eq!(declared.json_schema, None);
}

#[test]
fn keeps_payloads_that_are_not_one_object() {
    let loaded = read(
        &json!({
            "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
            "$defs": {
                "A": {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                "B": {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
            },
        }),
        "order.json",
    );
    assert_eq!(
        messages(&loaded),
        [
            "`order.json#`: contracts have no type for a payload that is not an object with properties"
        ]
    );
    let (_, declared) = loaded.catalog.nodes[0].declared().next().expect("an event");
    assert!(declared.payload.is_empty());
    let schema = declared.json_schema.as_ref().expect("a schema");
    assert!(schema.accepts(&json!({"a": 1})));
    assert!(!schema.accepts(&json!({"a": 1, "b": 1})));
}

const ONEX: &str = "\
name: n
node_type: EFFECT_GENERIC
input_model: {name: ModelInput, module: a.b}
output_model: {name: ModelOutput, module: a.b}
event_bus:
  publish_topics: [onex.evt.p.done.v1, onex.evt.p.kept.v1]
  publish_topic_metadata:
    onex.evt.p.done.v1: {schema_ref: {name: ModelDone, module: a.b}}
    onex.evt.p.kept.v1: {schema_ref: {name: Model Kept, module: a.b}}
";

#[test]
fn models_of_onex_contracts_have_fields_once_they_were_imported() {
    let schema = |name: &str| json!({"properties": {name: {"type": "integer"}}});
    let imported = ImportedClasses::new([
        ("a.b:ModelInput".to_owned(), schema("asked")),
        ("a.b:ModelDone".to_owned(), schema("done")),
    ]);
    for (classes, inputs, payload) in [(ImportedClasses::default(), 0, 0), (imported, 1, 1)] {
        let mut options = Options::default();
        options.defaults.classes = Arc::new(classes);
        let loaded = load_text("contract.yaml", ONEX, &options);
        assert_eq!(messages(&loaded), [""; 0]);
        let node = &loaded.catalog.nodes[0];
        assert_eq!(node.inputs.len(), inputs);
        assert_eq!(node.outputs.len(), 0);
        let declared: Vec<_> = node.declared().map(|(_, declared)| declared).collect();
        assert_eq!(declared[0].payload.len(), payload);
        assert_eq!(declared[0].schema_ref.as_deref(), Some("ModelDone"));
        assert_eq!(declared[1].schema_ref.as_deref(), Some("Model Kept"));
        let names: Vec<_> = node.python_classes().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["a.b:ModelInput", "a.b:ModelOutput", "a.b:ModelDone"]
        );
    }
}

#[test]
fn a_field_may_have_the_name_of_the_reference() {
    let loaded = read_files(&[(
        "contract.yaml",
        &format!("{CONTRACT}events:\n  - {{event_type: a, payload: {{json_schema: string}}}}\n"),
    )]);
    assert_eq!(types(&loaded.catalog.nodes[0]), ["json_schema: string"]);
}

#[test]
fn refuses_what_is_not_a_schema_in_the_project() {
    let order = json!({
        "$defs": {
            "Remote": {"properties": {"a": {"$ref": "https://example.com/a.json"}}},
            "Other": {"$ref": "other.json#/x"},
            "Loop": {"$ref": "#/$defs/Loop2"},
            "Loop2": {"$ref": "#/$defs/Loop"},
            "Missing": {"properties": {"a": {"$ref": "#/$defs/Nothing"}}},
            "Invalid": {"properties": {"a": {"type": "string", "minLength": "three"}}},
        },
    });
    for (reference, problem) in [
        ("/etc/passwd.json", "the path has to be relative"),
        ("../secret.json", "outside of the folder of the project"),
        ("inside/../../secret.json", "No such file"),
        ("link.json", "outside of the folder of the project"),
        ("folder/secret.json", "outside of the folder of the project"),
        ("order.yaml", "has to end with `.json`"),
        (
            "https://example.com/order.json",
            "only files of the project are read",
        ),
        ("file:order.json", "only files of the project are read"),
        ("C:\\order.json", "the path has to be relative"),
        ("missing.json", "No such file"),
        (
            "bad.json",
            "it is not valid JSON, or too deep, at line 1, column 10",
        ),
        ("deep.json", "it is not valid JSON, or too deep"),
        ("huge.json", "4194304"),
        (
            "order.json#/$defs/Remote",
            "only references within the file",
        ),
        ("order.json#/$defs/Other", "only references within the file"),
        ("order.json#/$defs/Loop", "leads to itself"),
        (
            "order.json#/$defs/Missing",
            "there is nothing at `#/$defs/Nothing`",
        ),
        (
            "order.json#/$defs/Invalid",
            "`#/$defs/Invalid/properties/a` can't be used",
        ),
        ("order.json#anchor", "is not a JSON Pointer"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("project");
        write(folder.path(), "secret.json", r#"{"secret": 1}"#);
        write(&root, "order.json", &order.to_string());
        write(&root, "bad.json", "{\"token\":}");
        write(&root, "deep.json", &"[".repeat(100_000));
        write(&root, "huge.json", &" ".repeat(5 << 20));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(folder.path().join("secret.json"), root.join("link.json")).expect("made");
            symlink(folder.path(), root.join("folder")).expect("made");
        }
        write(
            &root,
            "contract.yaml",
            &format!(
                "{CONTRACT}events:\n  - {{event_type: a, payload: {{json_schema: '{reference}'}}}}\n"
            ),
        );
        let loaded = read_below(&root, "contract.yaml");
        let found = messages(&loaded);
        assert!(loaded.has_errors(), "{reference}");
        assert!(
            found.iter().any(|message| message.contains(problem)),
            "{reference}: {found:?}"
        );
        assert!(!format!("{found:?}").contains("token"), "{found:?}");
    }
}

#[test]
fn schemas_that_grow_without_end_are_refused() {
    // Each type without a name has the next one twice.
    let alias = |at: usize| {
        let next = json!({"$ref": format!("#/$defs/a{}", at + 1)});
        json!({"anyOf": [{"items": next, "type": "array"}, {"additionalProperties": next, "type": "object"}]})
    };
    let mut defs: serde_json::Map<_, _> = (0..18).map(|at| (format!("a{at}"), alias(at))).collect();
    defs.insert("a18".to_owned(), json!({"not": {}}));
    let schema = json!({"properties": {"a": {"$ref": "#/$defs/a0"}}, "$defs": defs});
    let found = messages(&read(&schema, "order.json"));
    assert!(found[0].contains("it is too large"), "{found:?}");
    // `allOf` of `allOf`.
    let both = |at: usize| json!({"allOf": [{"$ref": format!("#/$defs/a{}", at + 1)}, {"$ref": format!("#/$defs/a{}", at + 1)}]});
    let mut defs: serde_json::Map<_, _> = (0..20).map(|at| (format!("a{at}"), both(at))).collect();
    defs.insert("a20".to_owned(), json!({"properties": {}}));
    let found = messages(&read(
        &json!({"$ref": "#/$defs/a0", "$defs": defs}),
        "order.json",
    ));
    assert!(found[0].contains("it is too large"), "{found:?}");
}

#[test]
fn long_chains_of_definitions_are_read() {
    let last = 5_000;
    let one = |at: usize| {
        let next = if at == last {
            json!({})
        } else {
            json!({"$ref": format!("#/$defs/A{}", at + 1)})
        };
        (format!("A{at}"), json!({"properties": {"next": next}}))
    };
    let defs: serde_json::Map<_, _> = (0..=last).map(one).collect();
    let node = node(&json!({"properties": {"a": {"$ref": "#/$defs/A0"}}, "$defs": defs}));
    assert_eq!(node.definitions.len(), last + 1);
}

/// Keywords with values of all forms, mostly valid ones.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({})),
        select(
            &[
                "string", "integer", "number", "boolean", "null", "array", "object", "x"
            ][..]
        )
        .prop_map(|ty| json!({"type": ty})),
        select(
            &[
                "#",
                "#/$defs/A",
                "#/$defs/B",
                "#/$defs/C",
                "#/properties/a",
                "#/nothing",
                "x.json"
            ][..]
        )
        .prop_map(|reference| json!({"$ref": reference})),
        (
            select(
                &[
                    "minimum",
                    "maxLength",
                    "minItems",
                    "uniqueItems",
                    "pattern",
                    "format",
                    "enum",
                    "const",
                    "required",
                    "type",
                    "default",
                    "multipleOf",
                    "description"
                ][..]
            ),
            any_json()
        )
            .prop_map(|(keyword, value)| json!({keyword: value})),
        prop::collection::vec(any_json(), 0..3).prop_map(|values| json!({"enum": values})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let named = prop::collection::hash_map(
            select(&["a", "b", "A", "$ref", "", "é"][..]),
            inner.clone(),
            0..4,
        );
        prop_oneof![
            (
                select(&["anyOf", "oneOf", "allOf", "prefixItems"][..]),
                list.clone()
            )
                .prop_map(|(keyword, schemas)| json!({keyword: schemas})),
            (
                select(&["items", "additionalProperties", "not", "if", "contains"][..]),
                inner.clone()
            )
                .prop_map(
                    |(keyword, schema)| json!({keyword: schema, "type": ["array", "object"]})
                ),
            named.prop_map(
                |properties| json!({"type": "object", "properties": properties, "required": ["a"]})
            ),
            (inner.clone(), inner).prop_map(|(one, other)| match (one, other) {
                (Value::Object(mut one), Value::Object(other)) => {
                    one.extend(other);
                    Value::Object(one)
                }
                (one, _) => one,
            }),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..4).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(json!(["string", "null"])),
        Just(json!(["a"])),
        Just(json!({"a": [1]})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Any schema is read or refused. Valid payloads are accepted, and others rejected.
    #[test]
    fn any_schema_is_read_or_refused(
        root in schema(), a in schema(), b in schema(), c in schema(),
        values in prop::collection::vec(any_json(), 4),
    ) {
        let mut document = match root {
            Value::Object(root) => Value::Object(root),
            _ => json!({"properties": {"a": {"$ref": "#/$defs/A"}}}),
        };
        document["$defs"] = json!({"A": a, "B": b, "C": c});
        state_types_of_objects(&mut document);
        let loaded = read(&document, "order.json");
        if loaded.has_errors() {
            return Ok(());
        }
        let node = &loaded.catalog.nodes[0];
        let (_, declared) = node.declared().next().expect("an event");
        let Ok(validator) = jsonschema::draft202012::new(&document) else {
            return Ok(());
        };
        for value in &values {
            let payload = json!({"a": value, "b": values[0]});
            let object = payload.as_object().expect("an object");
            let ours = declared.json_schema.as_ref().is_none_or(|schema| schema.accepts(&payload))
                && problems_of_declared(node, object).is_empty();
            let theirs = validator.is_valid(&payload);
            prop_assert!(ours || !theirs, "{document:#}\naccepts {payload}, and the contract has\n{:#?}", declared.payload);
            // Optional fields may be null, fields are open, and what contains itself is cut.
            let is_looser = payload.to_string().contains("null")
                || document.to_string().contains("additionalProperties")
                || may_contain_itself(&document);
            prop_assert!(theirs || !ours || is_looser, "{document:#}\nrejects {payload}, and the contract has\n{:#?}", declared.payload);
        }
    }
}

/// Whether a schema has a reference to itself, or to one before it.
fn may_contain_itself(document: &Value) -> bool {
    let text = document.to_string();
    let refers = |name: &str, others: &[&str]| {
        let text = document["$defs"][name].to_string();
        others
            .iter()
            .any(|other| text.contains(&format!("#/$defs/{other}")))
    };
    text.contains("\"#\"")
        || text.contains("#/properties")
        || refers("A", &["A"])
        || refers("B", &["A", "B"])
        || refers("C", &["A", "B", "C"])
}

/// Adds the type of schemas with properties: without it, the reader assumes that they mean objects.
fn state_types_of_objects(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") || members.contains_key("required") {
                members.insert("type".to_owned(), json!("object"));
            }
            members.values_mut().for_each(state_types_of_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(state_types_of_objects),
        _ => {}
    }
}

/// Problems of the fields that the contract declares; formats are not compared.
fn problems_of_declared(node: &Node, payload: &serde_json::Map<String, Value>) -> Vec<String> {
    let (_, declared) = node.declared().next().expect("an event");
    let found = value::check(&declared.payload, payload, &node.definitions, "payload");
    let is_undeclared = |problem: &String| problem.contains("is not declared");
    found
        .into_iter()
        .filter(|problem| !is_undeclared(problem))
        .collect()
}
