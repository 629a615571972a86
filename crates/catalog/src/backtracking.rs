//! Detection of patterns that can be exponentially slow in a backtracking engine.
//!
//! Rust's engine is linear for every pattern. Python's tries every way to split a text between two
//! repetitions that both match it, and the text is an error message that may contain input of
//! strangers. A pattern is accepted only if it is known to be harmless: each long repetition repeats
//! one character or class, and ends at a character that it can't match before the next one begins.
//! Then a search takes at most quadratic time in the length of the text.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{Ast, GroupKind, RepetitionKind, RepetitionRange};

/// Maximum number of rounds of a short repetition, which is cheap regardless of its neighbours.
const MAX_SHORT_ROUNDS: u32 = 16;

/// Rejects patterns that may take too long.
///
/// # Errors
/// The reason, as the end of a sentence.
pub(crate) fn check(pattern: &str, ast: &Ast) -> Result<(), String> {
    let branches = match ast {
        Ast::Alternation(alternation) => alternation.asts.as_slice(),
        other => std::slice::from_ref(other),
    };
    for branch in branches {
        let mut elements = Vec::new();
        flatten(pattern, branch, &mut elements)?;
        check_sequence(&elements)?;
    }
    Ok(())
}

/// Element of a sequence, as far as it matters for backtracking.
enum Element {
    /// A character that has to follow.
    Char(char),
    /// A short element that may be empty.
    Short,
    /// A long repetition of the characters that match.
    Long(Regex),
    /// An element with long repetitions inside, which may match any text.
    Unknown,
}

fn check_sequence(elements: &[Element]) -> Result<(), String> {
    /// Long repetition that may still go on at the current element.
    enum Open<'a> {
        None,
        Matching(&'a Regex),
        Anything,
    }
    let mut open = Open::None;
    for element in elements {
        match element {
            Element::Short => {}
            Element::Char(c) => {
                if let Open::Matching(regex) = open
                    && !regex.is_match(c.encode_utf8(&mut [0; 4]))
                {
                    open = Open::None;
                }
            }
            Element::Long(_) | Element::Unknown if !matches!(open, Open::None) => {
                return Err("two repetitions can match the same text".to_owned());
            }
            Element::Long(regex) => open = Open::Matching(regex),
            Element::Unknown => open = Open::Anything,
        }
    }
    Ok(())
}

fn flatten(pattern: &str, ast: &Ast, elements: &mut Vec<Element>) -> Result<(), String> {
    match ast {
        Ast::Concat(concat) => {
            for part in &concat.asts {
                flatten(pattern, part, elements)?;
            }
        }
        Ast::Literal(literal) => elements.push(Element::Char(literal.c)),
        Ast::Group(group) if !matches!(*group.ast, Ast::Alternation(_)) => {
            flatten(pattern, &group.ast, elements)?;
        }
        // An alternation is checked by itself. For its neighbours it is one element: which branch
        // matches is unknown, so a long repetition in any of them counts.
        Ast::Alternation(_) | Ast::Group(_) => {
            let inner = match ast {
                Ast::Group(group) => &*group.ast,
                other => other,
            };
            check(pattern, inner)?;
            elements.push(if has_long_repetition(inner) {
                Element::Unknown
            } else {
                Element::Short
            });
        }
        Ast::Repetition(repetition) => {
            let inner = &*repetition.ast;
            let rounds = rounds(&repetition.op.kind);
            if is_one_character(inner) {
                elements.push(match rounds {
                    Some(max) if max <= MAX_SHORT_ROUNDS => Element::Short,
                    _ => Element::Long(matcher(pattern, inner)),
                });
            } else if rounds == Some(1) {
                check(pattern, inner)?;
                elements.push(if has_long_repetition(inner) {
                    Element::Unknown
                } else {
                    Element::Short
                });
            } else if rounds.is_some_and(|max| max <= MAX_SHORT_ROUNDS)
                && !has_repetition(inner)
                && !has_alternation(inner)
            {
                elements.push(Element::Short);
            } else {
                return Err("only a character or a class can be repeated, not a group".to_owned());
            }
        }
        // A class, a dot or an assertion. A class could end a repetition as a character does, but this
        // is not examined: such a pattern is rejected, which is safe.
        _ => elements.push(Element::Short),
    }
    Ok(())
}

/// Returns the maximum number of rounds; `None` without a limit.
fn rounds(kind: &RepetitionKind) -> Option<u32> {
    match kind {
        RepetitionKind::ZeroOrOne => Some(1),
        RepetitionKind::ZeroOrMore
        | RepetitionKind::OneOrMore
        | RepetitionKind::Range(RepetitionRange::AtLeast(_)) => None,
        RepetitionKind::Range(
            RepetitionRange::Exactly(most) | RepetitionRange::Bounded(_, most),
        ) => Some(*most),
    }
}

fn is_one_character(ast: &Ast) -> bool {
    match ast {
        Ast::Literal(_) | Ast::Dot(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => true,
        Ast::Group(group) => {
            matches!(
                group.kind,
                GroupKind::NonCapturing(_) | GroupKind::CaptureIndex(_)
            ) && is_one_character(&group.ast)
        }
        _ => false,
    }
}

fn has_long_repetition(ast: &Ast) -> bool {
    match ast {
        Ast::Repetition(repetition) => {
            rounds(&repetition.op.kind).is_none_or(|max| max > MAX_SHORT_ROUNDS)
                || has_long_repetition(&repetition.ast)
        }
        Ast::Group(group) => has_long_repetition(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().any(has_long_repetition),
        Ast::Alternation(alternation) => alternation.asts.iter().any(has_long_repetition),
        _ => false,
    }
}

fn has_repetition(ast: &Ast) -> bool {
    match ast {
        Ast::Repetition(_) => true,
        Ast::Group(group) => has_repetition(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().any(has_repetition),
        Ast::Alternation(alternation) => alternation.asts.iter().any(has_repetition),
        _ => false,
    }
}

fn has_alternation(ast: &Ast) -> bool {
    match ast {
        Ast::Alternation(_) => true,
        Ast::Group(group) => has_alternation(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().any(has_alternation),
        Ast::Repetition(repetition) => has_alternation(&repetition.ast),
        _ => false,
    }
}

/// Tells which characters a class matches; case does not matter in redaction.
fn matcher(pattern: &str, class: &Ast) -> Regex {
    let span = class.span();
    let class = &pattern[span.start.offset..span.end.offset];
    let anything = || Regex::new("").expect("the empty pattern is one");
    RegexBuilder::new(&format!("^(?:{class})$"))
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .unwrap_or_else(|_| anything())
}

#[cfg(test)]
mod tests {
    use regex_syntax::ast::parse::Parser;

    use super::*;

    fn passes(pattern: &str) -> bool {
        check(pattern, &Parser::new().parse(pattern).expect("a pattern")).is_ok()
    }

    #[test]
    fn accepts_repetitions_that_end_before_the_next() {
        for pattern in [
            r"corp-\d+",
            r"--password[= ]\S+",
            r"user=\w+ key=\w+",
            r"key(?:_id)?=[a-z]{32}",
            r"(?:key|token)=\w+",
            r"\d{4}-\d{4}-\d{4}",
            r"(?:ab){2,4}c+",
            r"a+|b+",
            r"(?:a{0,9}|b)?[a-z]{0,16}\w+",
        ] {
            assert!(passes(pattern), "{pattern}");
        }
    }

    #[test]
    fn rejects_repetitions_that_match_the_same_text() {
        for pattern in [
            r"(a+)+b",
            r"(x|x)*y",
            r"\w*\w*x",
            r"\w+x\w+",
            r"\w+[a-z]\w+",
            r"(?:a{0,9}){0,9}",
            r"(?:a|a){0,9}",
            r".*.*",
            r"(?:a+|b)c?\w+",
            r"(?:a+)?a+",
            r"[a-f]+A\w+",
        ] {
            assert!(!passes(pattern), "{pattern}");
        }
    }
}
