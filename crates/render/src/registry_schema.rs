//! JSON Schemas of the values of events, for schema registries.
//!
//! They are of draft 7, which all registries compare; of newer drafts some registries compare nothing.

use herald_catalog::category::Stage;
use herald_catalog::fields::Field;
use herald_catalog::{Event, Node};
use herald_envelope::{Place, Profile};
use serde_json::{Map, Value, json};

use crate::file::UsedNames;
use crate::json_schema::{View, document, payload_document};
use crate::targets::asyncapi::{identity, stage_payload};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Keywords whose value is a schema.
const SCHEMA: [&str; 8] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
];
/// Keywords whose value is a list of schemas; `items` may be one, too.
const SCHEMAS: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
/// Keywords whose value is an object of schemas.
const SCHEMAS_BY_NAME: [&str; 5] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];
/// Keywords beside which `properties` need not list all properties.
const COMBINING: [&str; 7] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "$ref",
    "patternProperties",
];
/// Keywords that draft 7 does not have. Without them, more values are valid.
const UNKNOWN: [&str; 6] = [
    "unevaluatedItems",
    "unevaluatedProperties",
    "minContains",
    "maxContains",
    "$dynamicRef",
    "$dynamicAnchor",
];

/// Whether objects of a payload may have properties that the contract does not declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentModel {
    /// They may. Registries take each new field for a restriction then, because an older event could
    /// have had it with another type.
    Open,
    /// They may not, so that a new field that is optional is an extension. Objects that declare no
    /// properties stay open.
    Closed,
}

/// Returns the schema of the value of an event in an envelope profile. `title` is the record name.
pub fn value_schema(
    title: &str,
    node: &Node,
    event: &Event,
    profile: Profile,
    model: ContentModel,
) -> Value {
    let mut definitions = Map::new();
    let mut payload = hoist(payload_schema(node, event), &mut definitions);
    if model == ContentModel::Closed {
        close(&mut payload);
        definitions
            .values_mut()
            .filter_map(Value::as_object_mut)
            .for_each(close);
    }
    let description = event.description.as_ref();
    let description = description.map(|text| ("description".to_owned(), json!(text)));
    let mut schema = Map::from_iter([
        ("$schema".to_owned(), json!(DRAFT)),
        ("title".to_owned(), json!(title)),
    ]);
    schema.extend(description);
    let envelope = profile.describe();
    let value = match (envelope.payload, envelope.value.clone()) {
        (Some(member), Some(value)) => {
            let mut value = hoist(value, &mut definitions);
            let mut properties = identity(&envelope, event, |place| match place {
                Place::Member(name) => Some(name),
                Place::Header(_) => None,
            });
            properties.insert(member.to_owned(), Value::Object(payload));
            let known = value.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(known) = known {
                for (name, schema) in properties {
                    let property = known.entry(name.clone()).or_insert_with(|| json!({}));
                    match (property, schema) {
                        // The identity of the event joins the keywords of the envelope.
                        (Value::Object(property), Value::Object(schema)) if name != member => {
                            property.extend(schema);
                        }
                        (property, schema) => *property = schema,
                    }
                }
            }
            value
        }
        _ => payload,
    };
    for (keyword, value) in value {
        schema.entry(keyword).or_insert(value);
    }
    if !definitions.is_empty() {
        schema.insert("definitions".to_owned(), Value::Object(definitions));
    }
    to_draft_7(&mut schema);
    Value::Object(schema)
}

/// Returns the schema of the values of a topic with several events: each value is one of them.
pub fn union_schema(title: &str, schemas: impl IntoIterator<Item = Value>) -> Value {
    let mut definitions = Map::new();
    let mut names = UsedNames::default();
    let mut members = Vec::new();
    for schema in schemas {
        let Value::Object(mut schema) = schema else {
            continue;
        };
        schema.shift_remove("$schema");
        let title = schema.get("title").and_then(Value::as_str);
        let own = names.add(&pointer_safe(title.unwrap_or("event")));
        if let Some(Value::Object(parts)) = schema.shift_remove("definitions") {
            let names: Vec<(String, String)> = parts
                .keys()
                .map(|name| {
                    (
                        name.clone(),
                        names.add(&format!("{own}.{}", pointer_safe(name))),
                    )
                })
                .collect();
            let rename = |reference: &str| {
                let name = reference.strip_prefix("#/definitions/")?;
                let (_, new) = names.iter().find(|(old, _)| old == name)?;
                Some(format!("#/definitions/{new}"))
            };
            rename_references(&mut schema, &rename);
            for ((_, part), (_, name)) in parts.into_iter().zip(&names) {
                if let Value::Object(mut part) = part {
                    rename_references(&mut part, &rename);
                    definitions.insert(name.clone(), Value::Object(part));
                }
            }
        }
        members.push(json!({"$ref": format!("#/definitions/{own}")}));
        definitions.insert(own, Value::Object(schema));
    }
    json!({
        "$schema": DRAFT,
        "title": title,
        "anyOf": members,
        "definitions": definitions,
    })
}

/// Returns the schema of the values of a topic with several events, by references to schemas of these
/// names.
pub fn union_of_references<'a>(title: &str, names: impl IntoIterator<Item = &'a str>) -> Value {
    let members = names.into_iter().map(|name| json!({"$ref": name}));
    json!({
        "$schema": DRAFT,
        "title": title,
        "anyOf": members.collect::<Vec<_>>(),
    })
}

/// Returns the name that an event with this record name has among the definitions of a union.
pub fn definition_name(record: &str) -> String {
    pointer_safe(record)
}

/// Adds the properties to `new` that `old` has and `new` has not, so that their removal is none for a
/// registry, and returns their paths. Events with them stay valid, and no event needs them.
pub fn keep_removed(new: &mut Value, old: &Value) -> Vec<String> {
    let mut kept = Vec::new();
    let (Some(root), Some(old_root)) = (new.as_object_mut(), old.as_object()) else {
        return kept;
    };
    keep(root, old_root, "", &mut kept);
    if kept.is_empty() {
        return kept;
    }
    // What was kept may refer to definitions that nothing else uses.
    let old_definitions = old_root.get("definitions").and_then(Value::as_object);
    for (name, definition) in old_definitions.into_iter().flatten() {
        let definitions = root.entry("definitions").or_insert_with(|| json!({}));
        if let Some(definitions) = definitions.as_object_mut() {
            definitions
                .entry(name.clone())
                .or_insert_with(|| definition.clone());
        }
    }
    kept
}

fn keep(
    new: &mut Map<String, Value>,
    old: &Map<String, Value>,
    path: &str,
    kept: &mut Vec<String>,
) {
    let old_properties = old.get("properties").and_then(Value::as_object);
    if let (Some(old), Some(new)) = (
        old_properties,
        new.get_mut("properties").and_then(Value::as_object_mut),
    ) {
        for (name, schema) in old {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            match new.get_mut(name) {
                None => {
                    new.insert(name.clone(), schema.clone());
                    kept.push(path);
                }
                Some(new) => keep_in(new, schema, &path, kept),
            }
        }
    }
    if let (Some(new), Some(old)) = (new.get_mut("items"), old.get("items")) {
        keep_in(new, old, &format!("{path}[]"), kept);
    }
    if let (Some(Value::Object(new)), Some(Value::Object(old))) =
        (new.get_mut("definitions"), old.get("definitions"))
    {
        for (name, schema) in old {
            if let Some(new) = new.get_mut(name) {
                keep_in(new, schema, name, kept);
            }
        }
    }
}

fn keep_in(new: &mut Value, old: &Value, path: &str, kept: &mut Vec<String>) {
    if let (Value::Object(new), Value::Object(old)) = (new, old) {
        keep(new, old, path, kept);
    }
}

/// Returns the schema of the payload, with definitions in `$defs`.
fn payload_schema(node: &Node, event: &Event) -> Value {
    let definitions = &node.definitions;
    match (&event.declared, event.stage) {
        (Some(declared), _) if declared.has_payload() => {
            payload_document(&event.event_type, None, declared, definitions)
        }
        (None, Some(stage)) => stage_document(node, event, stage),
        _ => json!({"type": "object"}),
    }
}

/// Returns the schema of the payload of an event that Herald defines, with definitions in `$defs`.
fn stage_document(node: &Node, event: &Event, stage: &Stage) -> Value {
    let mut definitions = Map::new();
    let mut schema = stage_payload(node, event, stage, &mut |title: &str, fields: &[Field]| {
        let schema = document(title, None, fields, &node.definitions, View::Wire);
        Value::Object(hoist(schema, &mut definitions))
    });
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

/// Returns a schema without what only a file of its own has, and moves its definitions.
fn hoist(schema: Value, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let Value::Object(mut schema) = schema else {
        return Map::new();
    };
    for keyword in ["$comment", "$schema", "$id", "title"] {
        schema.shift_remove(keyword);
    }
    for keyword in ["$defs", "definitions"] {
        if let Some(Value::Object(parts)) = schema.shift_remove(keyword) {
            definitions.extend(parts);
        }
    }
    schema
}

/// Lets objects have the declared properties only.
fn close(schema: &mut Map<String, Value>) {
    for keyword in ["properties", "definitions", "$defs"] {
        let parts = schema.get_mut(keyword).and_then(Value::as_object_mut);
        let parts = parts.into_iter().flat_map(|parts| parts.values_mut());
        parts.filter_map(Value::as_object_mut).for_each(close);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(Value::Object(part)) = schema.get_mut(keyword) {
            close(part);
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        let parts = schema.get_mut(keyword).and_then(Value::as_array_mut);
        let parts = parts.into_iter().flatten();
        parts.filter_map(Value::as_object_mut).for_each(close);
    }
    let declares = |keyword: &str| schema.contains_key(keyword);
    if declares("properties")
        && !declares("additionalProperties")
        && !COMBINING.iter().any(|keyword| declares(keyword))
    {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// Converts the keywords of draft 2020-12 to those of draft 7.
fn to_draft_7(schema: &mut Map<String, Value>) {
    for_each_part(schema, &mut |part| to_draft_7(part));
    for keyword in UNKNOWN {
        schema.shift_remove(keyword);
    }
    if let Some(Value::Object(definitions)) = schema.shift_remove("$defs") {
        schema.insert("definitions".to_owned(), Value::Object(definitions));
    }
    if let Some(Value::String(reference)) = schema.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = format!("#/definitions/{name}");
    }
    if let Some(items) = schema.shift_remove("prefixItems") {
        let rest = schema.insert("items".to_owned(), items);
        schema.extend(rest.map(|rest| ("additionalItems".to_owned(), rest)));
    }
    for keyword in ["dependentRequired", "dependentSchemas"] {
        if let Some(Value::Object(parts)) = schema.shift_remove(keyword) {
            let known = schema.entry("dependencies").or_insert_with(|| json!({}));
            if let Some(known) = known.as_object_mut() {
                known.extend(parts);
            }
        }
    }
}

fn rename_references(schema: &mut Map<String, Value>, rename: &dyn Fn(&str) -> Option<String>) {
    for_each_part(schema, &mut |part| rename_references(part, rename));
    if let Some(Value::String(reference)) = schema.get_mut("$ref")
        && let Some(new) = rename(reference)
    {
        *reference = new;
    }
}

/// Visits the schemas directly within a schema.
fn for_each_part(schema: &mut Map<String, Value>, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    for (keyword, value) in schema {
        let keyword = keyword.as_str();
        match value {
            Value::Object(part) if SCHEMA.contains(&keyword) => visit(part),
            Value::Object(parts) if SCHEMAS_BY_NAME.contains(&keyword) => {
                parts
                    .values_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(&mut *visit);
            }
            Value::Array(parts) if SCHEMAS.contains(&keyword) => {
                parts
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(&mut *visit);
            }
            _ => {}
        }
    }
}

/// Returns a name in characters that need no escape in a JSON Pointer within a URI.
fn pointer_safe(name: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.replace(|c| !is_safe(c), "_")
}

#[cfg(test)]
mod tests {
    use herald_catalog::load;

    use super::*;

    fn schema(contract: &str, profile: &str, model: ContentModel) -> Value {
        let text = format!("node_type: effect\nservice_name: shop\n{contract}");
        let loaded = load::load_text("a.yaml", &text, &load::Options::default());
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        let node = &loaded.catalog.nodes[0];
        let event = &node.events[0];
        value_schema("shop.a.v1", node, event, profile.parse().unwrap(), model)
    }

    const NESTED: &str = "include_state_events: false\ninclude_metric_events: false\nevents: \
        [{event_type: a, topic: t, payload: {line: Line, free: 'map[string]', either: 'Line | string'}}]\n\
        definitions: {Line: {fields: {price: decimal}}}\n";

    #[test]
    fn closed_schemas_close_declared_objects_only() {
        let closed = schema(NESTED, "none", ContentModel::Closed);
        assert_eq!(closed["$schema"], DRAFT);
        assert_eq!(closed["title"], "shop.a.v1");
        assert_eq!(closed["additionalProperties"], false);
        assert_eq!(closed["definitions"]["Line"]["additionalProperties"], false);
        let line = json!({"$ref": "#/definitions/Line"});
        assert_eq!(closed["properties"]["line"], line);
        assert_eq!(closed["properties"]["either"]["anyOf"][0], line);
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        assert_eq!(closed["properties"]["free"], free);
        let open = schema(NESTED, "none", ContentModel::Open);
        assert_eq!(open.get("additionalProperties"), None);
        assert_eq!(
            open["definitions"]["Line"].get("additionalProperties"),
            None
        );
    }

    #[test]
    fn envelopes_stay_open_around_a_closed_payload() {
        for profile in ["onex-v1", "cloudevents"] {
            let schema = schema(NESTED, profile, ContentModel::Closed);
            assert_ne!(
                schema.get("additionalProperties"),
                Some(&json!(false)),
                "{profile}"
            );
            let member = if profile == "onex-v1" {
                "payload"
            } else {
                "data"
            };
            let payload = &schema["properties"][member];
            assert_eq!(payload["additionalProperties"], false, "{profile}");
            assert_eq!(payload["properties"]["line"]["$ref"], "#/definitions/Line");
            assert!(schema["definitions"]["Line"].is_object(), "{profile}");
        }
    }

    #[test]
    fn events_of_operations_have_the_fields_of_the_contract() {
        let contract = "operations: [{name: place, input: {line: Line}}]\n\
            definitions: {Line: {fields: {price: {type: decimal, privacy: public}}}}\n";
        let schema = schema(contract, "none", ContentModel::Closed);
        let text = schema.to_string();
        assert!(
            !text.contains("$defs") && !text.contains("2020-12"),
            "{schema:#}"
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["metadata"], json!({"type": "object"}));
    }

    #[test]
    fn newer_keywords_become_those_of_draft_7() {
        let Value::Object(mut schema) = json!({
            "prefixItems": [{"type": "string"}],
            "items": {"$ref": "#/$defs/A"},
            "dependentRequired": {"a": ["b"]},
            "dependentSchemas": {"c": {"unevaluatedProperties": false}},
            "$defs": {"A": {}},
            "properties": {"$defs": {"type": "string"}},
        }) else {
            unreachable!()
        };
        to_draft_7(&mut schema);
        let expected = json!({
            "items": [{"type": "string"}],
            "additionalItems": {"$ref": "#/definitions/A"},
            "dependencies": {"a": ["b"], "c": {}},
            "definitions": {"A": {}},
            "properties": {"$defs": {"type": "string"}},
        });
        assert_eq!(Value::Object(schema), expected);
    }

    #[test]
    fn removed_fields_are_kept_with_their_definitions() {
        let old = json!({
            "properties": {"a": {}, "line": {"$ref": "#/definitions/Line"}, "b": {"properties": {"c": {}}}},
            "required": ["a"],
            "definitions": {"Line": {"properties": {"price": {}}}},
        });
        let mut new = json!({"properties": {"b": {"properties": {}}}});
        assert_eq!(keep_removed(&mut new, &old), ["a", "line", "b.c"]);
        assert_eq!(new["definitions"]["Line"], old["definitions"]["Line"]);
        assert_eq!(new.get("required"), None);
        assert_eq!(keep_removed(&mut new, &old), Vec::<String>::new());
    }
}
