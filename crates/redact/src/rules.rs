//! The table of secrets.
//!
//! Patterns have the same meaning in Rust and in Python, and are not slow in a backtracking engine,
//! because standalone generated modules search with them too. They are ASCII, without look-around and
//! flags; [`Before`] and [`Secret`] describe what a pattern can't express.
//!
//! In examples `«…»` marks the masked part, and `{hex*32}` stands for 32 characters of a class, so that
//! secret scanners do not report the table; [`plain`] and [`masked`] expand them.

mod codes;
mod commands;
mod names;
mod tokens;
mod urls;

use crate::MASK;

/// Kind of secret: how it is found, and examples.
#[derive(Debug)]
pub struct Rule {
    /// Name, such as `stripe`.
    pub id: &'static str,
    /// Description for people.
    pub title: &'static str,
    /// Keywords: a text without any of them contains no such secret. Found in any case. Without keywords
    /// every text is searched.
    pub keywords: &'static [&'static str],
    /// Characters that may not precede a match.
    pub before: Before,
    /// Regular expression of the secret, or of the text before it.
    pub pattern: &'static str,
    /// Whether `A` matches `a`.
    pub ignore_case: bool,
    /// The secret, seen from a match.
    pub secret: Secret,
    /// Texts with such secrets.
    pub examples: &'static [&'static str],
    /// Similar texts that are not masked.
    pub near_misses: &'static [&'static str],
}

/// Characters that may not stand right before a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Any may.
    Any,
    /// Letters and digits of ASCII.
    Alphanumeric,
    /// Letters, digits, and `_`, `-` and `.`: a number is one by itself.
    Part,
}

impl Before {
    pub(crate) fn forbids(self, byte: u8) -> bool {
        match self {
            Self::Any => false,
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Part => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        }
    }
}

/// The secret, seen from a match of a rule's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The match and the following characters of a class.
    Match(&'static str),
    /// The characters of a class behind the match, at least this many.
    Following(&'static str, usize),
    /// The match, if it is the number of a card.
    Card,
    /// The beginning of the match that is an IBAN.
    Iban,
    /// The match up to the line that ends a private key.
    Pem,
    /// The value behind `name=`: in quotes, in brackets, or up to white space or the next name.
    Assigned,
    /// The value behind `name:`: like the above, but up to the end of the line; a block of YAML.
    Line,
    /// The value behind `"name",`, in quotes.
    Paired,
    /// The value behind `--name`.
    Option,
    /// The text of the element `<name>`.
    Element,
    /// The value behind `name%3D`, as URLs encode it.
    Encoded,
    /// In quotes, or up to the end of the line.
    Header,
    /// In quotes.
    Quoted,
    /// Behind a scheme of HTTP, unless it is a word of prose.
    Credentials,
    /// `user:password`, in quotes or up to white space.
    UserPassword,
    /// Up to the `@` of a URL.
    UserInfo,
    /// Up to the `%40` of an encoded URL.
    EncodedUserInfo,
    /// Three to ten digits.
    Code,
    /// A value as pydantic prints it: up to `, input_type=`.
    InputValue,
}

impl Secret {
    /// Tells whether the match is the name of a secret, in two groups: its core and the rest.
    pub(crate) fn is_named(self) -> bool {
        use Secret::{Assigned, Element, Encoded, Line, Option, Paired};
        matches!(self, Assigned | Line | Paired | Option | Element | Encoded)
    }
}

/// Suffixes of names that are not secret, such as `token_type`.
pub const PUBLIC_ENDINGS: &[&str] = &[
    "less",
    "_type",
    "_count",
    "_limit",
    "_url",
    "_uri",
    "_endpoint",
    "_name",
    "_policy",
    "_length",
    "_ttl",
    "_expiry",
    "_expires",
    "_expires_in",
    "_expires_at",
    "_version",
    "_required",
    "_enabled",
    "_field",
    "_path",
    "_file",
    "_arn",
    "_budget",
    "_usage",
    "_location",
];

/// Words behind `Bearer` and `Basic` in prose, which are not credentials.
pub const PROSE: &[&str] = &[
    "access",
    "and",
    "are",
    "auth",
    "authentication",
    "authorization",
    "credential",
    "credentials",
    "for",
    "from",
    "has",
    "header",
    "http",
    "in",
    "is",
    "missing",
    "must",
    "not",
    "of",
    "or",
    "realm",
    "required",
    "scheme",
    "token",
    "tokens",
    "was",
    "with",
];

/// Every rule.
pub static RULES: [&[Rule]; 5] = [
    names::RULES,
    urls::RULES,
    commands::RULES,
    codes::RULES,
    tokens::RULES,
];

/// Every rule, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.into_iter().flatten()
}

/// Returns the text of an example.
pub fn plain(example: &str) -> String {
    expand(&example.replace(['«', '»'], ""))
}

/// Returns an example as it looks when it is masked.
pub fn masked(example: &str) -> String {
    let mut text = String::new();
    for (place, part) in example.split('«').enumerate() {
        if let (1.., Some((_, rest))) = (place, part.split_once('»')) {
            text += MASK;
            text += rest;
        } else {
            text += part;
        }
    }
    expand(&text)
}

/// Replaces each `{class*count}` by so many characters.
fn expand(text: &str) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        expanded += before;
        let filler = after.split_once('}').and_then(|(inside, rest)| {
            let (class, count) = inside.split_once('*')?;
            Some((characters(class)?.take(count.parse().ok()?), rest))
        });
        rest = if let Some((characters, rest)) = filler {
            expanded.extend(characters);
            rest
        } else {
            expanded.push('{');
            after
        };
    }
    expanded + rest
}

fn characters(class: &str) -> Option<impl Iterator<Item = char>> {
    let all = match class {
        "alnum" => "a9Bc7De5Fg3Hi1JkL8mN6oP4qR2sT0uVwXyZ",
        "upper" => "K7M2Q9X4A6B3T8Z5",
        "hex" => "3fa9c1e7b5d8264f",
        "digits" => "4820917365",
        "base64" => "aB3+cD5/eF7Gh9Ij",
        _ => return None,
    };
    Some(all.chars().cycle())
}
