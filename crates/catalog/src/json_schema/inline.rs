//! Schemas without references, for parts that are kept as they are.

use serde_json::{Map, Value, json};

use super::pointer::Pointer;
use super::{MAX_DEPTH, SchemaReader, reference_of};
use crate::pattern;
use crate::raw_schema::Keyword;

/// Keywords by which a value is rejected because it matches another schema.
const NEGATIONS: [&str; 4] = ["not", "if", "oneOf", "contains"];

impl<'v> SchemaReader<'v, '_> {
    /// Returns a schema with its references replaced by what they refer to, and without keywords
    /// that only describe. Where it contains itself, any value matches.
    pub(super) fn inlined(&mut self, schema: &'v Value) -> Result<Value, String> {
        self.inlined_below(schema, &mut Vec::new())
    }

    fn inlined_below(
        &mut self,
        schema: &'v Value,
        around: &mut Vec<Pointer>,
    ) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > 2 * MAX_DEPTH {
            return Err(format!("it is more than {MAX_DEPTH} levels deep"));
        }
        let inlined = self.inlined_keywords(schema, around);
        self.depth -= 1;
        inlined
    }

    fn inlined_keywords(
        &mut self,
        schema: &'v Value,
        around: &mut Vec<Pointer>,
    ) -> Result<Value, String> {
        self.spend(16)?;
        let Value::Object(keywords) = schema else {
            return Ok(schema.clone());
        };
        let mut inlined = Map::new();
        let cuts_before = self.cuts;
        for (keyword, value) in keywords {
            let cuts = self.cuts;
            let value = match (Keyword::of(keyword), value) {
                (None | Some(Keyword::Reference), _) => continue,
                (Some(Keyword::Schema), value) => self.inlined_below(value, around)?,
                (Some(Keyword::Schemas), Value::Array(schemas)) => {
                    let schemas = schemas.iter();
                    let schemas = schemas.map(|schema| self.inlined_below(schema, around));
                    Value::Array(schemas.collect::<Result<_, _>>()?)
                }
                (Some(Keyword::SchemasByName), Value::Object(schemas)) => {
                    let mut by_name = Map::new();
                    for (name, schema) in schemas {
                        self.spend(name.len())?;
                        if keyword == "patternProperties" {
                            self.spend(pattern::effort(name))?;
                        }
                        by_name.insert(name.clone(), self.inlined_below(schema, around)?);
                    }
                    Value::Object(by_name)
                }
                (_, value) => {
                    self.spend(size(value))?;
                    if let ("pattern", Some(pattern)) = (keyword.as_str(), value.as_str()) {
                        self.spend(pattern::effort(pattern))?;
                    }
                    value.clone()
                }
            };
            // Where any value matches, these would reject more.
            if self.cuts == cuts || !NEGATIONS.contains(&keyword.as_str()) {
                inlined.insert(keyword.clone(), value);
            }
        }
        let Some(reference) = reference_of(keywords)? else {
            self.drop_unevaluated(&mut inlined, cuts_before);
            return Ok(Value::Object(inlined));
        };
        let target = if around.contains(&reference) {
            self.cuts += 1;
            json!({})
        } else {
            let schema = self.at(&reference)?;
            around.push(reference);
            let target = self.inlined_below(schema, around);
            around.pop();
            target?
        };
        self.drop_unevaluated(&mut inlined, cuts_before);
        if inlined.is_empty() {
            return Ok(target);
        }
        match inlined.get_mut("allOf") {
            Some(Value::Array(all)) => all.push(target),
            _ => _ = inlined.insert("allOf".to_owned(), json!([target])),
        }
        Ok(Value::Object(inlined))
    }

    /// Removes keywords that depend on what other keywords have seen, if these were cut.
    fn drop_unevaluated(&self, keywords: &mut Map<String, Value>, cuts_before: usize) {
        if self.cuts != cuts_before {
            keywords.retain(|keyword, _| !keyword.starts_with("unevaluated"));
        }
    }
}

/// Returns about how many bytes a value has.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 2,
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| name.len() + size(value))
                .sum::<usize>()
                + 2
        }
        _ => 8,
    }
}
