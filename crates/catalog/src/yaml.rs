//! YAML as a tree that keeps the place of every value.
//!
//! Built from the events of one parse. Hostile input is bounded here: nesting, the nodes that
//! aliases multiply, and aliases that contain themselves.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Location, Source, SourceId, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::rules;

/// Levels of nesting that are read. Contracts have about ten.
pub const MAX_DEPTH: usize = 100;

/// Nodes that one file may have once its aliases are written out.
pub const MAX_NODES: usize = 1_000_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Yaml {
    /// The value.
    pub value: Value,
    /// Where.
    pub location: Location,
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, number, boolean or null; which one is for the reader to ask.
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
    /// Whether it stands without quotes, so that `1` is a number and `true` a boolean.
    pub plain: bool,
}

/// The key of a mapping's entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The text, unescaped.
    pub text: String,
    /// Where.
    pub location: Location,
}

/// What a plain scalar is in the core schema of YAML 1.2.
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
        let all = |text: &str, digit: fn(&char) -> bool| {
            !text.is_empty() && text.chars().all(|c| digit(&c))
        };
        if all(digits, char::is_ascii_digit)
            || text
                .strip_prefix("0x")
                .is_some_and(|t| all(t, char::is_ascii_hexdigit))
            || text
                .strip_prefix("0o")
                .is_some_and(|t| all(t, |c| matches!(c, '0'..='7')))
        {
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

impl Yaml {
    /// The text of a scalar that is text: quoted, or plain and neither null, boolean nor number.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain() == Plain::Text => Some(&scalar.text),
            _ => None,
        }
    }

    /// The text of any scalar but null, as written.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain() != Plain::Null => Some(&scalar.text),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar(scalar) => match scalar.plain() {
                Plain::Bool(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// A decimal whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain() == Plain::Integer => scalar.text.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.plain() == Plain::Null)
    }

    /// The values of a sequence; nothing for anything else.
    pub fn items(&self) -> &[Yaml] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; nothing for anything else.
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

    /// The value under a key of a mapping; `None` when it is absent or null.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries()
            .iter()
            .find(|(k, _)| k.text == key)
            .map(|(_, v)| v)
            .filter(|v| !v.is_null())
    }

    /// The value behind several keys, one within the other.
    pub fn at(&self, path: &[&str]) -> Option<&Yaml> {
        path.iter().try_fold(self, |yaml, key| yaml.get(key))
    }

    /// The text under the first of these keys that has one.
    pub fn first_str(&self, keys: &[&str]) -> Option<&Yaml> {
        keys.iter()
            .filter_map(|key| self.get(key))
            .find(|value| value.as_str().is_some())
    }

    /// What it is, for messages: `a list`, `a number`.
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

    /// The same value in JSON. Numbers that JSON can't hold become text.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(entries) => serde_json::Value::Object(
                entries
                    .iter()
                    .map(|(k, v)| (k.text.clone(), v.to_json()))
                    .collect(),
            ),
            Value::Scalar(scalar) => match scalar.plain() {
                Plain::Null => serde_json::Value::Null,
                Plain::Bool(value) => value.into(),
                Plain::Integer => match scalar.text.parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => scalar.text.clone().into(),
                },
                Plain::Float => match scalar.text.parse::<f64>() {
                    Ok(number) if number.is_finite() => number.into(),
                    _ => scalar.text.clone().into(),
                },
                Plain::Text => scalar.text.clone().into(),
            },
        }
    }
}

/// Reads the first document of a source.
///
/// Gives no tree when nothing can be read; then at least one finding is an error.
pub fn parse(id: SourceId, source: &Source, findings: &mut Vec<Diagnostic>) -> Option<Yaml> {
    let mut builder = Builder {
        id,
        offsets: Offsets::new(&source.text),
        findings,
        open: Vec::new(),
        anchors: HashMap::new(),
        open_anchors: Vec::new(),
        nodes: 0,
        root: None,
    };
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
                builder.report(
                    Diagnostic::new(
                        &rules::YAML_SYNTAX,
                        format!("this is not YAML: {}", error.info()),
                    )
                    .help("check indentation and quotes just before this place"),
                    Span::new(at, at),
                );
                return None;
            }
        };
        let span = builder.offsets.span(span);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                builder.report(
                    Diagnostic::new(
                        &rules::YAML_SEVERAL_DOCUMENTS,
                        "a second document begins here",
                    )
                    .help("give each contract a file of its own"),
                    span,
                );
                break;
            }
        }
        if builder.accept(event, span).is_err() {
            return None;
        }
    }
    let root = builder.root.take().filter(|root| !root.is_null());
    if root.is_none() {
        builder.report(
            Diagnostic::new(&rules::YAML_EMPTY, "the file is empty")
                .help("`herald init` writes a first contract"),
            Span::default(),
        );
    }
    root
}

/// The reading can't go on; a finding says why.
struct Stop;

struct Builder<'a> {
    id: SourceId,
    offsets: Offsets,
    findings: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    anchors: HashMap<usize, Yaml>,
    open_anchors: Vec<usize>,
    nodes: usize,
    root: Option<Yaml>,
}

/// A collection whose end has not come yet.
struct Open {
    anchor: usize,
    start: u32,
    content: Content,
}

enum Content {
    Sequence(Vec<Yaml>),
    Mapping {
        entries: Vec<(Key, Yaml)>,
        index: HashMap<String, usize>,
        key: Option<Key>,
    },
}

impl Builder<'_> {
    fn report(&mut self, finding: Diagnostic, span: Span) {
        self.findings.push(finding.at(self.location(span)));
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
                self.finish(yaml, anchor)
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
        if self.open.len() == MAX_DEPTH {
            self.report(
                Diagnostic::new(
                    &rules::YAML_TOO_DEEP,
                    format!("values are nested deeper than {MAX_DEPTH} levels"),
                )
                .help("a contract needs about ten levels"),
                span,
            );
            return Err(Stop);
        }
        if anchor != 0 {
            self.open_anchors.push(anchor);
        }
        self.open.push(Open {
            anchor,
            start: span.start,
            content,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.anchor != 0 {
            self.open_anchors.pop();
        }
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
        self.finish(Yaml { value, location }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.open_anchors.contains(&anchor) {
            self.report(
                Diagnostic::new(&rules::YAML_RECURSIVE_ALIAS, "this alias contains itself")
                    .help("write the value out instead"),
                span,
            );
            return Err(Stop);
        }
        let Some(target) = self.anchors.get(&anchor) else {
            return Ok(());
        };
        // Counted before it is copied: ten short lines of aliases can mean a billion values.
        self.nodes += count(target);
        let value = if self.nodes > MAX_NODES {
            Value::Sequence(Vec::new())
        } else {
            target.value.clone()
        };
        self.finish(
            Yaml {
                value,
                location: self.location(span),
            },
            0,
        )
    }

    fn finish(&mut self, yaml: Yaml, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.findings.push(
                Diagnostic::new(
                    &rules::YAML_TOO_LARGE,
                    format!("the file has more than {MAX_NODES} values"),
                )
                .at(yaml.location)
                .help("aliases multiply what they point at; write out only what is needed"),
            );
            return Err(Stop);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, yaml.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(yaml),
            Some(Content::Sequence(items)) => items.push(yaml),
            Some(Content::Mapping {
                entries,
                index,
                key,
            }) => match key.take() {
                Some(key) => match index.get(&key.text) {
                    Some(&first) => return self.repeated(first, key, yaml),
                    None => {
                        index.insert(key.text.clone(), entries.len());
                        entries.push((key, yaml));
                    }
                },
                None => match yaml.value {
                    Value::Scalar(scalar) => {
                        *key = Some(Key {
                            text: scalar.text,
                            location: yaml.location,
                        });
                    }
                    _ => return self.key_is_no_text(&yaml),
                },
            },
        }
        Ok(())
    }

    /// The last one wins, as in every YAML reader that allows it at all.
    fn repeated(&mut self, first: usize, key: Key, yaml: Yaml) -> Result<(), Stop> {
        let Some(Content::Mapping { entries, .. }) = self.open.last_mut().map(|o| &mut o.content)
        else {
            return Ok(());
        };
        let before = entries[first].0.location;
        entries[first].1 = yaml;
        let line = self.offsets.line(key.location.span.start);
        self.findings.push(
            Diagnostic::new(
                &rules::YAML_DUPLICATE_KEY,
                format!(
                    "the key `{}` is repeated; only the last value counts",
                    key.text
                ),
            )
            .at(key.location)
            .label(before, "first written here")
            .detail(format!("{}@{line}", key.text))
            .help("remove one of the two"),
        );
        Ok(())
    }

    fn key_is_no_text(&mut self, yaml: &Yaml) -> Result<(), Stop> {
        self.findings.push(
            Diagnostic::new(
                &rules::YAML_SYNTAX,
                format!("{} can't be the key of a mapping", yaml.describe()),
            )
            .at(yaml.location)
            .help("write `key: value`; quote text that begins with `[`, `{` or `?`"),
        );
        Err(Stop)
    }
}

fn count(yaml: &Yaml) -> usize {
    1 + match &yaml.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(count).sum(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| count(value)).sum(),
    }
}

/// The parser counts characters; spans count bytes.
struct Offsets {
    /// Byte offset of each character, and of the end; `None` when both are the same.
    bytes: Option<Vec<u32>>,
    line_starts: Vec<u32>,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii()).then(|| {
            text.char_indices()
                .map(|(i, _)| to_u32(i))
                .chain([to_u32(text.len())])
                .collect()
        });
        let line_starts = text
            .match_indices('\n')
            .map(|(i, _)| to_u32(i + 1))
            .collect();
        // The parser never sees a byte order mark.
        let bytes = bytes.map(|mut bytes: Vec<u32>| {
            if text.starts_with('\u{feff}') {
                bytes.remove(0);
            }
            bytes
        });
        Self { bytes, line_starts }
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

    fn line(&self, byte: u32) -> usize {
        self.line_starts.partition_point(|start| *start <= byte) + 1
    }
}

/// Files are limited to far less than 4 GiB before they are parsed.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
