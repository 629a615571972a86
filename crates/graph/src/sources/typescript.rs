//! Tokens of TypeScript and JavaScript.

use super::token::{Content, Kind, Token, begins_name, run};

/// The tokens of a text. What is not understood is skipped character by character.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        tokens: Vec::new(),
        open: Vec::new(),
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
    /// Open brackets. A line does not end a statement in round and square ones.
    open: Vec<u8>,
}

impl<'t> Lexer<'t> {
    /// Reads the token at a place, and returns its end.
    fn token(&mut self, start: usize) -> usize {
        let next = self.bytes.get(start + 1);
        match (self.bytes[start], next) {
            (b'/', Some(b'/')) => run(self.bytes, start, |byte| byte != b'\n'),
            (b'/', Some(b'*')) => end_of_comment(self.text, start),
            (b'#', Some(b'!')) if start == 0 => run(self.bytes, start, |byte| byte != b'\n'),
            (b'/', _) if self.begins_value() => match end_of_regex(self.bytes, start) {
                Some(end) => self.add(Kind::Sign(b'/'), start, end),
                None => self.add(Kind::Sign(b'/'), start, start + 1),
            },
            (b'\n', _) => {
                if !matches!(self.open.last(), Some(b'(' | b'[')) {
                    self.add(Kind::LineEnd, start, start + 1);
                }
                start + 1
            }
            (byte, _) if byte.is_ascii_whitespace() => start + 1,
            (b'"' | b'\'' | b'`', _) => match content(self.bytes, start) {
                Some((content, end)) => {
                    let literal = content.finish(self.text, end);
                    self.add(Kind::Text(literal), start, end + 1)
                }
                // A quote that is not closed, as in the text of JSX: the text goes on behind it.
                None => self.add(Kind::Sign(self.bytes[start]), start, start + 1),
            },
            (byte, _) if begins_name(byte) || byte == b'$' => {
                let is_part = |byte| begins_name(byte) || byte == b'$' || byte.is_ascii_digit();
                let end = run(self.bytes, start, is_part);
                self.add(Kind::Name(&self.text[start..end]), start, end)
            }
            (byte, _) if byte.is_ascii_digit() => {
                let is_part =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
                let end = run(self.bytes, start, is_part);
                self.add(Kind::Sign(b'0'), start, end)
            }
            (byte, _) => {
                match byte {
                    b'(' | b'[' | b'{' => self.open.push(byte),
                    b')' | b']' | b'}' => drop(self.open.pop()),
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

    /// Whether a value may begin here, so that a slash begins a regular expression.
    fn begins_value(&self) -> bool {
        let mut before = self.tokens.iter().rev();
        match before.find(|token| token.kind != Kind::LineEnd) {
            None => true,
            Some(token) => match token.kind {
                Kind::Name(name) => matches!(
                    name,
                    "return"
                        | "typeof"
                        | "case"
                        | "in"
                        | "of"
                        | "delete"
                        | "void"
                        | "throw"
                        | "new"
                        | "else"
                        | "do"
                        | "instanceof"
                        | "await"
                        | "yield"
                ),
                // `</div>` of JSX is none.
                Kind::Sign(sign) => !matches!(sign, b')' | b']' | b'}' | b'0' | b'<' | b'/'),
                Kind::Text(_) | Kind::LineEnd => false,
            },
        }
    }
}

fn end_of_comment(text: &str, start: usize) -> usize {
    let end = text[start + 2..].find("*/");
    end.map_or(text.len(), |end| start + 2 + end + 2)
}

/// The end of a regular expression that begins with a slash.
fn end_of_regex(bytes: &[u8], start: usize) -> Option<usize> {
    let mut is_class = false;
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\n' => return None,
            b'\\' => at += 1,
            b'[' => is_class = true,
            b']' => is_class = false,
            b'/' if !is_class => return Some(run(bytes, at + 1, begins_name)),
            _ => {}
        }
        at += 1;
    }
}

/// The content of a literal, and its end; nothing if it is not closed.
fn content(bytes: &[u8], quote: usize) -> Option<(Content, usize)> {
    let mark = bytes[quote];
    let mut content = Content::at(quote + 1);
    let mut at = content.start;
    loop {
        match *bytes.get(at)? {
            b'\\' => {
                content.is_other = true;
                at += 2;
            }
            b'\n' if mark != b'`' => return None,
            b'$' if mark == b'`' && bytes.get(at + 1) == Some(&b'{') => {
                let end = end_of_placeholder(bytes, at + 1)?;
                content.add_placeholder(at, end);
                at = end;
            }
            byte if byte == mark => return Some((content, at)),
            _ => at += 1,
        }
    }
}

/// The end of a placeholder that begins with `{`.
fn end_of_placeholder(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0;
    let mut at = start;
    loop {
        match (*bytes.get(at)?, bytes.get(at + 1)) {
            (b'{', _) => depth += 1,
            (b'}', _) => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (b'"' | b'\'' | b'`', _) => at = content(bytes, at)?.1,
            (b'/', Some(b'/')) => at = run(bytes, at, |byte| byte != b'\n'),
            (b'/', Some(b'*')) => {
                let end = bytes[at + 2..].windows(2).position(|two| two == b"*/")?;
                at += end + 3;
            }
            _ => {}
        }
        at += 1;
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
            ("x = 'a' + \"b\" // 'c'", vec![Plain("a"), Plain("b")]),
            ("/* 'a' */ 'b' /* 'c'", vec![Plain("b")]),
            (
                "`${env}.a.v1` `a.${b}` `c`",
                vec![Prefixed(".a.v1"), Other, Plain("c")],
            ),
            ("`${f({a: `}`})}.a`", vec![Prefixed(".a")]),
            ("`${a /* } */}.a`", vec![Prefixed(".a")]),
            (r"'a\'b' 'c'", vec![Other, Plain("c")]),
            ("a / b / 'c'", vec![Plain("c")]),
            ("x = /'/g; 'a'", vec![Plain("a")]),
            ("x.replace(/[/']/, 'a')", vec![Plain("a")]),
            ("return /'/.test('a')", vec![Plain("a")]),
            ("(a) / 'b' / 1", vec![Plain("b")]),
            ("<p>Don't</p>\nconst a = 'b'", vec![Plain("b")]),
            ("<a b=\"c\">{d}</a>\n'e'", vec![Plain("c"), Plain("e")]),
            ("'a\n'b'", vec![Plain("b")]),
            ("`a", vec![]),
            ("#!/usr/bin/env node's\n'a'", vec![Plain("a")]),
        ] {
            assert_eq!(literals(tokens(text)), expected, "{text}");
        }
    }
}
