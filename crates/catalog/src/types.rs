//! Parser of the types of fields.

use crate::fields::Type;

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
    ("duration", Type::Duration),
    ("timedelta", Type::Duration),
    ("null", Type::Null),
    ("none", Type::Null),
    ("any", Type::Any),
    ("json", Type::Any),
    ("jsontype", Type::Any),
];

/// Words for lists of any values.
const LISTS: &[&str] = &["list", "array", "sequence", "tuple", "set", "frozenset"];
/// Words for maps of any values.
const MAPS: &[&str] = &["object", "dict", "map", "mapping"];

/// Maximum length of a type in bytes. Longer texts are prose, or meant to exhaust the stack.
const MAX_LENGTH: usize = 1_000;

/// Returns every word for a type.
pub(crate) fn words<'a>() -> impl Iterator<Item = &'a str> {
    let simple = WORDS.iter().map(|(word, _)| word);
    simple.chain(LISTS).chain(MAPS).map(|word| &**word)
}

/// Reads a type expression such as `list[str] | null`. `None` when it is not valid.
pub(crate) fn parse_type(text: &str) -> Option<Type> {
    if text.len() > MAX_LENGTH {
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

/// Returns a union of types, each once and none of them a union itself.
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

/// Returns the type of `Literal[…]`: an enumeration of quoted texts or of numbers, or any value.
fn literal(values: &[&str]) -> Type {
    let unquoted = |value: &&str| {
        let inner = value.trim().strip_prefix(['"', '\''])?;
        Some(inner.strip_suffix(['"', '\''])?.to_owned())
    };
    if let Some(texts) = values.iter().map(unquoted).collect() {
        return Type::Enum(texts);
    }
    let number = |value: &&str| value.trim().parse::<serde_json::Number>().ok();
    let numbers: Option<Vec<_>> = values.iter().map(number).collect();
    numbers.map_or(Type::Any, Type::Numbers)
}

/// Whether a text is a name in `PascalCase`, possibly behind the path of its module.
fn is_model_name(text: &str) -> bool {
    let mut parts = text.split('.');
    let last = parts.next_back().unwrap_or_default();
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    last.starts_with(|c: char| c.is_ascii_uppercase()) && is_part(last) && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        parse_type(text).map_or_else(|| "?".to_owned(), |ty| ty.to_string())
    }

    #[test]
    fn reads_spellings_of_python_json_schema_and_herald() {
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
            ("Literal[1, 2]", "enum(1, 2)"),
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
    fn rejects_prose_and_unbalanced_brackets() {
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
