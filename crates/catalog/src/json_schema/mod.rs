//! Reader of JSON Schemas (draft 2020-12) as fields, definitions and limits.
//!
//! A part that contracts can't express becomes the nearest type, and is kept as [`RawSchema`] beside
//! it, so that values are validated by all of the schema. References are followed within their
//! document only.

mod inline;
mod kinds;
mod pointer;
mod same;

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use herald_diagnostics::Location;
use serde_json::{Map, Number, Value};

use crate::field_reader::FieldReader;
use crate::fields::{Field, Limits, Privacy, Scalar, Type};
use crate::limits;
use crate::pattern;
use crate::raw_schema::{Keyword, RawSchema};
use crate::value;

use pointer::Pointer;
use same::are_same;

/// Effort that one reference may take, about a byte of a schema for each.
const MAX_EFFORT: usize = 8 << 20;
/// Maximum depth of schemas in each other.
const MAX_DEPTH: usize = 64;
/// Maximum number of schemas of one name that are compared.
const MAX_ALIKE: usize = 16;
/// Maximum number of types in a union.
const MAX_MEMBERS: usize = 500;

/// JSON document with schemas.
#[derive(Debug)]
pub(crate) struct Document {
    /// Name in messages, unique in a run.
    pub(crate) name: String,
    /// The content.
    pub(crate) root: Arc<Value>,
}

/// Schemas with a name of their own that were read already.
#[derive(Debug, Default)]
pub(crate) struct NamedSchemas {
    schemas: Vec<NamedSchema>,
    /// Their indices by document and place.
    by_place: HashMap<(String, String), usize>,
    /// Their indices by the name that each would have without others.
    by_name: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct NamedSchema {
    document: Rc<Document>,
    place: String,
    ty: Type,
    /// The part of the schema that the type does not express.
    lost: Option<String>,
}

/// Fields of a schema.
#[derive(Debug, Default)]
pub(crate) struct ReadSchema {
    pub(crate) fields: Vec<Field>,
    /// The whole schema, where the fields don't express all of it.
    pub(crate) rest: Option<RawSchema>,
    /// Parts that are kept as schema.
    pub(crate) kept: Vec<Kept>,
}

/// Part of a schema that contracts can't express.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Place in its document, as fragment of a URI.
    pub(crate) place: String,
    /// The keyword or the combination that contracts have no type for.
    pub(crate) what: String,
    /// The nearest type.
    pub(crate) ty: String,
}

/// The nearest type of a schema.
struct Typed {
    ty: Type,
    limits: Limits,
    /// The part of the schema that type and limits do not express.
    lost: Option<String>,
}

impl Typed {
    fn exact(ty: Type) -> Self {
        Self {
            ty,
            limits: Limits::default(),
            lost: None,
        }
    }

    fn nearest(ty: Type, lost: impl Into<String>) -> Self {
        Self {
            lost: Some(lost.into()),
            ..Self::exact(ty)
        }
    }
}

/// Keywords that apply beside each other.
type Keywords = Map<String, Value>;

/// Keywords that no value matches.
static NOTHING: LazyLock<Keywords> =
    LazyLock::new(|| Map::from_iter([("not".to_owned(), Value::Bool(true))]));

/// Reads the schema at a place of a document as fields. `owner` names what they belong to, and
/// `location` is the place of the reference in the contract.
///
/// # Errors
/// The reason why the schema can't be read.
pub(crate) fn read(
    document: &Rc<Document>,
    fragment: &str,
    fields: &FieldReader<'_>,
    (owner, privacy, location): (&str, Privacy, Location),
) -> Result<ReadSchema, String> {
    let mut reader = SchemaReader {
        document,
        names: fields,
        location,
        open: VecDeque::new(),
        following: Vec::new(),
        kept: Vec::new(),
        kept_places: HashSet::new(),
        patterns: HashMap::new(),
        effort: MAX_EFFORT,
        depth: 0,
        cuts: 0,
    };
    let start = Pointer::parse(fragment)?;
    let mut read = reader.payload(start, owner, privacy)?;
    reader.definitions()?;
    read.kept = reader.kept;
    Ok(read)
}

struct SchemaReader<'v, 'f> {
    document: &'v Rc<Document>,
    names: &'v FieldReader<'f>,
    location: Location,
    /// Definitions whose fields are not read yet: their index, and their place in the document.
    open: VecDeque<(usize, String, Pointer)>,
    /// References to types without a name that are being followed.
    following: Vec<Pointer>,
    kept: Vec<Kept>,
    kept_places: HashSet<String>,
    /// Patterns that were checked: whether all languages read them in the same way.
    patterns: HashMap<&'v str, bool>,
    effort: usize,
    depth: usize,
    /// Number of references that were not followed again.
    cuts: usize,
}

impl<'v> SchemaReader<'v, '_> {
    fn payload(
        &mut self,
        start: Pointer,
        owner: &str,
        privacy: Privacy,
    ) -> Result<ReadSchema, String> {
        let (place, schema) = self.followed(start)?;
        let parts = self.parts(schema)?;
        let mut read = ReadSchema::default();
        let lost = if is_object(&parts) {
            read.fields = self.fields(&parts, &place, owner, privacy)?;
            object_loss(&parts)
        } else {
            Some("a payload that is not an object with properties".to_owned())
        };
        if let Some(what) = lost {
            let schema = self.inlined(schema)?;
            read.rest = Some(raw(schema, &place)?);
            let ty = if read.fields.is_empty() {
                "any"
            } else {
                "the properties"
            };
            self.keep(&place, what, ty.to_owned());
        }
        Ok(read)
    }

    /// Reads the fields of the definitions that were referred to, and of those that they refer to.
    fn definitions(&mut self) -> Result<(), String> {
        while let Some((index, name, place)) = self.open.pop_front() {
            let schema = self.at(&place)?;
            let parts = self.parts(schema)?;
            let fields = self.fields(&parts, &place, &name, Privacy::Public)?;
            self.names.complete(index, fields);
        }
        Ok(())
    }

    fn at(&self, place: &Pointer) -> Result<&'v Value, String> {
        place.find(&self.document.root)
    }

    /// Follows references that say nothing else, to a schema that does.
    fn followed(&mut self, start: Pointer) -> Result<(Pointer, &'v Value), String> {
        let mut place = start;
        let mut seen = HashSet::new();
        loop {
            let schema = self.at(&place)?;
            let Some(next) = only_reference(schema)? else {
                return Ok((place, schema));
            };
            self.spend(16)?;
            if !seen.insert(place.to_string()) {
                return Err(format!("the reference at `{place}` leads to itself"));
            }
            place = next;
        }
    }

    fn spend(&mut self, effort: usize) -> Result<(), String> {
        self.effort = self
            .effort
            .checked_sub(effort)
            .ok_or("it is too large, or refers to one part too often")?;
        Ok(())
    }

    /// Returns the keywords that apply to one value: those of the schema, of `allOf`, and of
    /// a reference beside others.
    fn parts(&mut self, schema: &'v Value) -> Result<Vec<&'v Keywords>, String> {
        let mut parts = Vec::new();
        let mut open = vec![(schema, 0_usize)];
        while let Some((schema, depth)) = open.pop() {
            self.spend(16)?;
            if depth > MAX_DEPTH {
                return Err(format!("`allOf` is more than {MAX_DEPTH} levels deep"));
            }
            let keywords = match schema {
                Value::Object(keywords) => keywords,
                Value::Bool(true) => continue,
                _ => {
                    parts.push(&*NOTHING);
                    continue;
                }
            };
            if let Some(reference) = reference_of(keywords)? {
                open.push((self.at(&reference)?, depth + 1));
            }
            let all = keywords.get("allOf").and_then(Value::as_array);
            open.extend(all.into_iter().flatten().rev().map(|one| (one, depth + 1)));
            let own = |keyword: &String| {
                keyword != "$ref" && keyword != "allOf" && Keyword::of(keyword).is_some()
            };
            if keywords.keys().any(own) || keywords.get("allOf").is_some_and(|it| !it.is_array()) {
                parts.push(keywords);
            }
        }
        Ok(parts)
    }

    /// Whether all languages read a pattern in the same way.
    fn is_portable(&mut self, pattern: &'v str) -> Result<bool, String> {
        if let Some(known) = self.patterns.get(pattern) {
            return Ok(*known);
        }
        self.spend(pattern::effort(pattern))?;
        let is_portable = pattern::check_portable(pattern).is_ok();
        self.patterns.insert(pattern, is_portable);
        Ok(is_portable)
    }

    /// Reads the properties of an object.
    fn fields(
        &mut self,
        parts: &[&'v Keywords],
        place: &Pointer,
        owner: &str,
        privacy: Privacy,
    ) -> Result<Vec<Field>, String> {
        let required: HashSet<&str> = parts.iter().copied().flat_map(required_names).collect();
        let mut fields: Vec<Field> = Vec::new();
        let mut names = HashSet::new();
        for part in parts {
            let properties = part.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if names.insert(name.as_str()) {
                    self.spend(place.length() + owner.len())?;
                    let place = place.then("properties").then(name);
                    let is_required = required.contains(name.as_str());
                    let field = self.field(name, schema, &place, is_required, owner)?;
                    fields.push(Field { privacy, ..field });
                }
            }
        }
        for name in parts.iter().copied().flat_map(required_names) {
            if names.insert(name) {
                self.spend(place.length() + owner.len())?;
                let place = place.then("properties").then(name);
                let field = self.field(name, &Value::Bool(true), &place, true, owner)?;
                fields.push(Field { privacy, ..field });
            }
        }
        Ok(fields)
    }

    fn field(
        &mut self,
        name: &str,
        schema: &'v Value,
        place: &Pointer,
        required: bool,
        owner: &str,
    ) -> Result<Field, String> {
        let description = schema.get("description").and_then(Value::as_str);
        self.spend(name.len() + description.map_or(0, str::len))?;
        let typed = self.typed(schema, place, &format!("{owner}.{name}"))?;
        let mut limits = self.limits(&typed, schema, place)?;
        let default = schema.get("default").filter(|it| required || !it.is_null());
        let default = default
            .filter(|it| value::mismatch(&typed.ty, &Limits::default(), it, &[], "").is_none());
        let mut ty = typed.ty;
        // A field that may be left out may be null without saying so.
        if !required && default.is_none() {
            ty = without_null(ty);
            let schema = limits.json_schema.take();
            limits.json_schema = match schema {
                Some(schema) => Some(without_null_schema(schema)?),
                None => None,
            };
        }
        Ok(Field {
            name: name.to_owned(),
            spelling: ty.to_string(),
            ty,
            required,
            limits,
            default: default.cloned(),
            renamed_from: None,
            description: description.map(str::to_owned),
            privacy: Privacy::Public,
            location: self.location,
        })
    }

    /// Returns the limits of a type, with the schema where they don't express all of it.
    fn limits(
        &mut self,
        typed: &Typed,
        schema: &'v Value,
        place: &Pointer,
    ) -> Result<Limits, String> {
        let mut limits = typed.limits.clone();
        if let Some(what) = &typed.lost {
            let inlined = self.inlined(schema)?;
            limits.json_schema = Some(raw(inlined, place)?);
            self.keep(place, what.clone(), typed.ty.to_string());
        }
        Ok(limits)
    }

    fn keep(&mut self, place: &Pointer, what: String, ty: String) {
        let place = place.to_string();
        // A type without a name is read wherever it is used.
        if self.kept_places.insert(place.clone()) {
            self.kept.push(Kept { place, what, ty });
        }
    }

    /// Returns the nearest type of a schema. `owner` names what it belongs to.
    fn typed(&mut self, schema: &'v Value, place: &Pointer, owner: &str) -> Result<Typed, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("`{place}` is more than {MAX_DEPTH} levels deep"));
        }
        let typed = self.typed_below(schema, place, owner);
        self.depth -= 1;
        typed
    }

    fn typed_below(
        &mut self,
        schema: &'v Value,
        place: &Pointer,
        owner: &str,
    ) -> Result<Typed, String> {
        self.spend(16)?;
        let keywords = match schema {
            Value::Bool(true) => return Ok(Typed::exact(Type::Any)),
            Value::Object(keywords) => keywords,
            _ => return Ok(Typed::nearest(Type::Any, "a schema that no value matches")),
        };
        if let Some(reference) = only_reference(schema)? {
            return self.reference(reference);
        }
        if let Some([only]) = keywords
            .get("allOf")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            && restrictions(keywords).all(|keyword| keyword == "allOf")
        {
            return self.typed(only, &place.then("allOf").then("0"), owner);
        }
        let parts = self.parts(schema)?;
        if is_object(&parts) {
            let description = schema.get("description").and_then(Value::as_str);
            let (index, name) = self.names.reserve(owner, description, self.location);
            let fields = self.fields(&parts, place, &name, Privacy::Public)?;
            self.names.complete(index, fields);
            return Ok(Typed {
                lost: object_loss(&parts),
                ..Typed::exact(Type::Defined(name))
            });
        }
        match (&parts[..], reference_of(keywords)?) {
            ([], _) => Ok(Typed::exact(Type::Any)),
            ([only], _) => self.plain(only, place, owner),
            (_, Some(reference)) => {
                let typed = self.reference(reference)?;
                Ok(Typed::nearest(
                    typed.ty,
                    "a reference with restrictions beside it",
                ))
            }
            (_, None) => Ok(Typed::nearest(Type::Any, "`allOf`")),
        }
    }

    /// Returns the type of a schema that is referred to: a definition, or the type itself.
    fn reference(&mut self, reference: Pointer) -> Result<Typed, String> {
        let (place, schema) = self.followed(reference)?;
        let wanted = FieldReader::definition_name(place.last().unwrap_or("Payload"));
        if let Some(known) = self.known(&place, &wanted)? {
            return Ok(known);
        }
        let parts = self.parts(schema)?;
        let description = schema.get("description").and_then(Value::as_str);
        self.spend(description.map_or(0, str::len))?;
        if is_object(&parts) {
            let (index, name) = self.names.reserve(&wanted, description, self.location);
            let typed = Typed {
                lost: object_loss(&parts),
                ..Typed::exact(Type::Defined(name.clone()))
            };
            self.remember(&place, wanted, &typed);
            self.open.push_back((index, name, place));
            return Ok(typed);
        }
        if self.following.contains(&place) {
            return Ok(Typed::nearest(
                Type::Any,
                "a type without properties that contains itself",
            ));
        }
        self.following.push(place.clone());
        let typed = self.typed(schema, &place, &wanted);
        self.following.pop();
        let typed = typed?;
        if typed.lost.is_some() || !typed.ty.is_single() {
            return Ok(typed);
        }
        let name = self.names.add_scalar(Scalar {
            name: wanted.clone(),
            description: description.map(str::to_owned),
            ty: typed.ty,
            limits: typed.limits,
            is_open: false,
            location: self.location,
        });
        let typed = Typed::exact(Type::Scalar(Arc::new(name)));
        self.remember(&place, wanted, &typed);
        Ok(typed)
    }

    /// Returns the type of a schema that was read before: at this place, or the same one in another
    /// document.
    fn known(&mut self, place: &Pointer, wanted: &str) -> Result<Option<Typed>, String> {
        let named = self.names.named_schemas();
        let key = (self.document.name.clone(), place.to_string());
        let mut index = named.by_place.get(&key).copied();
        let alike = named.by_name.get(wanted).into_iter().flatten();
        for alike in alike.take(MAX_ALIKE) {
            let other = &named.schemas[*alike];
            if index.is_none() && !Rc::ptr_eq(&other.document, self.document) {
                let (is_same, effort) = are_same(
                    (&self.document.root, &key.1),
                    (&other.document.root, &other.place),
                );
                self.spend(effort)?;
                index = is_same.then_some(*alike);
            }
        }
        Ok(index.map(|index| Typed {
            lost: named.schemas[index].lost.clone(),
            ..Typed::exact(named.schemas[index].ty.clone())
        }))
    }

    fn remember(&self, place: &Pointer, wanted: String, typed: &Typed) {
        let named = &mut *self.names.named_schemas();
        let index = named.schemas.len();
        let place = place.to_string();
        let key = (self.document.name.clone(), place.clone());
        named.by_place.insert(key, index);
        named.by_name.entry(wanted).or_default().push(index);
        named.schemas.push(NamedSchema {
            document: Rc::clone(self.document),
            place,
            ty: typed.ty.clone(),
            lost: typed.lost.clone(),
        });
    }

    /// Returns the union of types. Limits of a union apply to all members of fitting types.
    fn union(members: &[Typed]) -> Typed {
        let mut union = Union::default();
        let mut merged = Limits::default();
        let mut lost = None;
        for member in members {
            lost = lost.or_else(|| member.lost.clone());
            limits::add_missing(&mut merged, &member.limits);
            let types = match &member.ty {
                Type::Union(inner) => inner.as_slice(),
                one => std::slice::from_ref(one),
            };
            for ty in types {
                union.add(ty);
            }
        }
        let mut union = union.members;
        let ty = if union.contains(&Type::Any) || union.len() > MAX_MEMBERS {
            lost = lost.or_else(|| {
                (union.len() > MAX_MEMBERS)
                    .then(|| format!("more than {MAX_MEMBERS} types in a union"))
            });
            merged = Limits::default();
            Type::Any
        } else if union.len() == 1 {
            union.swap_remove(0)
        } else {
            Type::Union(union)
        };
        let is_shared = |member: &Typed| limits::of_type(&merged, &member.ty) == member.limits;
        if ty != Type::Any && !members.iter().all(is_shared) {
            lost = lost.or_else(|| Some("limits of one type of a union".to_owned()));
            merged = Limits::default();
        }
        Typed {
            ty,
            limits: merged,
            lost,
        }
    }
}

/// Compiles a part of a schema.
fn raw(schema: Value, place: &Pointer) -> Result<RawSchema, String> {
    RawSchema::new(schema).map_err(|problem| format!("`{place}` can't be used: {problem}"))
}

/// Union of types, in which enumerations of the same kind are one.
#[derive(Default)]
struct Union {
    members: Vec<Type>,
    texts: HashSet<String>,
    numbers: HashSet<Number>,
}

impl Union {
    /// Adds a type, unless there are too many already.
    fn add(&mut self, ty: &Type) {
        let mut members = self.members.iter_mut();
        match ty {
            Type::Enum(texts) => {
                let new = texts
                    .iter()
                    .filter(|text| self.texts.insert((*text).clone()));
                let new = new.cloned().collect();
                match members.find(|known| matches!(known, Type::Enum(_))) {
                    Some(Type::Enum(known)) => known.extend::<Vec<_>>(new),
                    _ => self.members.push(Type::Enum(new)),
                }
            }
            Type::Numbers(numbers) => {
                let new = numbers
                    .iter()
                    .filter(|one| self.numbers.insert((*one).clone()));
                let new = new.cloned().collect();
                match members.find(|known| matches!(known, Type::Numbers(_))) {
                    Some(Type::Numbers(known)) => known.extend::<Vec<_>>(new),
                    _ => self.members.push(Type::Numbers(new)),
                }
            }
            _ if self.members.len() <= MAX_MEMBERS && !self.members.contains(ty) => {
                self.members.push(ty.clone());
            }
            _ => {}
        }
    }
}

/// Removes null from a union.
fn without_null(ty: Type) -> Type {
    match ty {
        Type::Union(mut members) => {
            members.retain(|member| *member != Type::Null);
            match members.len() {
                0 => Type::Null,
                1 => members.swap_remove(0),
                _ => Type::Union(members),
            }
        }
        other => other,
    }
}

/// Removes the member for null from a schema.
fn without_null_schema(schema: RawSchema) -> Result<RawSchema, String> {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|ty| ty == "null");
    match schema.as_value() {
        Value::Object(keywords) if keywords.len() == 1 => {
            match keywords
                .get("anyOf")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
            {
                Some([one, null] | [null, one]) if is_null(null) && !is_null(one) => {
                    RawSchema::new(one.clone())
                }
                _ => Ok(schema),
            }
        }
        _ => Ok(schema),
    }
}

/// Returns the keywords of a schema that restrict values.
fn restrictions(keywords: &Keywords) -> impl Iterator<Item = &str> {
    let names = keywords.keys().map(String::as_str);
    names.filter(|keyword| Keyword::of(keyword).is_some())
}

/// Returns the reference of a schema, if it has one.
fn reference_of(keywords: &Keywords) -> Result<Option<Pointer>, String> {
    match keywords.get("$ref") {
        None => Ok(None),
        Some(Value::String(reference)) => Pointer::parse(reference).map(Some),
        Some(_) => Err("a `$ref` is not a text".to_owned()),
    }
}

/// Returns the reference of a schema that restricts values by nothing else.
fn only_reference(schema: &Value) -> Result<Option<Pointer>, String> {
    let Value::Object(keywords) = schema else {
        return Ok(None);
    };
    if restrictions(keywords).any(|keyword| keyword != "$ref") {
        return Ok(None);
    }
    reference_of(keywords)
}

/// Whether keywords describe an object with properties.
fn is_object(parts: &[&Keywords]) -> bool {
    let names_properties = |part: &&Keywords| {
        part.get("properties").is_some_and(Value::is_object)
            || required_names(part).next().is_some()
    };
    let may_be_object = |part: &&Keywords| part.get("type").is_none_or(|ty| ty == "object");
    parts.iter().any(names_properties) && parts.iter().all(may_be_object)
}

fn required_names(part: &Keywords) -> impl Iterator<Item = &str> {
    let names = part.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// Returns what the fields of an object don't express.
fn object_loss(parts: &[&Keywords]) -> Option<String> {
    let mut properties: Map<String, Value> = Map::new();
    for part in parts {
        for keyword in restrictions(part) {
            let value = &part[keyword];
            let is_expressed = match keyword {
                "type" | "$ref" => true,
                "allOf" => value.is_array(),
                "properties" => value.is_object(),
                "required" => value
                    .as_array()
                    .is_some_and(|names| names.iter().all(Value::is_string)),
                // Fields are open. What publishers add is found by `herald verify`.
                "additionalProperties" | "unevaluatedProperties" => {
                    value.as_bool().is_some_and(|open| open || parts.len() == 1)
                        || value.as_object().is_some_and(Map::is_empty)
                }
                _ => false,
            };
            if !is_expressed {
                return Some(format!("`{keyword}` of an object with properties"));
            }
        }
        let own = part.get("properties").and_then(Value::as_object);
        for (name, schema) in own.into_iter().flatten() {
            if parts.len() > 1
                && let Some(other) = properties.insert(name.clone(), schema.clone())
                && other != *schema
            {
                return Some(format!("the property `{name}` in several parts of `allOf`"));
            }
        }
    }
    None
}

impl Type {
    /// Whether a definition can name it: a type of single values.
    pub(crate) fn is_single(&self) -> bool {
        !matches!(
            self,
            Self::Any
                | Self::Null
                | Self::List(_)
                | Self::Map(_)
                | Self::Union(_)
                | Self::Model(_)
                | Self::Defined(_)
                | Self::Scalar(_)
        )
    }
}
