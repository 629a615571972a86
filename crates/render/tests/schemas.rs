//! JSON Schemas: as people review them, and as a validator reads them.
//!
//! `HERALD_BLESS=1 cargo test -p herald-render --test schemas` writes the golden files anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use herald_catalog::Node;
use herald_catalog::fields::{Definition, Field, Limits, Privacy, Type};
use herald_catalog::load::{Options, load, load_text};
use herald_catalog::value;
use herald_diagnostics::{Location, SourceId, Span};
use herald_render::json_schema::{View, document, payload_document};
use herald_render::{BuiltInTarget, Context, GeneratedFile, Target, is_ours};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(contract: &str) -> Node {
    let mut loaded = load_text("contract.yaml", contract, &Options::default());
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.catalog.nodes.remove(0)
}

fn shop() -> Node {
    read(include_str!("golden/shop.yaml"))
}

fn render(node: &Node) -> Vec<GeneratedFile> {
    let schemas = BuiltInTarget::find("schemas").expect("there is a target for schemas");
    schemas
        .render(&[node], &Context::default(), true)
        .expect("it has no templates")
}

fn validator(schema: &Value) -> Validator {
    assert!(
        jsonschema::draft202012::meta::is_valid(schema),
        "{schema:#}"
    );
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema is valid")
}

#[test]
fn typed_payloads_inputs_and_results_have_a_file_each() {
    let files = render(&shop());
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "shop/order.placed.v1.schema.json",
            "shop/Order_Placed__again_.v7.schema.json",
            "shop/order.changed.v1.schema.json",
            "shop/order.place.input.v2.schema.json",
            "shop/order.place.result.v2.schema.json",
        ]
    );
    for file in &files {
        assert!(is_ours(file.contents.as_bytes()), "{}", file.path);
        let schema: Value = serde_json::from_str(&file.contents).expect("it is JSON");
        validator(&schema);
    }
    assert_eq!(files, render(&shop()));
}

#[test]
fn schemas_match_golden_files() {
    for file in render(&shop()) {
        let path = golden().join(&file.path);
        if std::env::var_os("HERALD_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
            fs::write(&path, &file.contents).expect("written");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == file.contents,
            "{} differs from what is generated; `HERALD_BLESS=1 cargo test -p herald-render \
             --test schemas` writes it anew, `git diff` shows the difference",
            file.path
        );
    }
}

#[test]
fn names_that_differ_only_in_case_get_distinct_files() {
    let mut node = read(
        "node_type: effect\nservice_name: shop\noperations: []\n\
         include_state_events: false\ninclude_metric_events: false\nevents:\n\
         - {event_type: a, payload: {id: uuid}}\n\
         - {event_type: b, payload: {id: uuid}}\n\
         - {event_type: c, payload: {id: uuid}}\n",
    );
    for (event, name) in node.events.iter_mut().zip(["a/b", "../../etc", "A*B"]) {
        event.event_type = name.to_owned();
    }
    let paths: Vec<_> = render(&node).into_iter().map(|file| file.path).collect();
    assert_eq!(
        paths,
        [
            "shop/a_b.v1.schema.json",
            "shop/_.._etc.v1.schema.json",
            "shop/A_B.v1-2.schema.json",
        ]
    );
    node.events.last_mut().expect("an event").event_type = "x".repeat(400);
    let long = render(&node).pop().expect("a file").path;
    assert!(long.len() < 255 && long.starts_with("shop/xxx"), "{long}");
}

/// A payload of `order.placed` as it is on the wire.
fn placed() -> Map<String, Value> {
    let payload = json!({
        "order_id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
        "placed_at": "2025-11-05T12:00:00Z",
        "total": "12.50",
        "share": 1,
        "lines": [{"sku": "a", "count": 1}],
        "customer": {
            "id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
            "phone": "str",
            "address": "Address",
            "parent": {"id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d"},
        },
        "size": null,
        "model": {"any": "thing"},
        "extra": null,
        "email": "str",
    });
    payload.as_object().expect("an object").clone()
}

#[test]
fn schemas_validate_received_messages() {
    let schema = render(&shop()).remove(0).contents;
    let validator = validator(&serde_json::from_str(&schema).expect("it is JSON"));
    assert!(validator.is_valid(&Value::Object(placed())));
    for (name, value, is_valid) in [
        ("order_id", json!("17"), false),
        ("placed_at", json!("yesterday"), false),
        ("deliver_on", json!("2025-02-28"), true),
        ("deliver_on", json!(null), true),
        ("deliver_on", json!("2025-02-30"), false),
        ("total", json!(12.5), false),
        ("total", json!("-0E-8"), true),
        ("share", json!(0), false),
        ("lines", json!([]), false),
        ("lines", json!([{"sku": "", "count": 1}]), false),
        ("lines", json!([{"sku": "a", "count": 0}]), false),
        (
            "lines",
            json!([{"sku": "a", "count": 1, "newer": true}]),
            true,
        ),
        ("customer", json!({}), false),
        ("customer", json!(null), false),
        ("coupon", json!("ABCD17"), true),
        ("coupon", json!("abcd"), false),
        ("size", json!("S"), true),
        ("size", json!("L"), false),
        ("tags", json!({"a": 1, "b": "c"}), true),
        ("tags", json!({"a": null}), false),
        ("codes", json!(["ab"]), true),
        ("codes", json!(["a"]), false),
        // Only the name of its type may be there.
        ("email", json!(17), false),
        ("newer", json!(17), true),
    ] {
        let mut payload = placed();
        payload.insert(name.to_owned(), value.clone());
        let payload = Value::Object(payload);
        assert_eq!(validator.is_valid(&payload), is_valid, "{name}: {value}");
    }
    let mut without = placed();
    without.remove("email");
    assert!(validator.is_valid(&Value::Object(without.clone())));
    without.remove("total");
    assert!(!validator.is_valid(&Value::Object(without)));
}

const NAMES: [&str; 3] = ["First", "Second", "Third"];

fn ty() -> impl Strategy<Value = Type> {
    let simple = prop_oneof![
        select(
            &[
                Type::Any,
                Type::String,
                Type::Integer,
                Type::Number,
                Type::Boolean,
                Type::Uuid,
                Type::DateTime,
                Type::Date,
                Type::Decimal,
                Type::Bytes,
                Type::Duration,
                Type::Null,
            ][..]
        ),
        select(&NAMES[..]).prop_map(|name| Type::Defined(name.to_owned())),
        Just(Type::Numbers(vec![1.into(), 3.into()])),
        ".{0,5}".prop_map(Type::Model),
        prop::collection::btree_set(".{0,5}", 1..3)
            .prop_map(|values| Type::Enum(values.into_iter().collect())),
    ];
    simple.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| Type::List(Box::new(item))),
            inner.clone().prop_map(|item| Type::Map(Box::new(item))),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Type::Union),
            inner.prop_map(Type::or_null),
        ]
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let number = || prop::option::of((-2..3_i64).prop_map(Into::into));
    let size = || prop::option::of(0..3_u32);
    let pattern = prop::option::of(select(&["^[a-z]*$", "[0-9]", "^.{2}"][..]));
    let flat = (
        number(),
        number(),
        (number(), prop::option::of(1..4_i64)),
        number(),
        size(),
        size(),
        size(),
        size(),
        pattern,
    )
        .prop_map(
            |(from, to, (above, step), below, min, max, least, most, pattern)| Limits {
                minimum: from,
                maximum: to,
                exclusive_minimum: above,
                exclusive_maximum: below,
                multiple_of: step.map(Into::into),
                unique_items: None,
                min_length: min,
                max_length: max,
                pattern: pattern.map(str::to_owned),
                min_items: least,
                max_items: most,
                items: None,
                json_schema: None,
            },
        );
    let none = || Just(Limits::default()).boxed();
    let some = prop_oneof![none(), flat.boxed()].boxed();
    (some.clone(), prop::option::of(some)).prop_map(|(limits, items)| Limits {
        items: items.map(Box::new),
        ..limits
    })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let privacy = select(&[Privacy::Public, Privacy::Public, Privacy::Private][..]);
    let default = prop::option::of(value());
    let field = (
        ty(),
        limits(),
        any::<bool>(),
        default,
        prop::option::of(".{0,9}"),
        privacy,
    );
    let named = prop::collection::btree_map("[a-z$/~é\"]{1,3}", field, 0..4);
    named.prop_map(|named| {
        let field = |(name, (ty, limits, required, default, description, privacy))| {
            let ty: Type = ty;
            Field {
                name,
                spelling: ty.to_string(),
                ty,
                limits,
                required,
                default,
                renamed_from: None,
                description,
                privacy,
                location: Location {
                    source: SourceId(0),
                    span: Span::default(),
                },
            }
        };
        named.into_iter().map(field).collect()
    })
}

fn definitions() -> impl Strategy<Value = Vec<Definition>> {
    prop::array::uniform3(fields()).prop_map(|all| {
        let definition = |(name, fields): (&str, Vec<Field>)| Definition {
            name: name.to_owned(),
            ident: name.to_owned(),
            description: None,
            location: Location {
                source: SourceId(0),
                span: Span::default(),
            },
            fields,
        };
        NAMES.into_iter().zip(all).map(definition).collect()
    })
}

/// Values that some type takes.
fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "a",
        "ab",
        "17",
        "-1.5E+3",
        "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
        "2025-11-05T12:00:00Z",
        "2025-11-05",
        "aGVyYWxk",
    ];
    let simple = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..4_i64).prop_map(Value::from),
        Just(json!(0.5)),
        select(texts.to_vec()).prop_map(Value::from),
    ];
    simple.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,2}", inner, 0..3)
                .prop_map(|map: BTreeMap<_, _>| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A type as the reader of schemas returns it: unions are flat, with each type once, one enumeration
/// of each kind, and null behind one other type. Models that are only named are any value.
fn canonical(ty: &Type) -> Type {
    match ty {
        Type::Model(_) => Type::Any,
        Type::List(item) => Type::List(Box::new(canonical(item))),
        Type::Map(value) => Type::Map(Box::new(canonical(value))),
        Type::Union(members) => {
            let mut flat: Vec<Type> = Vec::new();
            for member in members.iter().map(canonical) {
                let inner = match member {
                    Type::Union(inner) => inner,
                    one => vec![one],
                };
                for ty in inner {
                    if flat.contains(&ty) {
                        continue;
                    }
                    let known = flat.iter().position(|known| matches!(known, Type::Enum(_)));
                    match (known.map(|at| &mut flat[at]), ty) {
                        (Some(Type::Enum(known)), Type::Enum(texts)) => {
                            let new = texts.into_iter().filter(|text| !known.contains(text));
                            let new: Vec<_> = new.collect();
                            known.extend(new);
                        }
                        (_, ty) => flat.push(ty),
                    }
                }
            }
            if flat.len() == 2 && flat[0] == Type::Null {
                flat.swap(0, 1);
            }
            if flat.contains(&Type::Any) {
                Type::Any
            } else if flat.len() == 1 {
                flat.swap_remove(0)
            } else {
                Type::Union(flat)
            }
        }
        other => other.clone(),
    }
}

/// Fields whose schemas say everything about them.
fn canonical_fields(fields: Vec<Field>) -> Vec<Field> {
    let canonical = |field: Field| {
        let ty = canonical(&field.ty);
        let none = Limits::default();
        let default = field
            .default
            .filter(|default| !default.is_null() && value::is_scalar_of(&ty, &none, default));
        let ty = match ty {
            Type::Union(mut members) if !field.required && default.is_none() => {
                members.retain(|member| *member != Type::Null);
                canonical(&Type::Union(members))
            }
            ty => ty,
        };
        Field {
            ty,
            default,
            limits: without_steps(&field.limits),
            privacy: Privacy::Public,
            ..field
        }
    };
    fields.into_iter().map(canonical).collect()
}

/// Limits that every type of numbers may have.
fn without_steps(limits: &Limits) -> Limits {
    let items = limits.items.as_deref().map(without_steps);
    Limits {
        multiple_of: None,
        items: items.map(Box::new),
        ..limits.clone()
    }
}

/// Reads a schema as the payload of an event.
fn read_schema(schema: &Value) -> Node {
    let folder = tempfile::tempdir().expect("a folder");
    let contract = folder.path().join("contract.yaml");
    fs::write(folder.path().join("payload.json"), schema.to_string()).expect("written");
    let text = "node_type: effect\nservice_name: shop\nevents:\n  - event_type: order.placed\n    \
                payload: {json_schema: payload.json}\n";
    fs::write(&contract, text).expect("written");
    let path = contract.to_string_lossy().into_owned();
    let mut loaded = load(&[path], &Options::default(), &|| ());
    let about_payload = |code: &str| code == "payload.unreadable";
    let codes = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.rule.code);
    assert!(
        !codes.into_iter().any(about_payload),
        "{:?}\n{schema:#}",
        loaded.diagnostics
    );
    loaded.catalog.nodes.remove(0)
}

/// A field that has to be there.
fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        spelling: ty.to_string(),
        ty,
        limits: Limits::default(),
        required: true,
        default: None,
        renamed_from: None,
        description: None,
        privacy: Privacy::Public,
        location: Location {
            source: SourceId(0),
            span: Span::default(),
        },
    }
}

#[test]
fn lists_a_type_once() {
    let ty = Type::Union(vec![Type::Null, Type::Null]);
    let fields = [field("it", ty)];
    let schema = document("title", None, &fields, &[], View::Wire);
    assert!(validator(&schema).is_valid(&json!({"it": null})));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn schema_of_any_fields_is_valid(fields in fields(), definitions in definitions()) {
        for view in [View::Process, View::Wire] {
            let schema = document("title", Some("text"), &fields, &definitions, view);
            validator(&schema);
        }
    }

    /// A contract, its schema, and a contract that refers to the schema have the same types.
    #[test]
    fn types_survive_the_way_through_a_schema(fields in fields(), definitions in definitions()) {
        let fields = canonical_fields(fields);
        let definitions = definitions.into_iter().map(|definition| Definition {
            fields: canonical_fields(definition.fields),
            ..definition
        });
        let definitions: Vec<_> = definitions.collect();
        let schema = document("it", None, &fields, &definitions, View::Process);
        let node = read_schema(&schema);
        let (_, declared) = node.declared().next().expect("an event");
        prop_assert_eq!(&declared.json_schema, &None);
        let again = payload_document("it", None, declared, &node.definitions);
        prop_assert_eq!(&schema, &again);
        let groups = node.definitions.iter().map(|read| {
            let mut written = definitions.iter();
            let written = written.find(|written| written.name == read.name);
            (&written.expect("a definition").fields, &read.fields)
        });
        for (written, read) in groups.chain([(&fields, &declared.payload)]) {
            prop_assert_eq!(written.len(), read.len());
            for (written, read) in written.iter().zip(read) {
                prop_assert_eq!(&written.name, &read.name);
                prop_assert_eq!(&written.ty, &read.ty);
                prop_assert_eq!(written.required, read.required);
                prop_assert_eq!(&written.default, &read.default);
                prop_assert_eq!(&written.description, &read.description);
            }
        }
    }

    /// `herald publish` accepts the same payloads as the schema.
    #[test]
    fn values_valid_for_fields_are_valid_for_their_schema(
        ty in ty(),
        limits in limits(),
        definitions in definitions(),
        values in prop::collection::vec(value(), 8),
    ) {
        let mut fields = definitions[0].fields.clone();
        let names = fields.iter().map(|field| field.name.clone());
        let mut payload: Map<String, Value> = names.zip(values.clone()).collect();
        fields.retain(|field| field.name != "it");
        fields.truncate(1);
        payload.retain(|name, _| fields.iter().any(|field| field.name == *name));
        fields.push(Field { limits, ..field("it", ty) });
        let schema = document("title", None, &fields, &definitions, View::Wire);
        let validator = validator(&schema);
        for value in values {
            payload.insert("it".to_owned(), value);
            if value::check(&fields, &payload, &definitions, "payload").is_empty() {
                let instance = Value::Object(payload.clone());
                prop_assert!(validator.is_valid(&instance), "{instance}\n{schema:#}");
            }
        }
    }
}
