//! Types of schemas by their keywords: enumerations, unions, and the types of JSON.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value};

use super::inline::size;
use super::pointer::Pointer;
use super::{Keywords, SchemaReader, Typed, restrictions};
use crate::field_reader::whole_without_point;
use crate::fields::{Limits, Type, is_whole};
use crate::limits::has_one_form;
use crate::value;

/// Patterns that mean a decimal number as text: Herald's own, and those of pydantic.
const DECIMALS: [&str; 3] = [
    value::DECIMAL,
    r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$",
    r"^(?!^[-+.]*$)[+-]?0*\d+\.?\d*$",
];

/// Keywords that no type expresses, with the type of JSON that they apply to.
const UNEXPRESSED: [(&str, Option<&str>); 14] = [
    ("not", None),
    ("if", None),
    ("$dynamicRef", None),
    ("$recursiveRef", None),
    ("contains", Some("array")),
    ("unevaluatedItems", Some("array")),
    ("dependentSchemas", Some("object")),
    ("dependentRequired", Some("object")),
    ("propertyNames", Some("object")),
    ("patternProperties", Some("object")),
    ("unevaluatedProperties", Some("object")),
    ("minProperties", Some("object")),
    ("maxProperties", Some("object")),
    ("properties", Some("object")),
];

impl<'v> SchemaReader<'v, '_> {
    /// Returns the nearest type of keywords that apply to one value, of which none is a reference.
    pub(super) fn plain(
        &mut self,
        keywords: &'v Keywords,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        let kinds: Option<Vec<&str>> = match keywords.get("type") {
            None => None,
            Some(Value::String(kind)) => Some(vec![kind]),
            Some(Value::Array(kinds)) => Some(kinds.iter().filter_map(Value::as_str).collect()),
            Some(_) => return Ok(Typed::nearest(Type::Any, "its `type`")),
        };
        let mut typed = if let Some(values) = values(keywords) {
            self.spend(values.iter().map(|value| size(value)).sum())?;
            enumeration(&values, kinds.as_deref())
        } else if let Some((keyword, members)) = members(keywords) {
            let typed = self.members(keyword, members, keywords, place, owner)?;
            let only = |name: &str| name == keyword || name == "$ref" || name == "allOf";
            match restrictions(keywords).find(|name| !only(name)) {
                Some(beside) => Typed::nearest(typed.ty, format!("`{beside}` beside `{keyword}`")),
                None => typed,
            }
        } else if let Some(kinds) = &kinds {
            let mut types = Vec::new();
            for kind in kinds {
                types.push(self.kind(kind, keywords, place, owner)?);
            }
            if types.is_empty() {
                Typed::nearest(Type::Any, "its `type`")
            } else {
                Self::union(&types)
            }
        } else {
            match restrictions(keywords).find(|name| *name != "$ref" && *name != "allOf") {
                Some(keyword) => Typed::nearest(Type::Any, format!("`{keyword}` without a `type`")),
                None => Typed::exact(Type::Any),
            }
        };
        let applies = |kind: Option<&str>| {
            kind.is_none_or(|kind| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind)))
        };
        let unexpressed = UNEXPRESSED
            .iter()
            .find(|(keyword, kind)| keywords.contains_key(*keyword) && applies(*kind));
        if let Some((keyword, _)) = unexpressed {
            typed.lost = Some(format!("`{keyword}`"));
        }
        Ok(typed)
    }

    /// Returns the type of `anyOf` or `oneOf`.
    fn members(
        &mut self,
        keyword: &str,
        schemas: &'v [Value],
        keywords: &Keywords,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        let mut members = Vec::with_capacity(schemas.len());
        for (index, schema) in schemas.iter().enumerate() {
            self.spend(place.length() + owner.len())?;
            let place = place.then(keyword).then(&index.to_string());
            members.push(self.typed(schema, &place, owner)?);
        }
        if members.is_empty() {
            return Ok(Typed::nearest(Type::Any, format!("an empty `{keyword}`")));
        }
        let is_exclusive = keyword == "oneOf" && !keywords.contains_key("discriminator");
        let overlaps = is_exclusive && {
            let mut kinds: Vec<Kinds> = Vec::new();
            for (member, schema) in members.iter().zip(schemas) {
                kinds.push(self.kinds_of(&member.ty, schema)?);
            }
            overlap(&kinds)
        };
        let mut typed = Self::union(&members);
        if overlaps {
            let lost = "`oneOf` whose schemas may match the same value";
            typed.lost = typed.lost.or(Some(lost.to_owned()));
        }
        Ok(typed)
    }

    /// Returns the type of a schema with this `type`.
    fn kind(
        &mut self,
        kind: &str,
        keywords: &'v Keywords,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        Ok(match kind {
            "null" => Typed::exact(Type::Null),
            "boolean" => Typed::exact(Type::Boolean),
            "integer" => numbers(Type::Integer, keywords),
            "number" => numbers(Type::Number, keywords),
            "string" => {
                let pattern = keywords.get("pattern").and_then(Value::as_str);
                let is_portable = pattern.map(|it| self.is_portable(it)).transpose()?;
                texts(keywords, is_portable == Some(true))
            }
            "array" => self.list(keywords, place, owner)?,
            "object" => self.map(keywords, place, owner)?,
            _ => Typed::nearest(Type::Any, "its `type`"),
        })
    }

    fn list(
        &mut self,
        keywords: &'v Keywords,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        let mut limits = Limits::default();
        let mut lost = None;
        let mut size = |keyword: &str| match keywords.get(keyword).map(size_of) {
            None => None,
            Some(Some(size)) => Some(size),
            Some(None) => {
                lost = Some(format!("its `{keyword}`"));
                None
            }
        };
        limits.min_items = size("minItems");
        limits.max_items = size("maxItems");
        let items = match (keywords.get("prefixItems"), keywords.get("items")) {
            (None, None) => None,
            (None, Some(items)) => Some((items, place.then("items"))),
            (Some(prefix), items) => {
                // A tuple of one type is a list of a fixed length.
                let prefix = prefix.as_array().map(Vec::as_slice).unwrap_or_default();
                let length = u32::try_from(prefix.len()).ok();
                let ends = limits.max_items == length || items.is_some_and(|it| it == false);
                match prefix {
                    [first, rest @ ..]
                        if ends
                            && limits.min_items == length
                            && rest.iter().all(|it| it == first) =>
                    {
                        limits.max_items = length;
                        Some((first, place.then("prefixItems").then("0")))
                    }
                    _ => {
                        lost = Some("`prefixItems` of several types".to_owned());
                        None
                    }
                }
            }
        };
        let mut item = Type::Any;
        if let Some((schema, place)) = items {
            let typed = self.typed(schema, &place, owner)?;
            let of_items = self.limits(&typed, schema, &place)?;
            limits.items = (!of_items.is_empty()).then(|| Box::new(of_items));
            item = typed.ty;
        }
        match keywords.get("uniqueItems") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) if has_one_form(&item) => limits.unique_items = Some(true),
            Some(_) => lost = Some(format!("`uniqueItems` of {item}")),
        }
        Ok(Typed {
            ty: Type::List(Box::new(item)),
            limits,
            lost,
        })
    }

    fn map(
        &mut self,
        keywords: &'v Keywords,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        let keyword = "additionalProperties";
        let Some(schema) = keywords.get(keyword) else {
            return Ok(Typed::exact(Type::Map(Box::new(Type::Any))));
        };
        let typed = self.typed(schema, &place.then(keyword), owner)?;
        let lost = match typed.lost {
            None if !typed.limits.is_empty() => Some("limits of the values of a map".to_owned()),
            lost => lost,
        };
        Ok(Typed {
            lost,
            ..Typed::exact(Type::Map(Box::new(typed.ty)))
        })
    }

    fn kinds_of(&mut self, ty: &Type, schema: &'v Value) -> Result<Kinds, String> {
        let mut kinds = Kinds {
            json: json_kinds(ty),
            tags: HashMap::new(),
        };
        if let Type::Enum(texts) = ty.without_name() {
            let texts = texts
                .iter()
                .map(|text| Value::from(text.as_str()).to_string());
            kinds.tags.insert(None, vec![texts.collect()]);
        }
        for part in self.parts(schema)? {
            let properties = part.get("properties").and_then(Value::as_object);
            let required: HashSet<&str> = super::required_names(part).collect();
            for (name, schema) in properties.into_iter().flatten() {
                let tags = schema.as_object().and_then(values);
                if let Some(tags) = tags.filter(|_| required.contains(name.as_str())) {
                    let tags = tags.into_iter().map(Value::to_string).collect();
                    let of_name = kinds.tags.entry(Some(name.clone())).or_default();
                    of_name.push(tags);
                }
            }
        }
        Ok(kinds)
    }
}

/// Values that a schema may match, as far as it is easily known.
struct Kinds {
    /// Types of JSON, one bit for each.
    json: u8,
    /// Possible values, as JSON, of properties that always are there, or of the value itself.
    tags: HashMap<Option<String>, Vec<HashSet<String>>>,
}

/// Maximum number of schemas that are compared in pairs.
const MAX_COMPARED: usize = 200;

/// Whether two of these may match the same value.
fn overlap(kinds: &[Kinds]) -> bool {
    let are_distinct = |one: &Kinds, other: &Kinds| {
        let differ_by_tag = one.tags.iter().any(|(name, values)| {
            let others = other.tags.get(name).into_iter().flatten();
            others
                .flat_map(|others| values.iter().map(move |values| (values, others)))
                .any(|(values, others)| values.is_disjoint(others))
        });
        one.json & other.json == 0 || differ_by_tag
    };
    kinds.len() > MAX_COMPARED
        || kinds
            .iter()
            .enumerate()
            .any(|(at, one)| kinds[..at].iter().any(|other| !are_distinct(one, other)))
}

/// Returns the types of JSON that values of a type have, one bit for each.
fn json_kinds(ty: &Type) -> u8 {
    match ty {
        Type::Any | Type::Model(_) => 63,
        Type::Null => 1,
        Type::Boolean => 2,
        Type::Integer | Type::Number | Type::Numbers(_) => 4,
        Type::String
        | Type::Uuid
        | Type::DateTime
        | Type::Date
        | Type::Decimal
        | Type::Bytes
        | Type::Duration
        | Type::Enum(_) => 8,
        Type::List(_) => 16,
        Type::Map(_) | Type::Defined(_) => 32,
        Type::Scalar(scalar) => json_kinds(&scalar.ty),
        Type::Union(members) => members.iter().fold(0, |all, ty| all | json_kinds(ty)),
    }
}

/// Returns the values of `const` or `enum`.
fn values(keywords: &Keywords) -> Option<Vec<&Value>> {
    match (keywords.get("const"), keywords.get("enum")) {
        (Some(value), None) => Some(vec![value]),
        (None, Some(Value::Array(values))) => Some(values.iter().collect()),
        _ => None,
    }
}

fn members(keywords: &Keywords) -> Option<(&'static str, &[Value])> {
    ["anyOf", "oneOf"].into_iter().find_map(|keyword| {
        let members = keywords.get(keyword)?.as_array()?;
        Some((keyword, members.as_slice()))
    })
}

/// Returns the type of some values.
fn enumeration(values: &[&Value], kinds: Option<&[&str]>) -> Typed {
    let is_of_kind = |value: &Value| {
        kinds.is_none_or(|kinds| {
            kinds.iter().any(|kind| match (*kind, value) {
                ("null", Value::Null)
                | ("boolean", Value::Bool(_))
                | ("number", Value::Number(_))
                | ("string", Value::String(_))
                | ("array", Value::Array(_))
                | ("object", Value::Object(_)) => true,
                ("integer", Value::Number(number)) => is_whole(number),
                _ => false,
            })
        })
    };
    let values: Vec<&Value> = values
        .iter()
        .copied()
        .filter(|value| is_of_kind(value))
        .collect();
    let mut texts: Vec<String> = Vec::new();
    let mut numbers: Vec<Number> = Vec::new();
    let mut booleans = [false; 2];
    let mut has_null = false;
    let mut seen = HashSet::new();
    let mut seen_numbers = HashSet::new();
    for value in values {
        if !seen.insert(value.to_string()) {
            continue;
        }
        match value {
            Value::Null => has_null = true,
            Value::Bool(value) => booleans[usize::from(*value)] = true,
            Value::Number(number) => {
                let number = whole_without_point(number.clone());
                // Adding zero makes -0.0 the same as 0.0.
                let bits = number.as_f64().map(|number| (number + 0.0).to_bits());
                if seen_numbers.insert(bits) {
                    numbers.push(number);
                }
            }
            Value::String(text) => texts.push(text.clone()),
            Value::Array(_) | Value::Object(_) => {
                return Typed::nearest(Type::Any, "lists or objects in an enumeration");
            }
        }
    }
    let mut types = Vec::new();
    types.extend((!texts.is_empty()).then(|| Type::Enum(texts)));
    types.extend((!numbers.is_empty()).then(|| Type::Numbers(numbers)));
    types.extend(booleans.contains(&true).then_some(Type::Boolean));
    types.extend(has_null.then_some(Type::Null));
    let ty = match types.len() {
        0 => return Typed::nearest(Type::Any, "an empty enumeration"),
        1 => types.swap_remove(0),
        _ => Type::Union(types),
    };
    if booleans[0] == booleans[1] {
        Typed::exact(ty)
    } else {
        Typed::nearest(ty, "only one boolean")
    }
}

fn numbers(ty: Type, keywords: &Keywords) -> Typed {
    let is_whole_type = ty == Type::Integer;
    let mut typed = Typed::exact(ty);
    let mut number = |keyword: &str, only_whole: bool| {
        let written = keywords.get(keyword)?;
        let number = written.as_number().and_then(|number| {
            if !only_whole {
                return Some(number.clone());
            }
            let number = whole_without_point(number.clone());
            (!number.is_f64()).then_some(number)
        });
        if number.is_none() {
            typed.lost = Some(format!("its `{keyword}`"));
        }
        number
    };
    let limits = Limits {
        minimum: number("minimum", is_whole_type),
        maximum: number("maximum", is_whole_type),
        exclusive_minimum: number("exclusiveMinimum", is_whole_type),
        exclusive_maximum: number("exclusiveMaximum", is_whole_type),
        multiple_of: number("multipleOf", true),
        ..Limits::default()
    };
    let is_step = |number: &Number| is_whole_type && number.as_u64().is_some_and(|step| step > 0);
    if limits
        .multiple_of
        .as_ref()
        .is_some_and(|number| !is_step(number))
    {
        typed.lost = Some("its `multipleOf`".to_owned());
        typed.limits = Limits {
            multiple_of: None,
            ..limits
        };
    } else {
        typed.limits = limits;
    }
    typed
}

fn texts(keywords: &Keywords, is_portable: bool) -> Typed {
    let text = |keyword: &str| keywords.get(keyword).and_then(Value::as_str);
    let pattern = text("pattern");
    let form = match (text("format"), text("contentEncoding"), pattern) {
        (_, Some("base64"), None | Some(value::BASE64)) => Type::Bytes,
        (Some("uuid"), None, None) => Type::Uuid,
        (Some("date-time"), None, None) => Type::DateTime,
        (Some("date"), None, None) => Type::Date,
        (Some("duration"), None, None) | (_, None, Some(value::DURATION)) => Type::Duration,
        (Some("decimal"), None, None) => Type::Decimal,
        (_, None, Some(pattern)) if DECIMALS.contains(&pattern) => Type::Decimal,
        _ => Type::String,
    };
    let mut typed = Typed::exact(form);
    let mut lost = None;
    let mut size = |keyword: &str| {
        let size = size_of(keywords.get(keyword)?);
        if size.is_none() {
            lost = Some(format!("its `{keyword}`"));
        }
        size
    };
    let limits = Limits {
        min_length: size("minLength"),
        max_length: size("maxLength"),
        ..Limits::default()
    };
    typed.lost = lost;
    if typed.ty == Type::String {
        typed.limits = limits;
        match keywords.get("pattern") {
            Some(Value::String(pattern)) if is_portable => {
                typed.limits.pattern = Some(pattern.clone());
            }
            Some(_) => {
                typed.lost =
                    Some("a `pattern` that not all languages read in the same way".to_owned());
            }
            None => {}
        }
    } else if !limits.is_empty() {
        typed.lost = Some(format!("the length of {}", typed.ty));
    }
    typed
}

/// Returns a number of characters or items.
fn size_of(value: &Value) -> Option<u32> {
    let number = whole_without_point(value.as_number()?.clone());
    number.as_u64().and_then(|size| u32::try_from(size).ok())
}
