//! Tokens of source texts, as far as literals and the names in front of them need them.

/// A token and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub kind: Kind<'t>,
    pub start: usize,
    pub end: usize,
}

/// Kind of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'t> {
    /// An identifier or keyword.
    Name(&'t str),
    /// A text literal.
    Text(Literal<'t>),
    /// A character of an operator or a bracket; `0` stands for a number, `b` for bytes, `/` for a
    /// regular expression too.
    Sign(u8),
    /// End of a statement that has no sign for it.
    LineEnd,
}

/// A text literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal<'t> {
    /// A text without escapes.
    Plain(&'t str),
    /// A placeholder, and a text behind it: `f"{env}.orders.v1"`.
    Prefixed(&'t str),
    /// A text with escapes or with placeholders in other places.
    Other,
}

/// Literal of the content between quotes, and of its first placeholder.
pub(crate) struct Content {
    /// Start of the content.
    pub start: usize,
    /// End of a placeholder at the start.
    pub prefix: Option<usize>,
    /// Whether there are escapes or other placeholders.
    pub is_other: bool,
}

impl Content {
    pub(crate) fn at(start: usize) -> Self {
        Self {
            start,
            prefix: None,
            is_other: false,
        }
    }

    /// Notes a placeholder.
    pub(crate) fn add_placeholder(&mut self, start: usize, end: usize) {
        if start == self.start {
            self.prefix = Some(end);
        } else {
            self.is_other = true;
        }
    }

    /// The literal whose content ends before `end`.
    pub(crate) fn finish(self, text: &str, end: usize) -> Literal<'_> {
        match (self.is_other, self.prefix) {
            (true, _) => Literal::Other,
            (false, Some(start)) => Literal::Prefixed(&text[start..end]),
            (false, None) => Literal::Plain(&text[self.start..end]),
        }
    }
}

/// Whether a byte may begin an identifier.
pub(crate) fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// The end of a run of bytes that pass a test.
pub(crate) fn run(bytes: &[u8], start: usize, test: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| !test(*byte));
    start + length.unwrap_or(rest.len())
}

/// The literals among tokens.
#[cfg(test)]
pub(crate) fn literals(tokens: Vec<Token<'_>>) -> Vec<Literal<'_>> {
    let literals = tokens.into_iter().filter_map(|token| match token.kind {
        Kind::Text(literal) => Some(literal),
        _ => None,
    });
    literals.collect()
}
