//! Tokens of Python.

use super::token::{Content, Kind, Token, begins_name, run};

/// The tokens of a text. Everything else is skipped character by character.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        tokens: Vec::new(),
        depth: 0,
    };
    let mut at = 0;
    while at < text.len() {
        at = lexer.token(at);
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    tokens: Vec<Token<'t>>,
    /// Number of open brackets, inside of which a line does not end a statement.
    depth: usize,
}

/// Letters before the quotes of a literal.
#[derive(Clone, Copy, Default)]
struct Prefix {
    is_raw: bool,
    has_placeholders: bool,
    is_bytes: bool,
}

impl Prefix {
    fn parse(name: &str) -> Option<Self> {
        let mut prefix = Self::default();
        for letter in name.bytes() {
            match letter.to_ascii_lowercase() {
                b'r' => prefix.is_raw = true,
                b'f' | b't' => prefix.has_placeholders = true,
                b'b' => prefix.is_bytes = true,
                b'u' => {}
                _ => return None,
            }
        }
        (name.len() <= 2).then_some(prefix)
    }
}

impl<'t> Lexer<'t> {
    /// Reads the token at a place, and returns its end.
    fn token(&mut self, start: usize) -> usize {
        match self.bytes[start] {
            b'#' => run(self.bytes, start, |byte| byte != b'\n'),
            b'\n' => {
                if self.depth == 0 {
                    self.add(Kind::LineEnd, start, start + 1);
                }
                start + 1
            }
            // Joins the next line to this one.
            b'\\' => match self.bytes.get(start + 1..) {
                Some([b'\n', ..]) => start + 2,
                Some([b'\r', b'\n', ..]) => start + 3,
                _ => start + 1,
            },
            byte if byte.is_ascii_whitespace() => start + 1,
            b'"' | b'\'' => self.literal(start, start, Prefix::default()),
            byte if begins_name(byte) => {
                let end = run(self.bytes, start, |byte| {
                    begins_name(byte) || byte.is_ascii_digit()
                });
                let name = &self.text[start..end];
                if matches!(self.bytes.get(end), Some(b'"' | b'\''))
                    && let Some(prefix) = Prefix::parse(name)
                {
                    return self.literal(start, end, prefix);
                }
                self.add(Kind::Name(name), start, end)
            }
            byte if byte.is_ascii_digit() => {
                let is_part =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
                let end = run(self.bytes, start, is_part);
                self.add(Kind::Sign(b'0'), start, end)
            }
            byte => {
                match byte {
                    b'(' | b'[' | b'{' => self.depth += 1,
                    b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.add(Kind::Sign(byte), start, start + 1)
            }
        }
    }

    fn add(&mut self, kind: Kind<'t>, start: usize, end: usize) -> usize {
        self.tokens.push(Token { kind, start, end });
        end
    }

    /// Reads a literal whose quotes are at `quote`.
    fn literal(&mut self, start: usize, quote: usize, prefix: Prefix) -> usize {
        let Some((content, end, length)) = self.content(quote, prefix) else {
            // A quote that is not closed: the text goes on behind it.
            return self.add(Kind::Sign(self.bytes[quote]), start, quote + 1);
        };
        let kind = if prefix.is_bytes {
            Kind::Sign(b'b')
        } else {
            Kind::Text(content.finish(self.text, end))
        };
        self.add(kind, start, end + length)
    }

    /// The content behind the quotes at a place, its end, and the number of quotes; nothing if they are not
    /// closed.
    fn content(&self, quote: usize, prefix: Prefix) -> Option<(Content, usize, usize)> {
        let mark = self.bytes[quote];
        let is_long = self.bytes.get(quote..quote + 3) == Some(&[mark; 3]);
        let length = if is_long { 3 } else { 1 };
        let mut content = Content::at(quote + length);
        let mut at = content.start;
        loop {
            match *self.bytes.get(at)? {
                b'\\' => {
                    content.is_other = true;
                    at = match self.bytes.get(at + 1) {
                        // It does not protect a placeholder.
                        Some(b'{' | b'}') if prefix.has_placeholders => at + 1,
                        // The name of a character, `\N{DASH}`.
                        Some(b'N') if prefix.has_placeholders && !prefix.is_raw => {
                            let end = run(self.bytes, at, |byte| byte != b'}' && byte != mark);
                            end + usize::from(self.bytes.get(end) == Some(&b'}'))
                        }
                        _ => at + 2,
                    };
                }
                b'\n' if !is_long => return None,
                byte if byte == mark => {
                    if !is_long || self.bytes.get(at..at + 3) == Some(&[mark; 3]) {
                        return Some((content, at, length));
                    }
                    at += 1;
                }
                b'{' | b'}' if prefix.has_placeholders => {
                    if self.bytes.get(at + 1) == self.bytes.get(at) {
                        content.is_other = true;
                        at += 2;
                    } else if self.bytes[at] == b'{' {
                        let end = self.placeholder(at, mark, is_long)?;
                        content.add_placeholder(at, end);
                        at = end;
                    } else {
                        return None;
                    }
                }
                _ => at += 1,
            }
        }
    }

    /// The end of a placeholder that begins with `{`.
    fn placeholder(&self, start: usize, mark: u8, is_long: bool) -> Option<usize> {
        let mut depth = 0;
        // Whether the format behind `:` is read, which is text with placeholders.
        let mut is_format = false;
        let mut at = start;
        loop {
            match *self.bytes.get(at)? {
                b'{' if is_format => at = self.placeholder(at, mark, is_long)?,
                b'}' if is_format => return Some(at + 1),
                b'\n' if is_format && !is_long => return None,
                byte if is_format && byte == mark && !is_long => return None,
                _ if is_format => at += 1,
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    at += 1;
                }
                b')' | b']' | b'}' => {
                    depth -= 1;
                    at += 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                b':' if depth == 1 => {
                    is_format = true;
                    at += 1;
                }
                b'#' => at = run(self.bytes, at, |byte| byte != b'\n'),
                b'"' | b'\'' => {
                    // Since Python 3.12 they may be those of the literal around it.
                    let prefix = self.prefix_before(at);
                    let (_, end, length) = self.content(at, prefix)?;
                    at = end + length;
                }
                _ => at += 1,
            }
        }
    }

    fn prefix_before(&self, quote: usize) -> Prefix {
        let before = &self.bytes[..quote];
        let letters = before.iter().rev().take_while(|byte| begins_name(**byte));
        let start = quote - letters.count();
        let name = self.text.get(start..quote).and_then(Prefix::parse);
        name.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::{Literal, literals};
    use super::*;

    #[test]
    fn finds_literals_of_all_forms() {
        use Literal::{Other, Plain, Prefixed};
        for (text, expected) in [
            ("x = 'a' + \"b\" # 'c'", vec![Plain("a"), Plain("b")]),
            (
                "'''a'b''' r'c' B'd' U'e'",
                vec![Plain("a'b"), Plain("c"), Plain("e")],
            ),
            (r"'a\'b' 'c'", vec![Other, Plain("c")]),
            (r"r'a\'b'", vec![Other]),
            ("f'{env}.a.v1' f'a.{b}'", vec![Prefixed(".a.v1"), Other]),
            ("f'{x[\"k\"]:>{w}}.a'", vec![Prefixed(".a")]),
            ("f'{f(':', {1: 2})}.a'", vec![Prefixed(".a")]),
            ("f'{x!r:%H:%M}.a' 'b'", vec![Prefixed(".a"), Plain("b")]),
            ("f'{d['k']}.a'", vec![Prefixed(".a")]),
            ("f'{{a}}'", vec![Other]),
            ("f'{a}\\n}}' 'b'", vec![Other, Plain("b")]),
            ("f'\\N{DASH}{a}' 'b'", vec![Other, Plain("b")]),
            ("it's\nx = 'a'", vec![Plain("a")]),
            ("'''a", vec![Plain("")]),
            ("'é' \"ü\"", vec![Plain("é"), Plain("ü")]),
            ("\"\" ''", vec![Plain(""), Plain("")]),
        ] {
            assert_eq!(literals(tokens(text)), expected, "{text}");
        }
    }

    #[test]
    fn lines_end_statements_outside_of_brackets() {
        let ends = |text| {
            let tokens = tokens(text);
            tokens
                .iter()
                .filter(|one| one.kind == Kind::LineEnd)
                .count()
        };
        assert_eq!(ends("a = [\n1,\n2]\nb\\\n= 1\n"), 2);
    }
}
