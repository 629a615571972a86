//! The contract as YAML, with comments about what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use herald_catalog::ident;
use herald_envelope::topic;

use super::EventShape;
use super::shape::{FieldShape, ScalarType, Shape};

/// Bytes of the definitions and fields of an event type; one with more has no typed payload. Contracts
/// have at most 4 MiB.
const MAX_EVENT_BYTES: usize = 200_000;
const MAX_CONTRACT_BYTES: usize = 3_500_000;

pub(super) fn contract(service: &str, events: &BTreeMap<String, EventShape>) -> String {
    let total: u64 = events.values().map(|event| event.count).sum();
    let name = topic_part(service);
    let mut writer = Writer::default();
    let mut text = format!(
        "# Inferred by `herald infer` from {total} events. What was seen is not all that is allowed: review\n\
         # types, required fields, keys and topics before you rely on them.\n\
         node_type: {}\n\
         service_name: {}\n\
         operations: []\n\
         include_state_events: false\n\
         include_metric_events: false\n\
         events:\n",
        node_type(events),
        quoted(&name),
    );
    // Generated code has a name for each event type.
    let mut idents = BTreeSet::new();
    for (event_type, event) in events {
        if !idents.insert(ident::ident(event_type).to_lowercase()) {
            let _ = writeln!(
                text,
                "  # Left out: {} events `{}`, whose type has no name of its own in code.",
                event.count,
                comment(event_type)
            );
            continue;
        }
        let mut own = writer.event(&name, event_type, event, true);
        if own.len() + writer.added > MAX_EVENT_BYTES
            || text.len() + writer.definitions.len() + own.len() > MAX_CONTRACT_BYTES
        {
            writer.forget();
            own = writer.event(&name, event_type, event, false);
        }
        writer.keep();
        text.push_str(&own);
    }
    if !writer.definitions.is_empty() {
        text.push_str("definitions:\n");
        text.push_str(&writer.definitions);
    }
    text
}

/// The kind that most event types begin with.
fn node_type(events: &BTreeMap<String, EventShape>) -> &'static str {
    let kinds = ["effect", "compute", "reducer", "orchestrator"];
    let count = |kind: &&str| {
        let prefix = format!("{kind}.");
        events
            .keys()
            .filter(|name| name.starts_with(&prefix))
            .count()
    };
    // Of equal ones the first, so an effect if nothing is known.
    let mut best = kinds[0];
    for kind in kinds {
        if count(&kind) > count(&best) {
            best = kind;
        }
    }
    best
}

/// A text that can be a part of a topic.
fn topic_part(text: &str) -> String {
    let part: String = text
        .chars()
        .map(|c| if topic::is_topic_character(c) { c } else { '-' })
        .take(100)
        .collect();
    if part.trim_matches(['.', '-']).is_empty() {
        "unknown".to_owned()
    } else {
        part
    }
}

#[derive(Default)]
struct Writer {
    definitions: String,
    /// Bytes of the definitions that the present event has added.
    added: usize,
    /// Names of definitions in lower case: they are told apart regardless of case.
    names: BTreeSet<String>,
    own_names: Vec<String>,
}

impl Writer {
    fn keep(&mut self) {
        self.added = 0;
        self.own_names.clear();
    }

    fn forget(&mut self) {
        let length = self.definitions.len() - self.added;
        self.definitions.truncate(length);
        for name in self.own_names.drain(..) {
            self.names.remove(&name);
        }
        self.added = 0;
    }

    fn event(
        &mut self,
        service: &str,
        event_type: &str,
        event: &EventShape,
        typed: bool,
    ) -> String {
        let versions: Vec<_> = event.versions.keys().map(|text| comment(text)).collect();
        let mut text = format!(
            "  # {} events from {:.0} to {:.0}; versions: {}\n  - event_type: {}\n",
            event.count,
            event.first,
            event.last,
            versions.join(", "),
            quoted(event_type)
        );
        let most = event.topics.iter().max_by_key(|(_, count)| **count);
        if let Some((topic, _)) = most {
            let _ = writeln!(text, "    topic: {}", quoted(topic));
            for (other, count) in event.topics.iter().filter(|(other, _)| *other != topic) {
                let _ = writeln!(text, "    # {count} events were on {}", comment(other));
            }
        } else {
            let name = topic_part(event_type);
            let _ = writeln!(
                text,
                "    # The events do not tell their topic.\n    topic: {}",
                quoted(&format!("{{namespace}}.{service}.{name}.v1"))
            );
        }
        let fields = event.payload.fields.as_deref();
        let fields = fields.filter(|fields| typed && !fields.is_empty());
        let Some(fields) = fields else {
            text.push_str("    # The payloads have too many different fields, or none.\n");
            return text;
        };
        let keys = event.keys.iter().flatten();
        let is_always_there = |name: &&String| {
            fields
                .iter()
                .any(|field| field.name == **name && field.count == event.count)
        };
        if let Some(key) = keys.clone().find(is_always_there) {
            let _ = writeln!(
                text,
                "    # The key of all events.\n    partition_key: {}",
                quoted(key)
            );
        }
        text.push_str("    payload:\n");
        let prefix = class_name(event_type);
        for field in fields {
            self.field(field, event.count, &prefix, "      ", &mut text);
        }
        text
    }

    fn field(
        &mut self,
        field: &FieldShape,
        of: u64,
        prefix: &str,
        indent: &str,
        text: &mut String,
    ) {
        let mut ty = self.ty(&field.shape, &field.name, prefix);
        let is_required = field.count >= of;
        if field.shape.nulls > 0 && is_required {
            ty = match ty {
                FieldType::Any => FieldType::Any,
                FieldType::Enum(values) | FieldType::NullableEnum(values) => {
                    FieldType::NullableEnum(values)
                }
                FieldType::Named(ty) if ty == "null" => FieldType::Named(ty),
                FieldType::Named(ty) => FieldType::Named(format!("{ty} | null")),
            };
        }
        let mut parts = match ty {
            FieldType::Any => vec!["type: any".to_owned()],
            FieldType::Named(ty) => vec![format!("type: {}", quoted(&ty))],
            FieldType::Enum(values) => vec!["type: string".to_owned(), enumeration(&values)],
            FieldType::NullableEnum(values) => vec![
                "type: string".to_owned(),
                enumeration(&values),
                "nullable: true".to_owned(),
            ],
        };
        if !is_required {
            parts.push("required: false".to_owned());
        }
        let _ = writeln!(
            text,
            "{indent}{}: {{{}}}  # in {} of {of}",
            quoted(&field.name),
            parts.join(", "),
            field.count
        );
    }

    fn ty(&mut self, shape: &Shape, name: &str, prefix: &str) -> FieldType {
        if shape.is_deep() {
            return FieldType::Any;
        }
        let mut members = Vec::new();
        let scalars = shape.scalars(name);
        let others = usize::from(shape.has_lists()) + usize::from(shape.objects > 0);
        for scalar in scalars.iter().cloned() {
            match scalar {
                ScalarType::Enum(values) if scalars.len() + others == 1 => {
                    return FieldType::Enum(values);
                }
                ScalarType::Enum(_) => members.push("string".to_owned()),
                ScalarType::Named(word) => members.push(word.to_owned()),
            }
        }
        if shape.has_lists() {
            let items = shape.items.as_deref();
            match items.map(|items| self.nested(items, name, prefix)) {
                Some(Some(item)) => members.push(format!("list[{item}]")),
                _ => members.push("list[any]".to_owned()),
            }
        }
        if shape.objects > 0 {
            members.push(self.object(shape, name, prefix));
        }
        if members.is_empty() {
            return FieldType::Named("null".to_owned());
        }
        FieldType::Named(members.join(" | "))
    }

    /// Type of items and of values of a map, in one word or union; `None` if they may be anything.
    fn nested(&mut self, shape: &Shape, name: &str, prefix: &str) -> Option<String> {
        let ty = match self.ty(shape, name, prefix) {
            FieldType::Any => return None,
            FieldType::Named(ty) => ty,
            FieldType::Enum(_) | FieldType::NullableEnum(_) => "string".to_owned(),
        };
        if ty == "null" && shape.nulls == 0 {
            // There were no items.
            return None;
        }
        Some(if shape.nulls > 0 && ty != "null" {
            format!("{ty} | null")
        } else {
            ty
        })
    }

    /// Type of objects: a definition, or a map.
    fn object(&mut self, shape: &Shape, name: &str, prefix: &str) -> String {
        let Some(fields) = &shape.fields else {
            let values = shape.values.as_deref();
            let value = values.and_then(|values| self.nested(values, name, prefix));
            return format!("map[{}]", value.as_deref().unwrap_or("any"));
        };
        if fields.is_empty() {
            return "map[any]".to_owned();
        }
        let name = self.free_name(&format!("{prefix}{}", class_name(name)));
        let mut text = format!("  {name}:\n    # {} objects\n    fields:\n", shape.objects);
        for field in fields {
            self.field(field, shape.objects, &name, "      ", &mut text);
        }
        self.added += text.len();
        self.definitions.push_str(&text);
        name
    }

    fn free_name(&mut self, wanted: &str) -> String {
        let wanted: String = wanted.chars().take(100).collect();
        let mut name = wanted.clone();
        let mut number = 1;
        while !self.names.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{wanted}{number}");
        }
        self.own_names.push(name.to_lowercase());
        name
    }
}

enum FieldType {
    Any,
    Named(String),
    Enum(Vec<String>),
    NullableEnum(Vec<String>),
}

fn enumeration(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| json(value)).collect();
    format!("enum: [{}]", values.join(", "))
}

/// A name in the form of a class, of the letters and digits of a text.
fn class_name(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name = String::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let (first, rest) = part.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("X{name}")
    }
}

/// A text as a YAML scalar: plain if nothing can misread it.
fn quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && !WORDS.contains(&text.to_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        json(text)
    }
}

/// A text in double quotes, with escapes for everything that is not visible ASCII.
fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            ' '..='~' => quoted.push(c),
            _ => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A text in a comment.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if (' '..='~').contains(&c) { c } else { '?' })
        .take(100)
        .collect()
}
