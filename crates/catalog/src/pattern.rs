//! Regular expressions that mean the same in all languages.
//!
//! A pattern is written once, in the contract, and runs in generated code of several languages, so it
//! may use only what they all read in the same way.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, ErrorKind, GroupKind, Literal,
    LiteralKind, Repetition, RepetitionKind, RepetitionRange, Visitor,
};

use thiserror::Error;

use crate::backtracking;

mod portable_regex;

/// Error for a pattern that can't be used.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub(crate) struct InvalidPattern {
    /// Reason, as the end of a sentence.
    pub(crate) reason: String,
    /// Advice.
    pub(crate) help: &'static str,
}

/// Checks that a pattern of secrets works in Rust and in Python.
///
/// # Errors
/// The first problem.
pub(crate) fn check(pattern: &str) -> Result<(), InvalidPattern> {
    let (_, regex) = parse(pattern)?;
    if regex.is_match("") {
        return Err(InvalidPattern {
            reason: "it matches the empty text".to_owned(),
            help: "make it match at least one character",
        });
    }
    Ok(())
}

/// Checks that a pattern of texts means the same in all languages, JSON Schema (ECMA-262) included.
///
/// # Errors
/// The first problem.
pub(crate) fn check_portable(pattern: &str) -> Result<(), InvalidPattern> {
    let (ast, _) = parse(pattern)?;
    portable_regex::check(&ast)
}

/// Returns the effort to compile a pattern, in about the unit of a byte that is read. A pattern of another
/// syntax than that of this crate's engine counts by its length.
pub(crate) fn effort(pattern: &str) -> usize {
    const MIN_EFFORT: usize = 4096;
    let parsed = ast::parse::Parser::new().parse(pattern);
    let size = parsed.map_or(pattern.len(), |ast| size(&ast));
    size.saturating_add(MIN_EFFORT)
}

/// Returns about how many states an automaton for a pattern has.
fn size(ast: &Ast) -> usize {
    const CLASS_SIZE: usize = 300;
    let all = |asts: &[Ast]| asts.iter().map(size).fold(0, usize::saturating_add);
    match ast {
        Ast::Concat(concat) => all(&concat.asts),
        Ast::Alternation(alternation) => all(&alternation.asts),
        Ast::Group(group) => size(&group.ast),
        Ast::Repetition(repetition) => {
            let rounds = match &repetition.op.kind {
                RepetitionKind::Range(
                    RepetitionRange::Exactly(max)
                    | RepetitionRange::AtLeast(max)
                    | RepetitionRange::Bounded(_, max),
                ) => usize::try_from(*max).unwrap_or(usize::MAX),
                _ => 1,
            };
            size(&repetition.ast).saturating_mul(rounds.max(1))
        }
        Ast::ClassPerl(_) | Ast::ClassUnicode(_) => CLASS_SIZE,
        _ => 1,
    }
}

fn parse(pattern: &str) -> Result<(Ast, regex::Regex), InvalidPattern> {
    const PORTABLE: &str =
        "use what every language supports: no look-around, back-references or flags";
    let problem = |help| move |reason: String| InvalidPattern { reason, help };
    let ast = ast::parse::Parser::new().parse(pattern).map_err(|error| {
        let help = match error.kind() {
            ErrorKind::UnsupportedLookAround | ErrorKind::UnsupportedBackreference => PORTABLE,
            _ => "put a backslash before characters that are meant literally",
        };
        problem(help)(error.kind().to_string())
    })?;
    ast::visit(&ast, Portable).map_err(problem(PORTABLE))?;
    backtracking::check(pattern, &ast).map_err(problem(
        "let each repetition end at a character that it can't match, as in `key=[a-z]+ id=[0-9]+`",
    ))?;
    if pattern.contains("||") {
        let reason = "`||` has a meaning of its own in some languages";
        return Err(problem(PORTABLE)(reason.to_owned()));
    }
    let regex = regex::Regex::new(pattern).map_err(|_| InvalidPattern {
        reason: "it is too large".to_owned(),
        help: "repeat less",
    })?;
    Ok((ast, regex))
}

/// Visitor that rejects syntax that Python does not have, or reads in another way.
struct Portable;

impl Visitor for Portable {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::Flags(_) => Err("flags differ between languages".to_owned()),
            Ast::ClassUnicode(_) => Err("only Rust supports `\\p`".to_owned()),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => Ok(()),
                _ => Err(
                    "only the assertions `^`, `$`, `\\A`, `\\b` and `\\B` are portable".to_owned(),
                ),
            },
            Ast::Literal(literal) => check_literal(literal),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => Ok(()),
                GroupKind::CaptureName {
                    starts_with_p,
                    name,
                } => {
                    let plain = name
                        .name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_');
                    (*starts_with_p && plain)
                        .then_some(())
                        .ok_or_else(|| "names of groups are written `(?P<name>…)`".to_owned())
                }
                GroupKind::NonCapturing(flags) if flags.items.is_empty() => Ok(()),
                GroupKind::NonCapturing(_) => Err("flags differ between languages".to_owned()),
            },
            Ast::Repetition(repetition) => match &*repetition.ast {
                Ast::Repetition(_) => Err("two repetitions stand side by side".to_owned()),
                Ast::Assertion(_) => Err("a repetition has nothing to repeat".to_owned()),
                _ => check_range(repetition),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) => {
                Err("only Rust supports named classes".to_owned())
            }
            ClassSetItem::Bracketed(_) => Err("only Rust supports a class in a class".to_owned()),
            ClassSetItem::Literal(literal) => check_literal(literal),
            ClassSetItem::Range(range) => {
                check_literal(&range.start)?;
                check_literal(&range.end)
            }
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), String> {
        Err("only Rust supports `&&`, `--` and `~~` in a class".to_owned())
    }
}

/// Rejects ranges with spaces: Python reads `a{0, 3}` as literal text.
fn check_range(repetition: &Repetition) -> Result<(), String> {
    let RepetitionKind::Range(range) = &repetition.op.kind else {
        return Ok(());
    };
    let mut plain = match range {
        RepetitionRange::Exactly(times) => format!("{{{times}}}"),
        RepetitionRange::AtLeast(min) => format!("{{{min},}}"),
        RepetitionRange::Bounded(min, max) => format!("{{{min},{max}}}"),
    };
    if !repetition.greedy {
        plain.push('?');
    }
    let span = repetition.op.span;
    (span.end.offset - span.start.offset == plain.len())
        .then_some(())
        .ok_or_else(|| format!("a repetition is written `{plain}`, without spaces"))
}

fn check_literal(literal: &Literal) -> Result<(), String> {
    match literal.kind {
        LiteralKind::HexBrace(_) => {
            Err("only Rust supports hexadecimal digits in braces".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn built_in_patterns_of_secrets_are_harmless() {
        for rule in herald_redact::rules::all() {
            assert_eq!(check(rule.pattern), Ok(()), "{}: {}", rule.id, rule.pattern);
        }
    }

    #[test]
    fn accepts_common_syntax_of_rust_and_python() {
        for pattern in [
            r"--password[= ]\S+",
            r"key=\w+",
            r"(?P<name>a)(?:b|c)?d{1,3}?e{2,}?f{3}",
            r"[]a-z\-]+\b",
            r"\++\x41\u0041",
            r"[*+]x",
            "日本",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn rejects_syntax_that_differs() {
        for pattern in [
            r"(?<=key=)\w+",
            r"(a)\1",
            r"(?i)key",
            r"(?i:key)",
            r"\p{L}",
            r"\<key",
            r"key\z",
            r"\x{41}",
            "[[:alpha:]]",
            "[a&&b]",
            "[a--b]",
            "[a||b]",
            "[a[b]]",
            "a**",
            "a*+",
            "a{2}{3}",
            "a{0, 3}",
            "^*a",
            "(?<name>a)",
            "(?P<a.b>a)",
            "(",
            "",
            "a*",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
