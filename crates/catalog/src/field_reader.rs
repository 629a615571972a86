//! Fields as contracts describe them: their types, limits, defaults and privacy.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Location};

use crate::contract::Format;
use crate::fields::{Definition, Field, Limits, Privacy, Type};
use crate::ident::ident;
use crate::limits;
use crate::rules;
use crate::text::{did_you_mean, quote};
use crate::types::{parse_type, words};
use crate::value;
use crate::yaml::{Key, Value, Yaml};

/// Reads the fields of one contract.
pub(crate) struct FieldReader<'a> {
    format: Format,
    /// Names of the contract's definitions, as written and to look them up.
    names: Vec<&'a str>,
    defined: HashSet<&'a str>,
}

/// A type with what else is said of its values.
struct Described {
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

    /// Reads the contract's definitions. Only those of the native format are held to its rules:
    /// in ONEX contracts they repeat what models in Python say.
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
                diagnostics.push(no_definition_name(key));
            } else if self.defined.contains(key.text.as_str()) {
                let fields = fields_of_definition(yaml);
                let mut fields = fields.map_or_else(Vec::new, |fields| {
                    self.fields(fields, Privacy::Public, diagnostics)
                });
                // As JSON Schema says it; in fields themselves it is true or false.
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
    /// `privacy` is what holds where the field does not say it.
    pub(crate) fn fields(
        &self,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Field> {
        let listed = yaml.items().iter().filter_map(|item| {
            // Only a name is a field of which nothing is known.
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
        mapped
            .chain(listed)
            .map(|(key, value)| self.field(&key, value.unwrap_or(&nothing), privacy, diagnostics))
            .collect()
    }

    fn field(
        &self,
        key: &Key,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Field {
        let described = self.described(yaml, diagnostics);
        // `default: null` says that it may be left out, too.
        let written = yaml.get_or_null("default");
        let default = written.map(Yaml::to_json);
        if let (Format::Native, Some(default), Some(written)) = (self.format, &default, written)
            && !default.is_null()
            && let Some(problem) = value::mismatch(
                &described.ty,
                &described.limits,
                default,
                &[],
                "the default",
            )
        {
            diagnostics.push(default_does_not_fit(problem, written, &described.ty));
        }
        Field {
            name: key.text.clone(),
            required: yaml
                .get("required")
                .and_then(Yaml::as_bool)
                .unwrap_or(default.is_none()),
            ty: described.ty,
            limits: described.limits,
            spelling: described.spelling,
            default,
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
    fn described(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Described {
        if !yaml.is_mapping() {
            let (ty, spelling) = self.spelled(yaml, diagnostics);
            return Described {
                ty,
                limits: Limits::default(),
                spelling,
            };
        }
        let (mut ty, spelling) = match yaml.get("type") {
            Some(declared) => self.spelled(declared, diagnostics),
            None => (Type::Any, "any".to_owned()),
        };
        let items = yaml.get("items").or_else(|| yaml.get("item_type"));
        let mut limits_of_items = None;
        if let (Some(items), Type::List(item)) = (items, &mut ty) {
            let described = self.described(items, diagnostics);
            **item = described.ty;
            limits_of_items = (!described.limits.is_empty()).then(|| Box::new(described.limits));
        }
        if let Some(values) = yaml.get("enum") {
            self.take_values(&mut ty, values, diagnostics);
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
        Described {
            ty,
            limits,
            spelling,
        }
    }

    /// Makes the type one of these texts.
    fn take_values(&self, ty: &mut Type, values: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
        if values.items().is_empty() {
            return;
        }
        if !matches!(
            ty,
            Type::String | Type::Any | Type::Enum(_) | Type::Model(_)
        ) {
            if self.format == Format::Native {
                diagnostics.push(
                    Diagnostic::new(
                        &rules::FIELD_ENUM,
                        format!(
                            "`enum` lists texts, and the field is {}; any value of it will do",
                            quote(&ty.to_string())
                        ),
                    )
                    .at(values.head())
                    .help("make the type `string`, or remove the list"),
                );
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
                diagnostics.push(
                    Diagnostic::new(
                        &rules::FIELD_ENUM,
                        format!(
                            "{} is {}; it is taken as text",
                            quote(text),
                            value.describe()
                        ),
                    )
                    .at(value.location)
                    .help(format!("put it in quotes: \"{text}\"")),
                );
            }
            if known.insert(text) {
                texts.push(text.to_owned());
            } else if self.format == Format::Native {
                diagnostics.push(
                    Diagnostic::new(
                        &rules::FIELD_ENUM,
                        format!("{} is listed twice", quote(text)),
                    )
                    .at(value.location)
                    .help("remove one of the two"),
                );
            }
        }
        if !texts.is_empty() {
            *ty = Type::Enum(texts);
        }
    }

    /// Reads a type and gives back how it is spelled. A list of types is a union.
    fn spelled(&self, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> (Type, String) {
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
        // `enum` says that values follow; they are read where they stand.
        let ty = if spelling == "enum" {
            Some(Type::Any)
        } else {
            parse_type(&spelling)
        };
        let Some(mut ty) = ty else {
            let diagnostic = self.not_understood(&spelling, yaml.head(), diagnostics);
            diagnostics.push(diagnostic);
            return (Type::Any, spelling);
        };
        self.resolve(&mut ty, yaml.head(), diagnostics);
        (ty, spelling)
    }

    /// Tells definitions of the contract from models that it only names.
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
            // A path of modules says that the model is somewhere else.
            Type::Model(name) if self.format == Format::Native && !name.contains('.') => {
                diagnostics.push(self.not_defined(name, location, diagnostics));
            }
            _ => {}
        }
    }

    fn not_understood(
        &self,
        spelling: &str,
        location: Location,
        diagnostics: &[Diagnostic],
    ) -> Diagnostic {
        let words = words().chain(self.names.iter().copied());
        let help = did_you_mean(spelling, words, diagnostics).unwrap_or_else(|| {
            "say what it is in `description` and give it a type such as `string`".to_owned()
        });
        Diagnostic::new(
            &rules::TYPE_UNKNOWN,
            format!(
                "the type {} is not understood; any value will do",
                quote(spelling)
            ),
        )
        .at(location)
        .help(help)
    }

    fn not_defined(
        &self,
        name: &str,
        location: Location,
        diagnostics: &[Diagnostic],
    ) -> Diagnostic {
        let names = self.names.iter().copied().chain(words());
        let help = did_you_mean(name, names, diagnostics).unwrap_or_else(|| {
            "add it to `definitions`, or name a model of your code with its module: `shop.Order`"
                .to_owned()
        });
        Diagnostic::new(
            &rules::TYPE_NOT_DEFINED,
            format!("there is no definition {}; any value will do", quote(name)),
        )
        .at(location)
        .help(help)
    }
}

fn text(yaml: &Yaml, key: &str) -> Option<String> {
    yaml.get(key).and_then(Yaml::as_text).map(str::to_owned)
}

/// Whether types can name it: `PascalCase`, and no word for something else, as `UUID` is.
fn is_definition_name(name: &str) -> bool {
    !name.contains('.') && parse_type(name) == Some(Type::Model(name.to_owned()))
}

fn no_definition_name(key: &Key) -> Diagnostic {
    let name = quote(&key.text);
    let (message, help) = match parse_type(&key.text) {
        Some(ty) if !matches!(ty, Type::Model(_)) => (
            format!("{name} is a word for the type {}", quote(&ty.to_string())),
            "give the definition another name".to_owned(),
        ),
        _ => (
            format!("{name} is no name of a definition"),
            "begin it with an uppercase letter; only ASCII letters, digits and `_` may follow"
                .to_owned(),
        ),
    };
    Diagnostic::new(&rules::DEFINITION_NAME, message)
        .at(key.location)
        .help(help)
}

/// Where the fields of a definition are: `fields`, or `properties` as in JSON Schema.
fn fields_of_definition(yaml: &Yaml) -> Option<&Yaml> {
    let fields = yaml.get("fields").or_else(|| yaml.get("properties"))?;
    (fields.is_mapping() || fields.is_sequence()).then_some(fields)
}

fn default_does_not_fit(problem: String, written: &Yaml, ty: &Type) -> Diagnostic {
    let plain = written.as_text().filter(|_| written.as_str().is_none());
    let takes_text = value::mismatch(
        ty,
        &Limits::default(),
        &plain.unwrap_or_default().into(),
        &[],
        "",
    );
    let help = match (plain, takes_text) {
        (Some(text), None) if text.len() <= 40 => format!("put it in quotes: \"{text}\""),
        _ => "change the default, or the type".to_owned(),
    };
    Diagnostic::new(&rules::FIELD_DEFAULT, problem)
        .at(written.head())
        .help(help)
}

#[cfg(test)]
mod tests {
    use herald_diagnostics::{Source, SourceId};

    use super::*;

    #[test]
    fn a_list_of_names_is_fields_of_any_type() {
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
