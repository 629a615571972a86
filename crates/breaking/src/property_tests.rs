//! Verdicts against values: what is judged safe is accepted, what is judged breaking has a
//! witness that is rejected. Judges are the JSON Schemas that consumers validate with.

use std::fmt;
use std::sync::Arc;

use herald_catalog::fields::{Definition, Field, Limits, Privacy, Scalar, Type};
use herald_catalog::load::{Options, load_lock_text, load_text};
use herald_catalog::lock;
use herald_catalog::{Catalog, Node};
use herald_diagnostics::{Location, SourceId, Span};
use herald_render::json_schema::{View, document};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Number, Value, json};

use crate::wire::{Typed, WireField, accepts_object};
use crate::{Change, Direction, compare};

const CONTRACT: &str = "node_type: effect\nservice_name: shop\noperations: []\n\
    include_state_events: false\ninclude_metric_events: false\n\
    events:\n- {event_type: shop.sold, topic: shop.sold.v1, payload: {id: string}}\n";

fn catalog(fields: &[Field], definition: &[Field]) -> Catalog {
    let mut loaded = load_text("contract.yaml", CONTRACT, &Options::default());
    let node: &mut Node = &mut loaded.catalog.nodes[0];
    node.scalars = vec![stage(), status()];
    node.definitions = vec![Definition {
        name: "Part".to_owned(),
        ident: "Part".to_owned(),
        description: None,
        fields: definition.to_vec(),
        location: nowhere(),
    }];
    let declared = node.events[0].declared.as_mut().expect("it is declared");
    fields.clone_into(&mut declared.payload);
    loaded.catalog
}

fn nowhere() -> Location {
    Location {
        source: SourceId(0),
        span: Span::default(),
    }
}

fn payload(catalog: &Catalog) -> (&[Field], &[Definition]) {
    let node = &catalog.nodes[0];
    let declared = node.events[0].declared.as_ref().expect("it is declared");
    (&declared.payload, &node.definitions)
}

fn validator(catalog: &Catalog) -> Validator {
    let (fields, definitions) = payload(catalog);
    let schema = document("payload", None, fields, definitions, View::Wire);
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("the schema is valid")
}

/// A named enumeration.
fn stage() -> Scalar {
    Scalar {
        name: "Stage".to_owned(),
        description: None,
        ty: Type::Enum(vec!["a".to_owned()]),
        limits: Limits::default(),
        is_open: false,
        location: nowhere(),
    }
}

/// A named enumeration that will grow.
fn status() -> Scalar {
    Scalar {
        name: "Status".to_owned(),
        ty: Type::Enum(vec!["a".to_owned(), "bb".to_owned()]),
        is_open: true,
        ..stage()
    }
}

/// Types, with and without limits that fit them.
fn typed() -> impl Strategy<Value = (Type, Limits)> {
    let scalar = select(vec![
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
        Type::Null,
        Type::Enum(vec!["a".to_owned(), "bb".to_owned()]),
        Type::Enum(vec![
            "a".to_owned(),
            "2026-01-01".to_owned(),
            "ccc".to_owned(),
        ]),
        Type::Duration,
        Type::Numbers(vec![1.into(), 2.into()]),
        Type::Numbers(vec![1.into(), 3.into()]),
        Type::Scalar(Arc::new(stage())),
        Type::Scalar(Arc::new(status())).or_unknown(),
        Type::Defined("Part".to_owned()),
    ]);
    let ty = scalar.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| Type::List(Box::new(item))),
            inner.clone().prop_map(|value| Type::Map(Box::new(value))),
            prop::collection::vec(inner, 2..4).prop_map(union),
        ]
    });
    (ty, limits())
}

/// A union as the reader makes it: flat, each member once, and any type alone.
fn union(members: Vec<Type>) -> Type {
    let mut flat = Vec::new();
    for member in members {
        let inner = match member {
            Type::Any => return Type::Any,
            Type::Union(inner) => inner,
            other => vec![other],
        };
        for ty in inner {
            if !flat.contains(&ty) {
                flat.push(ty);
            }
        }
    }
    if flat.len() == 1 {
        flat.remove(0)
    } else {
        Type::Union(flat)
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let bound = || prop::option::of((-3i32..6).prop_map(Number::from));
    let size = || prop::option::of(0u32..5);
    let pattern = prop::option::weighted(0.2, select(vec!["^[a-z]+$", "^[a-c]{1,3}$", "^x"]));
    let numbers = (bound(), bound());
    let sizes = (size(), size(), size(), size());
    prop::option::weighted(0.5, (numbers, sizes, pattern)).prop_map(|limits| {
        let Some((numbers, sizes, pattern)) = limits else {
            return Limits::default();
        };
        // Contracts whose limits contradict each other are errors.
        let order = |low: &Option<Number>, high: Option<Number>| {
            high.filter(|high| low.as_ref().is_none_or(|low| low.as_f64() <= high.as_f64()))
        };
        Limits {
            multiple_of: None,
            unique_items: None,
            maximum: order(&numbers.0, numbers.1),
            minimum: numbers.0,
            exclusive_minimum: None,
            exclusive_maximum: None,
            max_length: sizes.1.filter(|max| *max >= sizes.0.unwrap_or(0)),
            min_length: sizes.0,
            max_items: sizes.3.filter(|max| *max >= sizes.2.unwrap_or(0)),
            min_items: sizes.2,
            pattern: pattern.map(str::to_owned),
            items: None,
            json_schema: None,
        }
    })
}

/// A field; boxed, because its tree of values is too large for a test's stack.
fn field(name: &'static str) -> BoxedStrategy<Field> {
    let privacy = prop_oneof![
        5 => Just(Privacy::Public),
        1 => Just(Privacy::Private),
    ];
    let default = prop::option::weighted(0.1, Just(json!("a")));
    (typed(), any::<bool>(), privacy, default)
        .prop_map(move |((ty, limits), required, privacy, default)| Field {
            name: name.to_owned(),
            spelling: ty.to_string(),
            ty,
            required: required && default.is_none(),
            limits,
            default,
            renamed_from: None,
            description: None,
            privacy,
            location: nowhere(),
        })
        .boxed()
}

fn fields() -> BoxedStrategy<Vec<Field>> {
    let one = |name| prop::option::weighted(0.7, field(name));
    (one("a"), one("b"), one("c"))
        .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
        .boxed()
}

/// A catalog of one event.
struct Version(Catalog);

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, definitions) = payload(&self.0);
        for (of, fields) in [("payload", fields), ("Part", &*definitions[0].fields)] {
            for field in fields {
                let limits = format!("{:?}", field.limits);
                let limits = limits.replace("None", "-").replace("Limits", "");
                writeln!(
                    f,
                    "\n{of}.{}: {} required={} default={:?} {:?} {limits}",
                    field.name, field.ty, field.required, field.default, field.privacy,
                )?;
            }
        }
        Ok(())
    }
}

/// Two versions that have most of their fields in common.
fn versions() -> impl Strategy<Value = (Version, Version)> {
    let parts = (fields(), fields(), fields(), fields(), any::<[bool; 6]>());
    parts.prop_map(|(mut old, new, part, other_part, kept)| {
        if old.is_empty() {
            old = new.clone();
        }
        let merge = |old: &[Field], new: Vec<Field>, kept: &[bool]| {
            let mut fields: Vec<_> = old.to_vec();
            for (field, kept) in new.into_iter().zip(kept) {
                if !kept {
                    fields.retain(|other| other.name != field.name);
                    fields.push(field);
                }
            }
            fields
        };
        let changed = merge(&old, new, &kept[..3]);
        let changed_part = merge(&part, other_part, &kept[3..]);
        (
            Version(catalog(&old, &part)),
            Version(catalog(&changed, &changed_part)),
        )
    })
}

/// Some value of a type; what limits exclude has to be filtered out.
fn value(typed: Typed<'_>, seeds: &mut dyn Iterator<Item = u32>, depth: u32) -> Value {
    let seed = seeds.next().unwrap_or(0);
    let pick = |values: &[Value]| values[seed as usize % values.len()].clone();
    let typed = typed.without_name();
    match typed.ty {
        Type::Duration => pick(&["PT1H", "-P1DT0.5S"].map(Value::from)),
        Type::Numbers(values) => json!(values[seed as usize % values.len()]),
        Type::Any | Type::Model(_) => {
            pick(&[json!(null), json!("x"), json!(1), json!([]), json!({})])
        }
        // Without its name nothing is a scalar of a definition.
        Type::Null | Type::Scalar(_) => Value::Null,
        Type::Boolean => json!(seed.is_multiple_of(2)),
        Type::String => pick(&["", "a", "x", "abc", "xyz", "long text", "A-1"].map(Value::from)),
        Type::Integer => json!(i64::from(seed % 12) - 4),
        Type::Number => json!((f64::from(seed % 24) - 8.0) / 2.0),
        Type::Decimal => json!(((f64::from(seed % 24) - 8.0) / 2.0).to_string()),
        Type::Uuid => json!("0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d"),
        Type::DateTime => {
            pick(&["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+02:00"].map(Value::from))
        }
        Type::Date => json!("2026-02-28"),
        Type::Bytes => pick(&["", "aGk="].map(Value::from)),
        Type::Enum(values) => json!(values[seed as usize % values.len()]),
        Type::Union(members) => {
            let member = &members[seed as usize % members.len()];
            value(typed.with(member), seeds, depth)
        }
        Type::List(item) => {
            let length = seed % 5;
            (0..length)
                .map(|_| value(typed.items(item), seeds, depth))
                .collect()
        }
        Type::Map(inner) => {
            let keys = ["key", "a", "b"].into_iter().take(seed as usize % 4);
            let entries =
                keys.map(|key| (key.to_owned(), value(typed.values(inner), seeds, depth)));
            Value::Object(entries.collect())
        }
        Type::Defined(_) if depth == 0 => json!({}),
        Type::Defined(name) => {
            let fields = typed.definition(name);
            Value::Object(object(fields, typed.definitions, seeds, depth - 1))
        }
    }
}

fn object(
    fields: &[Field],
    definitions: &[Definition],
    seeds: &mut dyn Iterator<Item = u32>,
    depth: u32,
) -> Map<String, Value> {
    let mut object = Map::new();
    for field in fields.iter().map(WireField::of) {
        if field.required || !seeds.next().unwrap_or(0).is_multiple_of(3) {
            let value = value(field.typed(definitions), seeds, depth);
            object.insert(field.name.to_owned(), value);
        }
    }
    object
}

/// The witness as a whole event: what it leaves out is filled in.
fn complete(witness: &Value, catalog: &Catalog) -> Option<Map<String, Value>> {
    let (fields, definitions) = payload(catalog);
    let mut object = crate::candidates::least_object(fields, definitions)?;
    let object = object.as_object_mut()?;
    for (name, value) in witness.as_object()? {
        object.insert(name.clone(), value.clone());
    }
    Some(object.clone())
}

fn breaks(changes: &[Change], direction: Direction) -> bool {
    changes
        .iter()
        .any(|change| change.breaks.contains(direction))
}

proptest! {

    #[test]
    fn safe_changes_are_accepted(
        (Version(old), Version(new)) in versions(),
        seeds in prop::collection::vec(any::<u32>(), 400),
    ) {
        let changes = compare(&old, &new);
        for (direction, written, read) in [
            (Direction::Consumer, &new, &old),
            (Direction::Producer, &old, &new),
        ] {
            if breaks(&changes, direction) {
                continue;
            }
            let ((fields, definitions), (reader, others)) = (payload(written), payload(read));
            // An open payload is judged by its own rules: it has no schema.
            if fields.is_empty() || reader.is_empty() {
                continue;
            }
            let (publishable, readable) = (validator(written), validator(read));
            let mut seeds = seeds.iter().copied();
            for _ in 0..30 {
                let object = object(fields, definitions, &mut seeds, 3);
                let value = Value::Object(object.clone());
                if !accepts_object(fields, definitions, &object) || !publishable.is_valid(&value) {
                    continue;
                }
                prop_assert!(
                    accepts_object(reader, others, &object) && readable.is_valid(&value),
                    "{direction} is judged safe, and {value} is rejected"
                );
            }
        }
    }

    #[test]
    fn witnesses_are_published_by_one_side_and_rejected_by_the_other((Version(old), Version(new)) in versions()) {
        for change in compare(&old, &new) {
            let Some(witness) = &change.witness else { continue };
            // A witness about a definition shows the definition's object.
            if !change.message.contains("payload") {
                continue;
            }
            let (written, read) = if witness.breaks.contains(Direction::Consumer) {
                (&new, &old)
            } else {
                (&old, &new)
            };
            let ((fields, definitions), (reader, others)) = (payload(written), payload(read));
            let Some(object) = complete(&witness.value, written) else { continue };
            prop_assert!(
                fields.is_empty() || accepts_object(fields, definitions, &object),
                "{} is not published: {change:#?}", Value::Object(object)
            );
            prop_assert!(
                !accepts_object(reader, others, &object),
                "{} is not rejected: {change:#?}", Value::Object(object)
            );
        }
    }

    /// Nothing is reported about payloads that readers of both sides take.
    #[test]
    fn breaks_are_real((Version(old), Version(new)) in versions()) {
        let ((before, definitions), (after, others)) = (payload(&old), payload(&new));
        prop_assume!(!before.is_empty() && !after.is_empty());
        let within = |written, read| {
            crate::wire::are_fields_within(written, read, &mut std::collections::HashSet::new())
        };
        let changes = compare(&old, &new);
        for (direction, is_safe) in [
            (Direction::Consumer, within((after, others), (before, definitions))),
            (Direction::Producer, within((before, definitions), (after, others))),
        ] {
            let reported: Vec<_> = (changes.iter())
                .filter(|change| change.breaks.contains(direction))
                // Meaning changes, and values pass.
                .filter(|change| match change.rule.rule.code {
                    "field.default_changed" => false,
                    "field.became_private" => {
                        direction == Direction::Producer || !is_safe
                    }
                    _ => true,
                })
                .collect();
            // A definition is judged by itself; in a union, another type may take its values.
            let about_payload = |change: &&&Change| !change.message.contains("the definition");
            let is_reported = if is_safe {
                reported.iter().any(|change| about_payload(&change))
            } else {
                !reported.is_empty()
            };
            prop_assert_eq!(is_safe, !is_reported, "{}: {:#?}", direction, reported);
        }
    }

    #[test]
    fn lock_files_mean_the_same((Version(old), _) in versions()) {
        let text = lock::write(&old.nodes);
        let again = load_lock_text("herald.lock", &text);
        prop_assert!(again.diagnostics.is_empty(), "{:?}\n{}", again.diagnostics, text);
        for (one, other) in [(&old, &again.catalog), (&again.catalog, &old)] {
            let changes = compare(one, other);
            prop_assert!(changes.is_empty(), "{:#?}\n{}", changes, text);
        }
        // Limits that do not apply to a type are not read, so only the second text has to be equal.
        let text = lock::write(&again.catalog.nodes);
        let again = load_lock_text("herald.lock", &text);
        prop_assert_eq!(lock::write(&again.catalog.nodes), text);
    }
}

#[test]
fn a_value_more_of_an_open_enumeration_breaks_nobody() {
    let of = |values: &str, open: bool| {
        let (head, _) = CONTRACT.split_once("id: string").expect("a field");
        format!(
            "{head}status: Status, kind: {{type: string, enum: [{values}], open: {open}}}}}}}\n\
             definitions:\n  Status: {{type: string, enum: [{values}], open: {open}}}\n"
        )
    };
    let read = |text: &str| load_text("contract.yaml", text, &Options::default()).catalog;
    let changes = |open| compare(&read(&of("a", open)), &read(&of("a, b", open)));
    assert!(changes(true).is_empty(), "{:#?}", changes(true));
    let codes: Vec<_> = changes(false).iter().map(|it| it.rule.rule.code).collect();
    assert!(codes.contains(&"enum.value_added"), "{codes:?}");
}
