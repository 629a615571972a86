//! JSON Schema (draft 2020-12) of fields.
//!
//! Additional properties are valid, so that consumers with an older schema accept fields that a newer
//! publisher adds.

use std::collections::{BTreeMap, HashMap};

use herald_catalog::Declared;
use herald_catalog::fields::{Definition, Field, Limits, Privacy, Scalar, Type};
use herald_catalog::raw_schema::RawSchema;
use herald_catalog::value::{BASE64, DECIMAL, DURATION};
use serde_json::{Map, Value, json};

use crate::file::MARKER;

/// JSON Schema dialect.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Description that private fields get.
const PRIVATE: &str = "Private: only the name of its type leaves the process.";

/// Side of the wire that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Caller of an operation, who sees all fields.
    Process,
    /// Consumer of an event, who sees the type name of a private field.
    Wire,
}

/// Side of the wire that schemas describe, and place of their definitions.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Side of the wire.
    pub view: View,
    /// Returns the reference to the definition of this name.
    pub reference: &'a dyn Fn(&str) -> String,
}

/// Returns the schema of the payload of a declared event, with the definitions that it uses.
pub fn payload_document(
    title: &str,
    description: Option<&str>,
    declared: &Declared,
    definitions: &[Definition],
) -> Value {
    let Some(schema) = &declared.json_schema else {
        return document(
            title,
            description,
            &declared.payload,
            definitions,
            View::Wire,
        );
    };
    let mut document = head(title);
    document.extend(whole_payload(description, schema));
    Value::Object(document)
}

/// Returns the schema of payloads that their fields do not describe completely.
pub(crate) fn whole_payload(description: Option<&str>, schema: &RawSchema) -> Map<String, Value> {
    let description = description.map(|it| ("description".to_owned(), json!(it)));
    let mut document = Map::from_iter(description);
    document.extend(whole_schema(schema, false));
    document
}

/// Returns the keywords at the beginning of a schema that is a file.
fn head(title: &str) -> Map<String, Value> {
    // The marker comes first, because only the beginning of a file is searched for it.
    let mut schema = Map::new();
    schema.insert("$comment".to_owned(), json!(MARKER));
    schema.insert("$schema".to_owned(), json!(DRAFT));
    schema.insert("title".to_owned(), json!(title));
    schema
}

/// Returns the schema of an object with these fields, with the definitions that they use.
pub fn document(
    title: &str,
    description: Option<&str>,
    fields: &[Field],
    definitions: &[Definition],
    view: View,
) -> Value {
    let scope = Scope {
        view,
        reference: &|name| format!("#/$defs/{name}"),
    };
    let mut schema = head(title);
    schema.extend(object(description, fields, scope));
    let needed = needed(fields, definitions, view);
    let groups = needed.iter().map(|definition| definition.fields.as_slice());
    let scalars = scalars(std::iter::once(fields).chain(groups), view);
    let schemas = needed.iter().map(|definition| {
        let description = definition.description.as_deref();
        let schema = object(description, &definition.fields, scope);
        (definition.name.clone(), Value::Object(schema))
    });
    let scalars = scalars.into_iter();
    let scalars = scalars.map(|one| (one.name.clone(), Value::Object(scalar(one, scope))));
    let schemas: Map<_, _> = schemas.chain(scalars).collect();
    if !schemas.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(schemas));
    }
    Value::Object(schema)
}

/// Returns the definitions that the fields use, directly or not, in the order of the contract.
fn needed<'a>(
    fields: &'a [Field],
    definitions: &'a [Definition],
    view: View,
) -> Vec<&'a Definition> {
    let indices = definitions.iter().zip(0..);
    let indices: HashMap<&str, usize> = indices.map(|(d, at)| (d.name.as_str(), at)).collect();
    let mut reached = vec![false; definitions.len()];
    let mut open: Vec<&Type> = types(fields, view).collect();
    while let Some(ty) = open.pop() {
        match ty {
            Type::List(item) | Type::Map(item) => open.push(item),
            Type::Union(members) => open.extend(members),
            Type::Defined(name) => {
                let at = indices.get(name.as_str()).copied();
                if let Some(at) = at.filter(|at| !reached[*at]) {
                    reached[at] = true;
                    open.extend(types(&definitions[at].fields, view));
                }
            }
            _ => {}
        }
    }
    let reached = definitions.iter().zip(reached);
    reached
        .filter_map(|(definition, reached)| reached.then_some(definition))
        .collect()
}

/// Returns the named types of single values that the visible fields use, each once.
fn scalars<'a>(groups: impl Iterator<Item = &'a [Field]>, view: View) -> Vec<&'a Scalar> {
    let mut open: Vec<&Type> = groups.flat_map(|fields| types(fields, view)).collect();
    let mut found: BTreeMap<&str, &Scalar> = BTreeMap::new();
    while let Some(ty) = open.pop() {
        match ty {
            Type::List(item) | Type::Map(item) => open.push(item),
            Type::Union(members) => open.extend(members),
            Type::Scalar(scalar) => _ = found.insert(&scalar.name, scalar),
            _ => {}
        }
    }
    found.into_values().collect()
}

/// Returns the schema of a named type of single values.
pub(crate) fn scalar(scalar: &Scalar, scope: Scope<'_>) -> Map<String, Value> {
    let mut schema = Map::new();
    if let Some(description) = &scalar.description {
        schema.insert("description".to_owned(), json!(description));
    }
    schema.extend(type_schema(&scalar.ty, &scalar.limits, scope));
    schema
}

/// Returns the types of the visible fields.
fn types(fields: &[Field], view: View) -> impl Iterator<Item = &Type> {
    let seen = fields.iter().filter(move |field| !is_hidden(field, view));
    seen.map(|field| &field.ty)
}

fn is_hidden(field: &Field, view: View) -> bool {
    view == View::Wire && field.privacy == Privacy::Private
}

/// Returns the schema of an object with these fields.
pub(crate) fn object(
    description: Option<&str>,
    fields: &[Field],
    scope: Scope<'_>,
) -> Map<String, Value> {
    let mut schema = Map::new();
    if let Some(description) = description {
        schema.insert("description".to_owned(), json!(description));
    }
    schema.insert("type".to_owned(), json!("object"));
    let properties = fields
        .iter()
        .map(|field| (field.name.clone(), Value::Object(property(field, scope))));
    schema.insert("properties".to_owned(), Value::Object(properties.collect()));
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.required && !is_hidden(field, scope.view))
        .map(|field| field.name.as_str())
        .collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn property(field: &Field, scope: Scope<'_>) -> Map<String, Value> {
    let mut schema = Map::new();
    if let Some(description) = &field.description {
        schema.insert("description".to_owned(), json!(description));
    }
    if field.privacy == Privacy::Private {
        schema.insert("$comment".to_owned(), json!(PRIVATE));
    }
    if is_hidden(field, scope.view) {
        schema.insert("type".to_owned(), json!("string"));
        return schema;
    }
    let ty = if let Some(schema) = &field.limits.json_schema {
        whole_schema(schema, field.may_be_null())
    } else if field.may_be_null() {
        type_schema(&field.ty.clone().or_null(), &field.limits, scope)
    } else {
        type_schema(&field.ty, &field.limits, scope)
    };
    schema.extend(ty);
    if let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) {
        schema.insert("default".to_owned(), default.clone());
    }
    schema
}

/// Returns the schema of a type. In a union, limits apply to the members of fitting types.
fn type_schema(ty: &Type, limits: &Limits, scope: Scope<'_>) -> Map<String, Value> {
    if let Some(schema) = &limits.json_schema {
        return whole_schema(schema, false);
    }
    let simple = |name: &str| json!({"type": name});
    let format = |name: &str| json!({"type": "string", "format": name});
    let mut schema = match ty {
        Type::Any | Type::Model(_) => json!({}),
        Type::String => simple("string"),
        Type::Integer => simple("integer"),
        Type::Number => simple("number"),
        Type::Boolean => simple("boolean"),
        Type::Null => simple("null"),
        Type::Uuid => format("uuid"),
        Type::DateTime => format("date-time"),
        Type::Date => format("date"),
        Type::Decimal => json!({"type": "string", "pattern": DECIMAL}),
        Type::Bytes => {
            json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64})
        }
        Type::Duration => json!({"type": "string", "pattern": DURATION}),
        Type::Enum(values) => json!({"type": "string", "enum": values}),
        Type::Numbers(values) => json!({"enum": values}),
        Type::Scalar(scalar) => json!({"$ref": (scope.reference)(&scalar.name)}),
        Type::Defined(name) => json!({"$ref": (scope.reference)(name)}),
        Type::List(item) => {
            let of_items = limits.items.as_deref();
            let items = type_schema(item, of_items.unwrap_or(&Limits::default()), scope);
            json!({"type": "array", "items": items})
        }
        Type::Map(item) => {
            let values = type_schema(item, &Limits::default(), scope);
            json!({"type": "object", "additionalProperties": values})
        }
        Type::Union(members) => return union(members, limits, scope),
    };
    if let Value::Object(schema) = &mut schema {
        schema.extend(limits_of(ty, limits));
    }
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Returns the schema of values that a type does not describe completely.
fn whole_schema(schema: &RawSchema, may_be_null: bool) -> Map<String, Value> {
    match schema.as_value() {
        whole if may_be_null && !schema.accepts(&Value::Null) => {
            Map::from_iter([("anyOf".to_owned(), json!([whole, {"type": "null"}]))])
        }
        Value::Object(keywords) => keywords.clone(),
        Value::Bool(false) => Map::from_iter([("not".to_owned(), json!({}))]),
        _ => Map::new(),
    }
}

fn union(members: &[Type], limits: &Limits, scope: Scope<'_>) -> Map<String, Value> {
    let mut schemas: Vec<_> = members
        .iter()
        .map(|ty| type_schema(ty, limits, scope))
        .collect();
    // Most unions are `T | null`, which is usually written as a list of types.
    if let [one, Type::Null] | [Type::Null, one] = members
        && !matches!(one, Type::Enum(_) | Type::Null)
    {
        let at = usize::from(members[0] == Type::Null);
        if let Some(name) = schemas[at]
            .get("type")
            .filter(|name| name.is_string())
            .cloned()
        {
            let mut schema = schemas.swap_remove(at);
            schema.insert("type".to_owned(), json!([name, "null"]));
            return schema;
        }
    }
    Map::from_iter([("anyOf".to_owned(), json!(schemas))])
}

/// Returns the limits of a type. Decimals have none: they are text, which a schema can't compare.
fn limits_of(ty: &Type, limits: &Limits) -> Map<String, Value> {
    let size = |limit: Option<u32>| limit.map(Value::from);
    let number = |limit: &Option<serde_json::Number>| limit.clone().map(Value::Number);
    let limits = match ty {
        Type::Integer | Type::Number => vec![
            ("minimum", number(&limits.minimum)),
            ("maximum", number(&limits.maximum)),
            ("exclusiveMinimum", number(&limits.exclusive_minimum)),
            ("exclusiveMaximum", number(&limits.exclusive_maximum)),
            ("multipleOf", number(&limits.multiple_of)),
        ],
        Type::String => vec![
            ("minLength", size(limits.min_length)),
            ("maxLength", size(limits.max_length)),
            ("pattern", limits.pattern.clone().map(Value::String)),
        ],
        Type::List(_) => vec![
            ("minItems", size(limits.min_items)),
            ("maxItems", size(limits.max_items)),
            ("uniqueItems", limits.unique_items.map(Value::Bool)),
        ],
        _ => Vec::new(),
    };
    let set = limits.into_iter();
    set.filter_map(|(key, limit)| Some((key.to_owned(), limit?)))
        .collect()
}
