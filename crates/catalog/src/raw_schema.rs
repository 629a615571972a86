//! JSON Schemas of values whose types contracts can't express.

use std::fmt;
use std::sync::Arc;

use herald_diagnostics::Diagnostic;
use jsonschema::Validator;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::checks;
use crate::yaml::Yaml;

/// JSON Schema (draft 2020-12) that values match besides their type. It has no references.
#[derive(Clone)]
pub struct RawSchema(Arc<Compiled>);

struct Compiled {
    schema: Value,
    validator: Validator,
}

impl RawSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// The reason why it is not a valid schema.
    pub fn new(schema: Value) -> Result<Self, String> {
        if has_reference(&schema) {
            return Err("it has a member `$ref`".to_owned());
        }
        let validator = jsonschema::draft202012::options()
            .build(&schema)
            .map_err(|error| {
                let place = error.instance_path().to_string();
                match place.as_str() {
                    "" => "it is not a valid JSON Schema".to_owned(),
                    place => format!("it is not a valid JSON Schema at `{place}`"),
                }
            })?;
        Ok(Self(Arc::new(Compiled { schema, validator })))
    }

    /// Reads a schema that is written in the contract.
    pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let problem = |problem: String| {
            diagnostics.push(checks::fields::json_schema::invalid(&problem, yaml));
        };
        Self::new(yaml.to_json()).map_err(problem).ok()
    }

    /// Returns the schema.
    pub fn as_value(&self) -> &Value {
        &self.0.schema
    }

    /// Whether a value matches the schema.
    pub fn accepts(&self, value: &Value) -> bool {
        self.0.validator.is_valid(value)
    }

    /// Returns the rest of a sentence about the first violation. Values are not quoted: they may be
    /// private.
    pub(crate) fn violation(&self, value: &Value) -> Option<String> {
        let error = self.0.validator.iter_errors(value).next()?;
        let keyword = error.kind().keyword();
        Some(match error.instance_path().to_string().as_str() {
            "" => format!("must match `{keyword}` of its JSON Schema"),
            place => {
                format!("must match its JSON Schema, and does not match `{keyword}` at {place}")
            }
        })
    }
}

/// Whether a value has a member that is a reference, or that other programs take for one.
fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            Keyword::of(name) == Some(Keyword::Reference) || has_reference(value)
        }),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Form of the value of a keyword that restricts values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    /// A reference to a schema.
    Reference,
    /// A schema.
    Schema,
    /// A list of schemas.
    Schemas,
    /// Schemas by name.
    SchemasByName,
    /// Anything else, without schemas in it.
    Value,
}

impl Keyword {
    /// Returns the form of a keyword; `None` if it only describes values, or is unknown.
    pub(crate) fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "$ref" | "$dynamicRef" | "$recursiveRef" => Self::Reference,
            "items"
            | "additionalProperties"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties" => Self::Schema,
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => Self::Schemas,
            "properties" | "patternProperties" | "dependentSchemas" => Self::SchemasByName,
            "type" | "enum" | "const" | "minimum" | "maximum" | "exclusiveMinimum"
            | "exclusiveMaximum" | "multipleOf" | "minLength" | "maxLength" | "pattern"
            | "minItems" | "maxItems" | "uniqueItems" | "minContains" | "maxContains"
            | "minProperties" | "maxProperties" | "required" | "dependentRequired" => Self::Value,
            _ => return None,
        })
    }
}

impl PartialEq for RawSchema {
    fn eq(&self, other: &Self) -> bool {
        self.0.schema == other.0.schema
    }
}

impl Eq for RawSchema {}

impl fmt::Debug for RawSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.schema.fmt(f)
    }
}

impl Serialize for RawSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.schema.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_violations_without_the_value() {
        let schema = RawSchema::new(json!({"prefixItems": [{"type": "integer"}]})).unwrap();
        assert!(schema.accepts(&json!([1])));
        assert_eq!(schema.violation(&json!([1])), None);
        assert_eq!(
            schema.violation(&json!(["secret"])).as_deref(),
            Some("must match its JSON Schema, and does not match `type` at /0")
        );
    }

    #[test]
    fn rejects_references_and_invalid_schemas() {
        for schema in [
            json!({"items": {"$ref": "http://example.com/a.json"}}),
            json!({"$ref": "#"}),
            json!({"minLength": "three"}),
            json!({"pattern": "("}),
            json!({"enum": [{"$ref": "a"}]}),
            json!(3),
        ] {
            assert!(RawSchema::new(schema.clone()).is_err(), "{schema}");
        }
    }
}
