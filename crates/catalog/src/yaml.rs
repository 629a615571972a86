//! Parser of YAML into a tree with the place of every value.
//!
//! The tree is built from the events of one parse. Malicious input is bounded here: nesting, the
//! number of values after aliases are expanded, and aliases that contain themselves.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use herald_diagnostics::{Diagnostic, Location, Source, SourceId, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::{Serialize, Serializer};

use crate::checks;
use crate::node::Fingerprint;

/// Maximum number of levels of nesting. Contracts have about ten.
pub const MAX_DEPTH: usize = 100;

/// Maximum number of values of a file after its aliases are expanded. Values with an anchor count
/// twice, because a copy is kept for their aliases.
pub const MAX_NODES: usize = 1_000_000;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Yaml {
    /// The value.
    pub value: Value,
    /// The place.
    pub location: Location,
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, number, boolean or null.
    Scalar(Scalar),
    /// Values in order.
    Sequence(Vec<Yaml>),
    /// Values by key, in the order written; no key twice.
    Mapping(Vec<(Key, Yaml)>),
}

/// A scalar as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, unescaped.
    pub text: String,
    /// Whether it is written without quotes, so that `1` is a number and `true` a boolean.
    pub plain: bool,
}

/// The key of a mapping's entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The text, unescaped.
    pub text: String,
    /// The place.
    pub location: Location,
}

/// Type of a plain scalar in the core schema of YAML 1.2.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plain {
    Null,
    Bool(bool),
    Integer,
    Float,
    Text,
}

impl Scalar {
    fn plain(&self) -> Plain {
        if !self.plain {
            return Plain::Text;
        }
        let text = self.text.as_str();
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
            "true" | "True" | "TRUE" => return Plain::Bool(true),
            "false" | "False" | "FALSE" => return Plain::Bool(false),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN" => {
                return Plain::Float;
            }
            _ => {}
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (radix, whole) = radix_and_digits(text);
        let whole = if radix == 10 { digits } else { whole };
        if !whole.is_empty() && whole.chars().all(|c| c.is_digit(radix)) {
            return Plain::Integer;
        }
        let number_like = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
        if number_like && text.parse::<f64>().is_ok() {
            Plain::Float
        } else {
            Plain::Text
        }
    }
}

/// Splits a number into its radix and digits: `0x1f` is hexadecimal, `0o17` octal, all others decimal.
fn radix_and_digits(text: &str) -> (u32, &str) {
    match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (16, digits),
        (_, Some(digits)) => (8, digits),
        _ => (10, text),
    }
}

impl Yaml {
    /// Returns the text of a scalar that is text: quoted, or plain and not null, a boolean or a number.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain() == Plain::Text => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns the text of any scalar except null, as written.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain() != Plain::Null => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar(scalar) => match scalar.plain() {
                Plain::Bool(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns a finite number.
    pub fn as_f64(&self) -> Option<f64> {
        let Value::Scalar(scalar) = &self.value else {
            return None;
        };
        let number = match (scalar.plain(), radix_and_digits(&scalar.text)) {
            (Plain::Integer | Plain::Float, (10, text)) => text.parse().ok()?,
            #[expect(clippy::cast_precision_loss, reason = "as in every reader of JSON")]
            (Plain::Integer, (radix, digits)) => u64::from_str_radix(digits, radix).ok()? as f64,
            _ => return None,
        };
        f64::is_finite(number).then_some(number)
    }

    /// Returns a whole number from 0 to 2⁵³, in any spelling: `1`, `1.0` and `0x1` are the same.
    pub fn as_u64(&self) -> Option<u64> {
        const MAX_INTEGER: f64 = 9_007_199_254_740_992.0;
        let number = self.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole, not negative and small enough"
        )]
        (number.fract() == 0.0 && (0.0..=MAX_INTEGER).contains(&number)).then_some(number as u64)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.plain() == Plain::Null)
    }

    /// Returns the values of a sequence; empty for other values.
    pub fn items(&self) -> &[Yaml] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Returns the entries of a mapping; empty for other values.
    pub fn entries(&self) -> &[(Key, Yaml)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(_))
    }

    /// Whether it is a sequence.
    pub fn is_sequence(&self) -> bool {
        matches!(self.value, Value::Sequence(_))
    }

    /// Returns the value under a key of a mapping; `None` when it is absent or null.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.get_or_null(key).filter(|value| !value.is_null())
    }

    /// Returns the value under a key of a mapping, even if it is null.
    pub fn get_or_null(&self, key: &str) -> Option<&Yaml> {
        let entry = self.entries().iter().find(|(k, _)| k.text == key);
        entry.map(|(_, value)| value)
    }

    /// Returns the value under a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Yaml> {
        path.iter().try_fold(self, |yaml, key| yaml.get(key))
    }

    /// Returns the value under the first of these keys that has a text.
    pub fn first_str(&self, keys: &[&str]) -> Option<&Yaml> {
        keys.iter()
            .filter_map(|key| self.get(key))
            .find(|value| value.as_str().is_some())
    }

    /// Returns the place of diagnostics about the whole value: the first key of a mapping, the first
    /// item of a list, so that not the whole file is underlined.
    pub fn head(&self) -> Location {
        match &self.value {
            Value::Mapping(entries) => entries.first().map(|(key, _)| key.location),
            Value::Sequence(items) => items.first().map(Self::head),
            Value::Scalar(_) => None,
        }
        .unwrap_or(self.location)
    }

    /// Moves all places by this many bytes: for a part of a source that was parsed alone.
    pub(crate) fn move_by(&mut self, by: u32) {
        self.location.span = self.location.span.moved(by);
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.move_by(by)),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    key.location.span = key.location.span.moved(by);
                    value.move_by(by);
                }
            }
        }
    }

    /// Describes the value for messages: `a list`, `a number`.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Scalar(scalar) => match scalar.plain() {
                Plain::Null => "nothing",
                Plain::Bool(_) => "a boolean",
                Plain::Integer | Plain::Float => "a number",
                Plain::Text => "text",
            },
        }
    }

    /// Returns the fingerprint of the values, regardless of comments, line ends and layout.
    pub fn fingerprint(&self) -> Fingerprint {
        // Keys are texts, so it can't fail.
        Fingerprint::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Converts the value to JSON. Numbers that JSON can't represent become text.
    pub fn to_json(&self) -> serde_json::Value {
        // Keys are texts, so it can't fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Serializes the value as JSON does, see [`Yaml::to_json`].
impl Serialize for Yaml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scalar = match &self.value {
            Value::Sequence(items) => return serializer.collect_seq(items),
            Value::Mapping(entries) => {
                return serializer
                    .collect_map(entries.iter().map(|(key, value)| (&key.text, value)));
            }
            Value::Scalar(scalar) => scalar,
        };
        match scalar.plain() {
            Plain::Null => serializer.serialize_unit(),
            Plain::Bool(value) => serializer.serialize_bool(value),
            Plain::Integer => match (scalar.text.parse::<i64>(), self.as_u64()) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (_, Some(number)) => serializer.serialize_u64(number),
                _ => serializer.serialize_str(&scalar.text),
            },
            Plain::Float => match self.as_f64() {
                Some(number) => serializer.serialize_f64(number),
                None => serializer.serialize_str(&scalar.text),
            },
            Plain::Text => serializer.serialize_str(&scalar.text),
        }
    }
}

/// Reads the first document of a source.
///
/// Returns no tree when nothing can be read; then at least one diagnostic is an error.
pub fn parse(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Yaml> {
    let mut builder = Builder {
        id,
        source,
        offsets: Offsets::new(&source.text),
        diagnostics,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    let text = source.text.as_str();
    let mut documents = 0;
    for event in Parser::new_from_str(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
                let diagnostic =
                    builder.label_open_bracket(checks::yaml::syntax(error.info()), text);
                builder.report(diagnostic, Span::new(at, at));
                return None;
            }
        };
        let span = builder.offsets.span(span);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                builder.report(checks::yaml::second_document(), span);
                break;
            }
        }
        if builder.accept(event, span).is_err() {
            return None;
        }
    }
    let root = builder.root.take().filter(|root| !root.is_null());
    if root.is_none() {
        builder.report(checks::yaml::empty(), Span::default());
    }
    root
}

/// Error after which parsing can't go on; it is reported already.
struct Stop;

struct Builder<'a> {
    id: SourceId,
    source: &'a Source,
    offsets: Offsets,
    diagnostics: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    /// Complete values with an anchor.
    anchors: HashMap<usize, (Rc<Yaml>, Size)>,
    nodes: usize,
    root: Option<Yaml>,
}

/// A collection that is not complete yet.
struct Open {
    anchor: usize,
    start: u32,
    content: Content,
    size: Size,
}

enum Content {
    Sequence(Vec<Yaml>),
    Mapping {
        entries: Vec<(Key, Yaml)>,
        /// Places of the entries by their keys, once there are many.
        index: HashMap<String, usize>,
        key: Option<Key>,
    },
}

/// Number of entries of a mapping from which on their keys are indexed.
const MIN_INDEXED: usize = 16;

/// The place of an entry with this key; a new entry at the end gets into the index.
fn place_of(
    key: &str,
    entries: &[(Key, Yaml)],
    index: &mut HashMap<String, usize>,
) -> Option<usize> {
    if entries.len() < MIN_INDEXED {
        return entries.iter().position(|(known, _)| known.text == key);
    }
    if index.is_empty() {
        let places = entries.iter().enumerate();
        index.extend(places.map(|(at, (known, _))| (known.text.clone(), at)));
    }
    match index.entry(key.to_owned()) {
        Entry::Occupied(entry) => Some(*entry.get()),
        Entry::Vacant(entry) => {
            entry.insert(entries.len());
            None
        }
    }
}

/// Size of a value.
#[derive(Clone, Copy)]
struct Size {
    /// Values in it, itself included.
    nodes: usize,
    /// Levels of collections, its own included.
    levels: usize,
}

impl Size {
    const SCALAR: Self = Self {
        nodes: 1,
        levels: 0,
    };
    const COLLECTION: Self = Self {
        nodes: 1,
        levels: 1,
    };

    fn include(&mut self, inner: Self) {
        self.nodes += inner.nodes;
        self.levels = self.levels.max(inner.levels + 1);
    }
}

impl Builder<'_> {
    fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        self.diagnostics.push(diagnostic.at(self.location(span)));
    }

    /// Adds a label for the innermost open bracket, which is often the cause of a later error.
    fn label_open_bracket(&self, diagnostic: Diagnostic, text: &str) -> Diagnostic {
        let Some(start) = self.open.last().map(|open| open.start) else {
            return diagnostic;
        };
        match text.as_bytes().get(start as usize) {
            Some(b'[' | b'{') => diagnostic.label(
                self.location(Span::new(start, start + 1)),
                "this bracket is still open",
            ),
            _ => diagnostic,
        }
    }

    fn location(&self, span: Span) -> Location {
        Location {
            source: self.id,
            span,
        }
    }

    fn accept(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|t| t.is_yaml_core_schema() && t.suffix == "str");
                let scalar = Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain && !is_text,
                };
                let yaml = Yaml {
                    value: Value::Scalar(scalar),
                    location: self.location(span),
                };
                self.add_nodes(1, yaml.location)?;
                self.finish(yaml, Size::SCALAR, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(anchor, span, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, _) => self.begin(
                anchor,
                span,
                Content::Mapping {
                    entries: Vec::new(),
                    index: HashMap::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, span: Span, content: Content) -> Result<(), Stop> {
        self.check_depth(1, span)?;
        self.add_nodes(1, self.location(span))?;
        self.open.push(Open {
            anchor,
            start: span.start,
            content,
            size: Size::COLLECTION,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let (value, last) = match open.content {
            Content::Sequence(items) => {
                let last = items.last().map(|item| item.location.span.end);
                (Value::Sequence(items), last)
            }
            Content::Mapping { entries, .. } => {
                let last = entries.last().map(|(_, value)| value.location.span.end);
                (Value::Mapping(entries), last)
            }
        };
        // A block collection ends where its last value ends, not at the next token.
        let end = if span.start == span.end {
            last.unwrap_or(span.end)
        } else {
            span.end
        };
        let location = self.location(Span::new(open.start, end));
        self.finish(Yaml { value, location }, open.size, open.anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stop> {
        // The parser knows every anchor that was begun.
        let Some((target, size)) = self.anchors.get(&anchor) else {
            self.report(checks::yaml::recursive_alias(), span);
            return Err(Stop);
        };
        let (target, size) = (Rc::clone(target), *size);
        // Checked before it is copied: ten short lines of aliases can mean a billion values.
        self.check_depth(size.levels, span)?;
        self.add_nodes(size.nodes, self.location(span))?;
        let yaml = Yaml {
            value: target.value.clone(),
            location: self.location(span),
        };
        self.finish(yaml, size, 0)
    }

    fn check_depth(&mut self, levels: usize, span: Span) -> Result<(), Stop> {
        if self.open.len() + levels > MAX_DEPTH {
            self.report(checks::yaml::too_deep(), span);
            return Err(Stop);
        }
        Ok(())
    }

    fn add_nodes(&mut self, nodes: usize, location: Location) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            self.diagnostics
                .push(checks::yaml::too_many_values().at(location));
            return Err(Stop);
        }
        Ok(())
    }

    fn finish(&mut self, yaml: Yaml, size: Size, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.add_nodes(size.nodes, yaml.location)?;
            self.anchors.insert(anchor, (Rc::new(yaml.clone()), size));
        }
        if let Some(open) = self.open.last_mut() {
            open.size.include(size);
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(yaml),
            Some(Content::Sequence(items)) => items.push(yaml),
            Some(Content::Mapping {
                entries,
                index,
                key,
            }) => match (key.take(), yaml) {
                (Some(key), yaml) => match place_of(&key.text, entries, index) {
                    None => entries.push((key, yaml)),
                    // The last one wins, as in every YAML reader that allows it at all.
                    Some(at) => {
                        let (first, value) = &mut entries[at];
                        *value = yaml;
                        let line = self.source.position(key.location.span.start).line;
                        let diagnostic = checks::yaml::duplicate_key(first, &key, line);
                        self.diagnostics.push(diagnostic);
                    }
                },
                (
                    None,
                    Yaml {
                        value: Value::Scalar(scalar),
                        location,
                    },
                ) => {
                    *key = Some(Key {
                        text: scalar.text,
                        location,
                    });
                }
                (None, yaml) => {
                    self.diagnostics.push(checks::yaml::key_not_text(&yaml));
                    return Err(Stop);
                }
            },
        }
        Ok(())
    }
}

/// Conversion of the parser's offsets, which count characters, to bytes.
struct Offsets {
    /// Byte offset of each character, and of the end; `None` for ASCII, where both are equal.
    bytes: Option<Vec<u32>>,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii()).then(|| {
            text.char_indices()
                .map(|(i, _)| to_u32(i))
                .chain([to_u32(text.len())])
                .collect()
        });
        // The parser never sees a byte order mark.
        let bytes = bytes.map(|mut bytes: Vec<u32>| {
            if text.starts_with(BYTE_ORDER_MARK) {
                bytes.remove(0);
            }
            bytes
        });
        Self { bytes }
    }

    fn byte(&self, character: usize) -> u32 {
        match &self.bytes {
            Some(bytes) => bytes[character.min(bytes.len() - 1)],
            None => to_u32(character),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span::new(self.byte(span.start.index()), self.byte(span.end.index()))
    }
}

/// Files are limited to far less than 4 GiB before they are parsed.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
