//! Decoder of fields: types, limits, defaults and privacy.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Location, Severity};

use crate::checks;
use crate::contract::Format;
use crate::fields::{Definition, Field, Limits, Privacy, Type};
use crate::ident::ident;
use crate::limits;
use crate::types::{parse_type, words};
use crate::value;
use crate::yaml::{Key, Value, Yaml};

/// Decoder of the fields of one contract.
pub(crate) struct FieldReader<'a> {
    format: Format,
    /// Names of the contract's definitions, in the order written.
    names: Vec<&'a str>,
    /// Set of the names, for lookups.
    defined: HashSet<&'a str>,
}

/// A type with the limits of its values.
struct LimitedType {
    ty: Type,
    limits: Limits,
    spelling: String,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(contract: &'a Yaml, format: Format) -> Self {
        let definitions = contract.get("definitions").map(Yaml::entries);
        let definitions = definitions.unwrap_or_default().iter();
        let read = definitions.filter(|(key, yaml)| {
            is_definition_name(&key.text)
                && (format == Format::Native || fields_of_definition(yaml).is_some())
        });
        let names: Vec<_> = read.map(|(key, _)| key.text.as_str()).collect();
        Self {
            format,
            defined: names.iter().copied().collect(),
            names,
        }
    }

    /// Reads the contract's definitions. Problems are reported for the native format only: in ONEX
    /// contracts, definitions repeat what models in Python state.
    pub(crate) fn definitions(
        &self,
        contract: &Yaml,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Definition> {
        let mut unreported = Vec::new();
        let diagnostics = match self.format {
            Format::Native => diagnostics,
            Format::Onex => &mut unreported,
        };
        let mut definitions = Vec::new();
        for (key, yaml) in contract
            .get("definitions")
            .map(Yaml::entries)
            .unwrap_or_default()
        {
            if !is_definition_name(&key.text) {
                diagnostics.push(checks::definitions::name::invalid(key));
            } else if self.defined.contains(key.text.as_str()) {
                let fields = fields_of_definition(yaml);
                let mut fields = fields.map_or_else(Vec::new, |fields| {
                    self.fields(fields, Privacy::Public, diagnostics)
                });
                // The list of names of JSON Schema; in a field itself, `required` is a boolean.
                if let Some(required) = yaml.get("required").filter(|names| names.is_sequence()) {
                    let names: HashSet<_> =
                        required.items().iter().filter_map(Yaml::as_str).collect();
                    for field in &mut fields {
                        field.required = names.contains(field.name.as_str());
                    }
                }
                definitions.push(Definition {
                    name: key.text.clone(),
                    ident: ident(&key.text),
                    description: text(yaml, "description"),
                    fields,
                    location: key.location,
                });
            }
        }
        definitions
    }

    /// Reads a mapping of field names to types or to `{type, required, default, …}`; in ONEX
    /// contracts also a list of `{name, type, …}` or of names.
    ///
    /// `privacy` is the default for fields that don't state it.
    pub(crate) fn fields(
        &self,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Field> {
        let listed = yaml.items().iter().filter_map(|item| {
            // A name alone is a field of any type.
            let name = if item.is_mapping() {
                item.get("name")?
            } else {
                item
            };
            let key = Key {
                text: name.as_str()?.to_owned(),
                location: name.location,
            };
            Some((key, item.is_mapping().then_some(item)))
        });
        let mapped = yaml
            .entries()
            .iter()
            .map(|(key, value)| (key.clone(), Some(value)));
        let nothing = Yaml {
            value: Value::Mapping(Vec::new()),
            location: yaml.location,
        };
        let fields: Vec<_> = mapped
            .chain(listed)
            .map(|(key, value)| self.field(&key, value.unwrap_or(&nothing), privacy, diagnostics))
            .collect();
        if self.format == Format::Native {
            checks::fields::renamed_from::check(&fields, yaml, diagnostics);
        }
        fields
    }

    fn field(
        &self,
        key: &Key,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Field {
        let limited = self.limited_type(yaml, diagnostics);
        // `default: null` also means that the field may be left out.
        let written = yaml.get_or_null("default");
        let default = written.map(Yaml::to_json);
        if let (Format::Native, Some(default), Some(written)) = (self.format, &default, written)
            && !default.is_null()
            && let Some(problem) =
                value::mismatch(&limited.ty, &limited.limits, default, &[], "the default")
        {
            diagnostics.push(checks::fields::default::mismatch(
                problem,
                written,
                &limited.ty,
            ));
        }
        Field {
            name: key.text.clone(),
            required: yaml
                .get("required")
                .and_then(Yaml::as_bool)
                .unwrap_or(default.is_none()),
            ty: limited.ty,
            limits: limited.limits,
            spelling: limited.spelling,
            default,
            renamed_from: text(yaml, "renamed_from"),
            description: text(yaml, "description"),
            privacy: match yaml.get("privacy").and_then(Yaml::as_str) {
                Some("public") => Privacy::Public,
                Some("private") => Privacy::Private,
                _ => privacy,
            },
            location: key.location,
        }
    }

    /// Reads a type, or a mapping of `type`, `items`, `enum`, `nullable` and limits.
    fn limited_type(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> LimitedType {
        if !yaml.is_mapping() {
            let (ty, spelling) = self.type_and_spelling(yaml, diagnostics);
            return LimitedType {
                ty,
                limits: Limits::default(),
                spelling,
            };
        }
        let (mut ty, spelling) = match yaml.get("type") {
            Some(declared) => self.type_and_spelling(declared, diagnostics),
            None => (Type::Any, "any".to_owned()),
        };
        let items = yaml.get("items").or_else(|| yaml.get("item_type"));
        let mut limits_of_items = None;
        if let (Some(items), Type::List(item)) = (items, &mut ty) {
            let limited = self.limited_type(items, diagnostics);
            **item = limited.ty;
            limits_of_items = (!limited.limits.is_empty()).then(|| Box::new(limited.limits));
        }
        if let Some(values) = yaml.get("enum") {
            self.restrict_to(&mut ty, values, diagnostics);
        }
        if yaml.get("nullable").and_then(Yaml::as_bool) == Some(true) {
            ty = ty.or_null();
        }
        let mut unreported = Vec::new();
        let diagnostics = match self.format {
            Format::Native => diagnostics,
            Format::Onex => &mut unreported,
        };
        let limits = Limits {
            items: limits_of_items,
            ..limits::read(yaml, &ty, diagnostics)
        };
        LimitedType {
            ty,
            limits,
            spelling,
        }
    }

    /// Restricts the type to a list of texts.
    fn restrict_to(&self, ty: &mut Type, values: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
        if values.items().is_empty() {
            return;
        }
        if !matches!(
            ty,
            Type::String | Type::Any | Type::Enum(_) | Type::Model(_)
        ) {
            if self.format == Format::Native {
                diagnostics.push(checks::fields::enumeration::not_text(ty, values));
            }
            return;
        }
        let mut texts: Vec<String> = Vec::new();
        let mut known = HashSet::new();
        for value in values.items() {
            let Some(text) = value.as_text() else {
                continue;
            };
            if self.format == Format::Native && value.as_str().is_none() {
                diagnostics.push(checks::fields::enumeration::unquoted(text, value));
            }
            if known.insert(text) {
                texts.push(text.to_owned());
            } else if self.format == Format::Native {
                diagnostics.push(checks::fields::enumeration::repeated(text, value));
            }
        }
        if !texts.is_empty() {
            *ty = Type::Enum(texts);
        }
    }

    /// Reads a type, and returns it with its normalised spelling. A list of types is a union.
    fn type_and_spelling(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> (Type, String) {
        let spelling = match &yaml.value {
            Value::Scalar(scalar) => scalar.text.split_whitespace().collect::<Vec<_>>().join(" "),
            Value::Sequence(items) => {
                let members = items.iter().map(|item| match &item.value {
                    Value::Scalar(scalar) => scalar.text.as_str(),
                    _ => "object",
                });
                members.collect::<Vec<_>>().join(" | ")
            }
            Value::Mapping(_) => return (Type::Map(Box::new(Type::Any)), "object".to_owned()),
        };
        // `enum` only states that a list of values follows, which is read with the field.
        let ty = if spelling == "enum" {
            Some(Type::Any)
        } else {
            parse_type(&spelling)
        };
        let Some(mut ty) = ty else {
            let known = words().chain(self.names.iter().copied());
            let mut diagnostic =
                checks::types::not_understood(&spelling, yaml.head(), known, diagnostics);
            if self.format == Format::Onex {
                diagnostic.severity = Severity::Warning;
            }
            diagnostics.push(diagnostic);
            return (Type::Any, spelling);
        };
        self.resolve(&mut ty, yaml.head(), diagnostics);
        (ty, spelling)
    }

    /// Replaces names of models by definitions, where the contract has them.
    fn resolve(&self, ty: &mut Type, location: Location, diagnostics: &mut Vec<Diagnostic>) {
        match ty {
            Type::List(item) | Type::Map(item) => self.resolve(item, location, diagnostics),
            Type::Union(members) => {
                for member in members {
                    self.resolve(member, location, diagnostics);
                }
            }
            Type::Model(name) if self.defined.contains(name.as_str()) => {
                *ty = Type::Defined(std::mem::take(name));
            }
            // The path of a module means that the model is defined elsewhere.
            Type::Model(name) if self.format == Format::Native && !name.contains('.') => {
                let known = self.names.iter().copied().chain(words());
                let diagnostic = checks::types::not_defined(name, location, known, diagnostics);
                diagnostics.push(diagnostic);
            }
            _ => {}
        }
    }
}

fn text(yaml: &Yaml, key: &str) -> Option<String> {
    yaml.get(key).and_then(Yaml::as_text).map(str::to_owned)
}

/// Whether types can refer to the name: `PascalCase`, and not a word for another type, as `UUID`.
fn is_definition_name(name: &str) -> bool {
    !name.contains('.') && parse_type(name) == Some(Type::Model(name.to_owned()))
}

/// Returns the fields of a definition: `fields`, or `properties` as in JSON Schema.
fn fields_of_definition(yaml: &Yaml) -> Option<&Yaml> {
    let fields = yaml.get("fields").or_else(|| yaml.get("properties"))?;
    (fields.is_mapping() || fields.is_sequence()).then_some(fields)
}

#[cfg(test)]
mod tests {
    use herald_diagnostics::{Source, SourceId};

    use super::*;

    #[test]
    fn reads_a_list_of_names_as_fields_of_any_type() {
        let source = Source::new("contract.yaml", "[order_id, {name: total, type: decimal}]");
        let mut diagnostics = Vec::new();
        let tree = crate::yaml::parse(SourceId(0), &source, &mut diagnostics).expect("a list");
        let fields =
            FieldReader::new(&tree, Format::Onex).fields(&tree, Privacy::Public, &mut diagnostics);
        let read: Vec<_> = fields
            .iter()
            .map(|f| (f.name.as_str(), f.ty.to_string()))
            .collect();
        assert_eq!(
            read,
            [
                ("order_id", "any".to_owned()),
                ("total", "decimal".to_owned())
            ]
        );
        assert!(diagnostics.is_empty());
    }
}
