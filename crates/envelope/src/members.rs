//! Members of a JSON object, split without decoding their values.
//!
//! A first pass splits the object; a second one decodes the members that a profile defines. So
//! errors contain field and position, and payload, metadata and unknown members are never parsed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::str::Utf8Error;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::envelope::Extra;
use crate::error::{Code, Error, Position};
use crate::id;
use crate::json::{Json, syntax_error};
use crate::time;

/// Maximum number of members that a profile defines.
pub(crate) const MAX_KNOWN: usize = 24;

/// Members of an object: those of the profile by their index, and the others.
pub(crate) struct Members<'a> {
    /// The text of the object, for positions.
    text: Option<&'a str>,
    names: &'static [&'static str],
    known: [Option<&'a RawValue>; MAX_KNOWN],
    pub extra: Vec<Extra<'a>>,
}

/// Decoder of the value of a member.
type Decode<'a, T> = fn(&Members<'a>, usize, &'a RawValue) -> Result<T, Error>;

impl<'a> Members<'a> {
    /// Splits the object in these bytes. `names` are at most [`MAX_KNOWN`].
    pub fn of_bytes(bytes: &'a [u8], names: &'static [&'static str]) -> Result<Self, Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::split(text, names),
            Err(error) => Err(not_utf8(bytes, error, names)),
        }
    }

    fn split(text: &'a str, names: &'static [&'static str]) -> Result<Self, Error> {
        let within = RefCell::new(None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let visitor = MembersVisitor {
            names,
            within: &within,
        };
        let split = deserializer
            .deserialize_map(visitor)
            .and_then(|split| deserializer.end().map(|()| split))
            .map_err(|error| {
                if error.is_data() {
                    return Error::new(Code::WrongType, "an envelope is a JSON object")
                        .at(position(text, text.trim_start()));
                }
                let error = syntax_error(text, &error);
                match within.take() {
                    Some(name) => error.in_field(name),
                    None => error,
                }
            })?;
        if let Some((at, value)) = split.repeated {
            return Err(Error::new(Code::DuplicateField, "occurs twice")
                .in_field(names[at])
                .at(position(text, value.get())));
        }
        Ok(Self {
            text: Some(text),
            ..split.into_members(names)
        })
    }

    /// Splits the object of a deserializer. Its text is not known, so errors have no position.
    pub fn deserialize<D: Deserializer<'a>>(
        deserializer: D,
        names: &'static [&'static str],
    ) -> Result<Self, D::Error> {
        let within = RefCell::new(None);
        let visitor = MembersVisitor {
            names,
            within: &within,
        };
        let split = deserializer.deserialize_map(visitor)?;
        if split.repeated.is_some() {
            return Err(serde::de::Error::custom("a field occurs twice"));
        }
        Ok(split.into_members(names))
    }

    /// Decodes a member that must not be missing.
    pub fn required<T>(&self, at: usize, decode: Decode<'a, T>) -> Result<T, Error> {
        match self.known[at] {
            Some(value) => decode(self, at, value),
            None => Err(self.error_of(at, Code::MissingField, "is missing")),
        }
    }

    /// Decodes a member that may be missing or null.
    pub fn optional<T>(&self, at: usize, decode: Decode<'a, T>) -> Result<Option<T>, Error> {
        match self.known[at] {
            Some(value) if value.get() != "null" => decode(self, at, value).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the value of a member, if it is there.
    pub fn raw(&self, at: usize) -> Option<&'a RawValue> {
        self.known[at]
    }

    /// Returns whether a member has a value other than null.
    pub fn has(&self, at: usize) -> bool {
        self.known[at].is_some_and(|value| value.get() != "null")
    }

    /// Returns an error about a member, which may be missing.
    pub fn error_of(&self, at: usize, code: Code, message: &str) -> Error {
        if let Some(value) = self.known[at] {
            return self.error(at, code, message, value);
        }
        let error = Error::new(code, message).in_field(self.names[at]);
        self.placed(error, str::trim_start)
    }

    /// Returns an error about the value of a member.
    pub fn error(&self, at: usize, code: Code, message: &str, value: &'a RawValue) -> Error {
        let error = Error::new(code, message).in_field(self.names[at]);
        self.placed(error, |_| value.get())
    }

    /// Adds the position of a part of the text, if the text is known.
    fn placed(&self, error: Error, part: impl FnOnce(&'a str) -> &'a str) -> Error {
        let Some(text) = self.text else {
            return error;
        };
        error.at(position(text, part(text)))
    }

    pub fn text(&self, at: usize, value: &'a RawValue) -> Result<Cow<'a, str>, Error> {
        let quoted = value.get().strip_prefix('"');
        let Some(inside) = quoted.and_then(|text| text.strip_suffix('"')) else {
            return Err(self.error(at, Code::WrongType, "must be text", value));
        };
        decode_text(inside)
            .ok_or_else(|| self.error(at, Code::Syntax, "half of a surrogate pair", value))
    }

    /// Decodes text, and null as the empty text.
    pub fn text_or_null(&self, at: usize, value: &'a RawValue) -> Result<Cow<'a, str>, Error> {
        if value.get() == "null" {
            return Ok(Cow::Borrowed(""));
        }
        self.text(at, value)
    }

    pub fn non_empty_text(&self, at: usize, value: &'a RawValue) -> Result<Cow<'a, str>, Error> {
        if value.get() == "\"\"" {
            return Err(self.error(at, Code::EmptyText, "must not be empty", value));
        }
        self.text(at, value)
    }

    pub fn id(&self, at: usize, value: &'a RawValue) -> Result<Uuid, Error> {
        let message = "must be a UUID with hyphens";
        id::read(&self.text(at, value)?)
            .ok_or_else(|| self.error(at, Code::InvalidUuid, message, value))
    }

    pub fn timestamp(&self, at: usize, value: &'a RawValue) -> Result<Timestamp, Error> {
        time::read(&self.text(at, value)?)
            .ok_or_else(|| self.error(at, Code::InvalidTimestamp, time::EXPECTED, value))
    }

    pub fn object(&self, at: usize, value: &'a RawValue) -> Result<Json<'a>, Error> {
        if !value.get().starts_with('{') {
            return Err(self.error(at, Code::WrongType, "must be a JSON object", value));
        }
        Ok(value.into())
    }
}

/// Decodes the content of a JSON text. `None` for a half of a surrogate pair: the parser of JSON knows
/// escapes, but not which of them are halves of one character.
pub(crate) fn decode_text(inside: &str) -> Option<Cow<'_, str>> {
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    let decoded = without_simple_escapes(inside)
        .or_else(|| serde_json::from_str(&format!("\"{inside}\"")).ok());
    decoded.map(Cow::Owned)
}

/// Decodes text with escapes of quotes and backslashes only, as JSON in a text has them. Decoding with
/// `serde_json` takes four times as many instructions.
fn without_simple_escapes(inside: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(inside.len());
    let mut rest = inside.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let escaped = *rest.get(at + 1)?;
        if !matches!(escaped, b'"' | b'\\') {
            return None;
        }
        decoded.extend_from_slice(&rest[..at]);
        decoded.push(escaped);
        rest = &rest[at + 2..];
    }
    decoded.extend_from_slice(rest);
    String::from_utf8(decoded).ok()
}

/// Splits the rest of a valid JSON document behind the quote that opens a text: into the content of the
/// text, and what follows.
pub(crate) fn split_text(rest: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn not_utf8(bytes: &[u8], error: Utf8Error, names: &'static [&'static str]) -> Error {
    let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("it is valid so far");
    let error = Error::new(Code::NotUtf8, "not UTF-8").at(Position::of(valid, valid.len()));
    // What is valid is cut off within the field that has the bad byte.
    match Members::split(valid, names) {
        Err(cut_off) => error.in_field_of(&cut_off),
        Ok(_) => error,
    }
}

/// Returns the position of a part of the text.
fn position(text: &str, part: &str) -> Position {
    Position::of(text, part.as_ptr().addr() - text.as_ptr().addr())
}

#[derive(Default)]
struct Split<'a> {
    known: [Option<&'a RawValue>; MAX_KNOWN],
    extra: Vec<Extra<'a>>,
    /// First duplicate member of the profile, with its second value.
    repeated: Option<(usize, &'a RawValue)>,
}

impl<'a> Split<'a> {
    fn into_members(self, names: &'static [&'static str]) -> Members<'a> {
        Members {
            text: None,
            names,
            known: self.known,
            extra: self.extra,
        }
    }
}

struct MembersVisitor<'s, 'a> {
    names: &'static [&'static str],
    /// Name of the member whose value is being read.
    within: &'s RefCell<Option<Cow<'a, str>>>,
}

impl<'a> Visitor<'a> for MembersVisitor<'_, 'a> {
    type Value = Split<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Split<'a>, A::Error> {
        let mut split = Split::default();
        // Mostly the members come in the order of the profile.
        let mut next = 0;
        while let Some(name) = map.next_key_seed(Name)? {
            self.within.replace(Some(name.clone()));
            let value: &RawValue = map.next_value()?;
            self.within.take();
            match index_near(self.names, &name, next) {
                Some(at) => {
                    next = at + 1;
                    if split.known[at].replace(value).is_some() {
                        split.repeated.get_or_insert((at, value));
                    }
                }
                None => split.extra.push((name, value.into())),
            }
        }
        Ok(split)
    }
}

/// Returns the index of a name, which is probably `next` or one of the following.
fn index_near(names: &[&str], name: &str, next: usize) -> Option<usize> {
    let rest = names.get(next..).unwrap_or_default();
    let at = rest.iter().position(|known| *known == name);
    at.map(|at| next + at)
        .or_else(|| names.iter().position(|known| *known == name))
}

/// Name of a member, borrowed if it has no escapes.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Returns whether the object in these bytes has a member with this name. Bytes that are not an
/// object have none.
pub(crate) fn has_member(bytes: &[u8], name: &str) -> bool {
    struct Search<'n>(&'n str);

    impl<'de> Visitor<'de> for Search<'_> {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
            let mut found = false;
            while let Some(name) = map.next_key_seed(Name)? {
                found |= name == self.0;
                map.next_value::<serde::de::IgnoredAny>()?;
            }
            Ok(found)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    deserializer.deserialize_map(Search(name)).unwrap_or(false)
}
