//! Decoder of fields: types, limits, defaults and privacy.

use std::cell::{RefCell, RefMut};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use herald_diagnostics::{Diagnostic, Location, Severity};

use crate::checks;
use crate::contract::Format;
use crate::fields::{Definition, Field, Limits, Privacy, Scalar, Type, is_whole};
use crate::ident::ident;
use crate::json_schema::NamedSchemas;
use crate::limits;
use crate::payload::Surroundings;
use crate::raw_schema::RawSchema;
use crate::types::{parse_type, words};
use crate::value;
use crate::yaml::{Key, Value, Yaml};
use serde_json::Number;

/// Decoder of the fields of one contract.
pub(crate) struct FieldReader<'a> {
    format: Format,
    /// Names of the contract's definitions, in the order written.
    names: Vec<&'a str>,
    /// Names of groups of fields.
    defined: HashSet<&'a str>,
    /// Named types of single values.
    scalars: HashMap<&'a str, Scalar>,
    /// Problems of these.
    reported: Vec<Diagnostic>,
    /// Name of what the fields that are being read belong to, in `PascalCase`.
    owner: RefCell<String>,
    /// Definitions that fields declare without a name, or in a schema.
    more: RefCell<MoreDefinitions>,
    /// Schemas that have a name by now.
    named_schemas: RefCell<NamedSchemas>,
    /// Files and classes that payloads refer to.
    pub(crate) surroundings: Surroundings<'a>,
}

/// Definitions beside those that the contract names.
#[derive(Default)]
struct MoreDefinitions {
    groups: Vec<Definition>,
    scalars: Vec<Scalar>,
    /// Names of both.
    names: HashSet<String>,
    /// The last number behind a name that others have too.
    numbers: HashMap<String, usize>,
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
        let valid = definitions.filter(|(key, _)| is_definition_name(&key.text));
        let (scalars, groups): (Vec<_>, Vec<_>) = valid.partition(|(_, yaml)| is_scalar(yaml));
        let groups = groups
            .into_iter()
            .filter(|(_, yaml)| format == Format::Native || fields_of_definition(yaml).is_some());
        let defined: HashSet<&str> = groups.map(|(key, _)| key.text.as_str()).collect();
        let names = scalars.iter().map(|(key, _)| key.text.as_str());
        let mut reader = Self {
            format,
            names: names.chain(defined.iter().copied()).collect(),
            defined,
            scalars: HashMap::new(),
            reported: Vec::new(),
            owner: RefCell::default(),
            more: RefCell::default(),
            named_schemas: RefCell::default(),
            surroundings: Surroundings::default(),
        };
        let mut reported = Vec::new();
        for (key, yaml) in scalars {
            let scalar = reader.scalar(key, yaml, &mut reported);
            reader
                .scalars
                .extend(scalar.map(|it| (key.text.as_str(), it)));
        }
        if format == Format::Native {
            reader.reported = reported;
        }
        reader
    }

    /// Sets the places of files that payloads refer to.
    pub(crate) fn within(mut self, surroundings: Surroundings<'a>) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// Reads a named type of single values.
    fn scalar(&self, key: &Key, yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Scalar> {
        let limited = self.limited_type(&key.text, yaml, diagnostics);
        // The unknown values of an open enumeration are added where it is used.
        let ty = match limited.ty {
            Type::Union(mut members) => members.swap_remove(0),
            other => other,
        };
        if !ty.is_single() {
            diagnostics.push(checks::definitions::name::not_single(key, &ty));
            return None;
        }
        Some(Scalar {
            name: key.text.clone(),
            description: text(yaml, "description"),
            is_open: is_open(yaml) && matches!(ty, Type::Enum(_) | Type::Numbers(_)),
            ty,
            limits: limited.limits,
            location: key.location,
        })
    }

    /// Returns the named types of single values, in the order of the contract.
    pub(crate) fn scalars(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Scalar> {
        diagnostics.extend(self.reported.iter().cloned());
        let mut scalars: Vec<_> = self.scalars.values().cloned().collect();
        scalars.sort_by_key(|scalar| scalar.location.span.start);
        scalars.append(&mut self.more.borrow_mut().scalars);
        scalars
    }

    /// Returns a name that types can refer to.
    pub(crate) fn definition_name(wanted: &str) -> String {
        const MAX_LENGTH: usize = 100;
        if wanted.len() <= MAX_LENGTH && is_definition_name(wanted) {
            return wanted.to_owned();
        }
        let mut name = pascal_case(wanted);
        name.truncate(MAX_LENGTH);
        if is_definition_name(&name) {
            name
        } else {
            name + "Model"
        }
    }

    /// Adds a definition, and returns its index and its name: the wanted one, or one like it. Its
    /// fields follow with [`complete`](Self::complete).
    pub(crate) fn reserve(
        &self,
        wanted: &str,
        description: Option<&str>,
        location: Location,
    ) -> (usize, String) {
        let name = self.free_name(wanted);
        let groups = &mut self.more.borrow_mut().groups;
        groups.push(Definition {
            ident: ident(&name),
            name: name.clone(),
            description: description.map(str::to_owned),
            fields: Vec::new(),
            location,
        });
        (groups.len() - 1, name)
    }

    /// Sets the fields of a definition that was [reserved](Self::reserve).
    pub(crate) fn complete(&self, index: usize, fields: Vec<Field>) {
        self.more.borrow_mut().groups[index].fields = fields;
    }

    /// Adds a named type of single values, and returns it with its name: the wanted one, or one like
    /// it.
    pub(crate) fn add_scalar(&self, scalar: Scalar) -> Scalar {
        let name = self.free_name(&scalar.name);
        let scalar = Scalar { name, ..scalar };
        self.more.borrow_mut().scalars.push(scalar.clone());
        scalar
    }

    fn free_name(&self, wanted: &str) -> String {
        let wanted = Self::definition_name(wanted);
        let more = &mut *self.more.borrow_mut();
        let mut name = wanted.clone();
        while self.names.contains(&name.as_str()) || more.names.contains(&name) {
            let number = more.numbers.entry(wanted.clone()).or_insert(1);
            *number += 1;
            name = format!("{wanted}{number}");
        }
        more.names.insert(name.clone());
        name
    }

    /// Format of the contract.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Returns the schemas that have a name by now.
    pub(crate) fn named_schemas(&self) -> RefMut<'_, NamedSchemas> {
        self.named_schemas.borrow_mut()
    }

    /// Reads the fields of a part of the contract: `owner` names it.
    pub(crate) fn fields_of(
        &self,
        owner: &str,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Field> {
        let around = self.owner.replace(pascal_case(owner));
        let fields = self.fields(yaml, privacy, diagnostics);
        self.owner.replace(around);
        fields
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
                if fields.is_none() && yaml.is_mapping() {
                    diagnostics.push(checks::definitions::name::empty(key));
                }
                let mut fields = fields.map_or_else(Vec::new, |fields| {
                    self.fields_of(&key.text, fields, Privacy::Public, diagnostics)
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
        definitions.append(&mut self.more.borrow_mut().groups);
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
        let limited = self.limited_type(&key.text, yaml, diagnostics);
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

    /// Reads a type, or a mapping of `type`, `items`, `fields`, `enum`, `nullable` and limits.
    /// `name` is that of the field.
    fn limited_type(
        &self,
        name: &str,
        yaml: &Yaml,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> LimitedType {
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
            let limited = self.limited_type(name, items, diagnostics);
            **item = limited.ty;
            limits_of_items = (!limited.limits.is_empty()).then(|| Box::new(limited.limits));
        }
        if let Some(values) = yaml.get("enum") {
            self.restrict_to(&mut ty, values, diagnostics);
        }
        if let Some(fields) = yaml.get("fields").filter(|_| self.format == Format::Native) {
            self.nest(&mut ty, name, yaml, fields, diagnostics);
        }
        if is_open(yaml) {
            ty = ty.or_unknown();
        }
        if yaml.get("nullable").and_then(Yaml::as_bool) == Some(true) {
            ty = ty.or_null();
        }
        let mut unreported = Vec::new();
        let diagnostics = match self.format {
            Format::Native => diagnostics,
            Format::Onex => &mut unreported,
        };
        let json_schema = yaml.get("json_schema");
        let json_schema = json_schema.and_then(|written| RawSchema::read(written, diagnostics));
        let limits = Limits {
            items: limits_of_items,
            json_schema,
            ..limits::read(yaml, &ty, diagnostics)
        };
        LimitedType {
            ty,
            limits,
            spelling,
        }
    }

    /// Makes the type that of an object with these fields, which gets a name.
    fn nest(
        &self,
        ty: &mut Type,
        name: &str,
        field: &Yaml,
        fields: &Yaml,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if !matches!(ty, Type::Any | Type::Map(_)) {
            diagnostics.push(checks::fields::limit::not_object(ty, fields));
            return;
        }
        let wanted = format!("{}{}", self.owner.borrow(), pascal_case(name));
        let description = text(field, "description");
        let (index, name) = self.reserve(&wanted, description.as_deref(), fields.head());
        let fields = self.fields_of(&name, fields, Privacy::Public, diagnostics);
        self.complete(index, fields);
        *ty = Type::Defined(name);
    }

    /// Restricts the type to a list of texts or numbers.
    fn restrict_to(&self, ty: &mut Type, values: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
        if values.items().is_empty() {
            return;
        }
        if matches!(ty, Type::Integer | Type::Number) {
            restrict_to_numbers(ty, values, diagnostics);
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
                for member in members.iter_mut() {
                    self.resolve(member, location, diagnostics);
                }
                // Open enumerations are unions themselves.
                let flat = std::mem::take(members).into_iter();
                for member in flat.flat_map(|member| match member {
                    Type::Union(inner) => inner,
                    other => vec![other],
                }) {
                    if !members.contains(&member) {
                        members.push(member);
                    }
                }
            }
            Type::Model(name) if self.scalars.contains_key(name.as_str()) => {
                let scalar = &self.scalars[name.as_str()];
                *ty = Type::Scalar(Arc::new(scalar.clone()));
                if scalar.is_open {
                    *ty = std::mem::replace(ty, Type::Any).or_unknown();
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

/// Whether a definition is a named type of single values.
fn is_scalar(yaml: &Yaml) -> bool {
    let has = |key: &str| yaml.get(key).is_some();
    !has("fields")
        && !has("properties")
        && (has("type") || has("enum"))
        && yaml.get("type").and_then(Yaml::as_str) != Some("object")
}

fn is_open(yaml: &Yaml) -> bool {
    yaml.get("open").and_then(Yaml::as_bool) == Some(true)
}

/// A whole number without a decimal point: `1.0` is `1` in every language that tells the two apart.
pub(crate) fn whole_without_point(number: Number) -> Number {
    let text = number
        .as_f64()
        .filter(|_| number.is_f64() && is_whole(&number));
    let whole = text.and_then(|float| format!("{float:.0}").parse::<i64>().ok());
    whole.map_or(number, Number::from)
}

/// A name in `PascalCase`, with ASCII letters and digits only.
pub(crate) fn pascal_case(name: &str) -> String {
    let ident = ident(name);
    let parts = ident.split('_').filter(|part| !part.is_empty());
    let capitalised = parts.map(|part| {
        let (first, rest) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        format!("{}{rest}", first.to_uppercase())
    });
    let joined: String = capitalised.collect();
    let ascii: String = joined.chars().filter(char::is_ascii_alphanumeric).collect();
    if ascii.starts_with(|c: char| c.is_ascii_uppercase()) {
        ascii
    } else {
        format!("Object{ascii}")
    }
}

/// Returns the fields of a definition: `fields`, or `properties` as in JSON Schema.
fn fields_of_definition(yaml: &Yaml) -> Option<&Yaml> {
    let fields = yaml.get("fields").or_else(|| yaml.get("properties"))?;
    (fields.is_mapping() || fields.is_sequence()).then_some(fields)
}

/// Restricts the type to a list of numbers.
fn restrict_to_numbers(ty: &mut Type, values: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
    let mut numbers: Vec<Number> = Vec::new();
    for value in values.items() {
        let serde_json::Value::Number(number) = value.to_json() else {
            diagnostics.push(checks::fields::enumeration::not_a_number(value));
            continue;
        };
        if *ty == Type::Integer && !is_whole(&number) {
            diagnostics.push(checks::fields::enumeration::not_a_number(value));
        } else if numbers
            .iter()
            .any(|known| known.as_f64() == number.as_f64())
        {
            let text = number.to_string();
            diagnostics.push(checks::fields::enumeration::repeated(&text, value));
        } else {
            numbers.push(whole_without_point(number));
        }
    }
    if !numbers.is_empty() {
        *ty = Type::Numbers(numbers);
    }
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
