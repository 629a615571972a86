//! How the types of fields are spelled, and what the spellings mean.

use herald_diagnostics::{Diagnostic, Location};

use crate::fields::{Field, Limits, Privacy, Type};
use crate::rules;
use crate::text::{did_you_mean, quote};
use crate::yaml::{Key, Value, Yaml};

/// Every word for a type without parameters, in lowercase.
const WORDS: &[(&str, Type)] = &[
    ("string", Type::String),
    ("str", Type::String),
    ("text", Type::String),
    ("path", Type::String),
    ("url", Type::String),
    ("uri", Type::String),
    ("email", Type::String),
    ("integer", Type::Integer),
    ("int", Type::Integer),
    ("long", Type::Integer),
    ("number", Type::Number),
    ("float", Type::Number),
    ("double", Type::Number),
    ("boolean", Type::Boolean),
    ("bool", Type::Boolean),
    ("uuid", Type::Uuid),
    ("datetime", Type::DateTime),
    ("timestamp", Type::DateTime),
    ("date", Type::Date),
    ("decimal", Type::Decimal),
    ("bytes", Type::Bytes),
    ("null", Type::Null),
    ("none", Type::Null),
    ("any", Type::Any),
    ("json", Type::Any),
    ("jsontype", Type::Any),
];

/// Words for a collection of anything.
const LISTS: &[&str] = &["list", "array", "sequence", "tuple", "set", "frozenset"];
const MAPS: &[&str] = &["object", "dict", "map", "mapping"];

/// Bytes that a spelling may have. More than that is prose, or meant to exhaust the stack.
const LONGEST: usize = 1_000;

/// Reads a type expression such as `list[str] | null`. `None` when it is none.
pub(crate) fn parse_type(text: &str) -> Option<Type> {
    if text.len() > LONGEST {
        return None;
    }
    let members = split(text, '|')?;
    if members.len() > 1 {
        return union(&members);
    }
    let text = text.trim();
    if let Some((head, rest)) = text.split_once('[') {
        return parse_parameters(head.trim(), rest.strip_suffix(']')?);
    }
    let lower = text.to_ascii_lowercase();
    if let Some((_, ty)) = WORDS.iter().find(|(word, _)| *word == lower) {
        return Some(ty.clone());
    }
    if LISTS.contains(&lower.as_str()) {
        return Some(Type::List(Box::new(Type::Any)));
    }
    if MAPS.contains(&lower.as_str()) {
        return Some(Type::Map(Box::new(Type::Any)));
    }
    is_model_name(text).then(|| Type::Model(text.to_owned()))
}

/// One of several types, each once and none of them a union itself.
fn union(members: &[&str]) -> Option<Type> {
    let mut types = Vec::new();
    for member in members {
        let parsed = match parse_type(member)? {
            Type::Any => return Some(Type::Any),
            Type::Union(inner) => inner,
            other => vec![other],
        };
        for ty in parsed {
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
    }
    if types.len() == 1 {
        types.pop()
    } else {
        Some(Type::Union(types))
    }
}

fn parse_parameters(head: &str, inner: &str) -> Option<Type> {
    let head = head.rsplit('.').next()?.to_ascii_lowercase();
    if head == "literal" {
        return Some(literal(&split(inner, ',')?));
    }
    let parameters = split(inner, ',')?;
    let parse = |index: usize| parse_type(parameters.get(index)?);
    let several = parameters.len() > 1;
    match head.as_str() {
        "optional" if !several => Some(parse(0)?.or_null()),
        "union" => union(&parameters),
        // `tuple[T, ...]` is a list; a tuple of different types is a list of anything.
        "tuple" if several && parameters[1].trim() != "..." => {
            Some(Type::List(Box::new(Type::Any)))
        }
        list if LISTS.contains(&list) => Some(Type::List(Box::new(parse(0)?))),
        map if MAPS.contains(&map) => Some(Type::Map(Box::new(parse(parameters.len() - 1)?))),
        _ => None,
    }
}

/// Splits at a separator outside of brackets and quotes. `None` when brackets don't match or a
/// part is empty.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut start, mut quote) = (Vec::new(), 0usize, 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) => quote = (c != open).then_some(open),
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.checked_sub(1)?,
            (None, c) if c == separator && depth == 0 => {
                parts.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (depth == 0 && quote.is_none() && parts.iter().all(|part| !part.trim().is_empty()))
        .then_some(parts)
}

/// The values of `Literal[…]`: texts in quotes, or whole numbers; else anything.
fn literal(values: &[&str]) -> Type {
    let unquoted = |value: &&str| {
        let inner = value.trim().strip_prefix(['"', '\''])?;
        Some(inner.strip_suffix(['"', '\''])?.to_owned())
    };
    if let Some(texts) = values.iter().map(unquoted).collect() {
        return Type::Enum(texts);
    }
    let is_whole = |value: &&str| value.trim().parse::<i64>().is_ok();
    if values.iter().all(is_whole) {
        Type::Integer
    } else {
        Type::Any
    }
}

/// A name in `PascalCase`, possibly behind the path of its module.
fn is_model_name(text: &str) -> bool {
    let mut parts = text.split('.');
    let last = parts.next_back().unwrap_or_default();
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    last.starts_with(|c: char| c.is_ascii_uppercase()) && is_part(last) && parts.all(is_part)
}

/// Reads a mapping of field names to types or to `{type, required, default, …}`; in ONEX
/// contracts also a list of `{name, type, …}` or of names.
///
/// `privacy` is what holds where the field does not say it.
pub(crate) fn parse_fields(
    yaml: &Yaml,
    privacy: Privacy,
    findings: &mut Vec<Diagnostic>,
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
        .map(|(key, value)| parse_field(&key, value.unwrap_or(&nothing), privacy, findings))
        .collect()
}

fn parse_field(key: &Key, yaml: &Yaml, privacy: Privacy, findings: &mut Vec<Diagnostic>) -> Field {
    let (ty, spelling) = parse_described(yaml, findings);
    // `default: null` says that it may be left out, too.
    let default = yaml.get_or_null("default").map(Yaml::to_json);
    Field {
        name: key.text.clone(),
        required: yaml
            .get("required")
            .and_then(Yaml::as_bool)
            .unwrap_or(default.is_none()),
        ty,
        limits: Limits::default(),
        spelling,
        default,
        description: yaml
            .get("description")
            .and_then(Yaml::as_text)
            .map(str::to_owned),
        privacy: match yaml.get("privacy").and_then(Yaml::as_str) {
            Some("public") => Privacy::Public,
            Some("private") => Privacy::Private,
            _ => privacy,
        },
        location: key.location,
    }
}

/// Reads a type, or a mapping of `type`, `items`, `enum` and `nullable`.
fn parse_described(yaml: &Yaml, findings: &mut Vec<Diagnostic>) -> (Type, String) {
    if !yaml.is_mapping() {
        return parse_spelling(yaml, findings);
    }
    let (mut ty, spelling) = match yaml.get("type") {
        Some(declared) => parse_spelling(declared, findings),
        None => (Type::Any, "any".to_owned()),
    };
    if let (Some(items), Type::List(item)) = (yaml.get("items"), &mut ty) {
        **item = parse_described(items, findings).0;
    }
    let values = yaml.get("enum").map(Yaml::items).unwrap_or_default();
    let takes_texts = matches!(
        ty,
        Type::String | Type::Any | Type::Enum(_) | Type::Model(_)
    );
    if !values.is_empty() && takes_texts {
        let values = values.iter().filter_map(Yaml::as_text);
        ty = Type::Enum(values.map(str::to_owned).collect());
    }
    if yaml.get("nullable").and_then(Yaml::as_bool) == Some(true) {
        ty = ty.or_null();
    }
    (ty, spelling)
}

/// Reads a type and gives back how it is spelled. A list of types is a union.
fn parse_spelling(yaml: &Yaml, findings: &mut Vec<Diagnostic>) -> (Type, String) {
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
    let ty = ty.unwrap_or_else(|| {
        findings.push(not_understood(&spelling, yaml.head(), findings));
        Type::Any
    });
    (ty, spelling)
}

fn not_understood(spelling: &str, location: Location, findings: &[Diagnostic]) -> Diagnostic {
    let words = WORDS.iter().map(|(word, _)| *word);
    let words = words.chain(LISTS.iter().copied());
    let words = words.chain(MAPS.iter().copied());
    let help = did_you_mean(spelling, words, findings).unwrap_or_else(|| {
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

#[cfg(test)]
mod tests {
    use herald_diagnostics::{Source, SourceId};

    use super::*;

    fn read(text: &str) -> String {
        parse_type(text).map_or_else(|| "?".to_owned(), |ty| ty.to_string())
    }

    #[test]
    fn spellings_of_python_json_schema_and_herald_mean_the_same() {
        for (spelling, ty) in [
            ("str", "string"),
            ("UUID", "uuid"),
            ("list[str]", "list[string]"),
            ("array", "list[any]"),
            ("dict[str, int]", "map[integer]"),
            ("map[number]", "map[number]"),
            ("object", "map[any]"),
            ("str | None", "string | null"),
            ("Optional[list[UUID]]", "list[uuid] | null"),
            ("Literal['a', \"b|c\"]", "enum(a, b|c)"),
            ("Literal[1, 2]", "integer"),
            ("Literal['a', None]", "any"),
            ("Union[str, Optional[int], str]", "string | integer | null"),
            ("Union[str]", "string"),
            ("tuple[str, ...]", "list[string]"),
            ("list[SweepFinding]", "list[SweepFinding]"),
            ("omnibase.models.ModelOrder", "omnibase.models.ModelOrder"),
        ] {
            assert_eq!(read(spelling), ty, "{spelling}");
        }
    }

    #[test]
    fn a_list_of_names_is_fields_of_any_type() {
        let source = Source::new("contract.yaml", "[order_id, {name: total, type: decimal}]");
        let mut findings = Vec::new();
        let tree = crate::yaml::parse(SourceId(0), &source, &mut findings).expect("a list");
        let fields = parse_fields(&tree, Privacy::Public, &mut findings);
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
        assert!(findings.is_empty());
    }

    #[test]
    fn prose_and_broken_brackets_are_no_types() {
        for text in [
            "a list of names",
            "list[str",
            "str]",
            "|",
            "dict[]",
            "floot",
            "",
            "x[y]",
            "a..Model",
            &"list[".repeat(100_000),
        ] {
            assert_eq!(read(text), "?", "{text}");
        }
    }
}
