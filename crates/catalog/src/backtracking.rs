//! Whether a pattern can send a backtracking engine astray.
//!
//! Rust's engine is linear whatever the pattern; Python's tries every way to split a text between
//! two repetitions that both match it, and the text is an error message that somebody else may
//! have chosen. Refused is what can't be shown to be harmless: a pattern passes when each long
//! repetition repeats one character or class, and ends at a character that it can't match before
//! the next one begins. Then a search takes at most the square of the text's length.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{Ast, GroupKind, RepetitionKind, RepetitionRange};

/// Repetitions of up to so many rounds are cheap, whatever stands beside them.
const SHORT: u32 = 16;

/// Says why a pattern may take too long.
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

/// A piece of a sequence, as far as it matters for backtracking.
enum Element {
    /// This character must follow.
    Char(char),
    /// Something short, which may be nothing.
    Short,
    /// A long repetition of what matches.
    Long(Regex),
    /// Something that has long repetitions inside, and may match anything.
    Unknown,
}

fn check_sequence(elements: &[Element]) -> Result<(), String> {
    /// The long repetition that has not ended for certain.
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
                    Some(most) if most <= SHORT => Element::Short,
                    _ => Element::Long(matcher(pattern, inner)),
                });
            } else if rounds == Some(1) {
                check(pattern, inner)?;
                elements.push(if has_long_repetition(inner) {
                    Element::Unknown
                } else {
                    Element::Short
                });
            } else if rounds.is_some_and(|most| most <= SHORT)
                && !has_repetition(inner)
                && !has_alternation(inner)
            {
                elements.push(Element::Short);
            } else {
                return Err("a repetition may repeat one character or class, no group".to_owned());
            }
        }
        _ => elements.push(Element::Short),
    }
    Ok(())
}

/// How often at most; `None` without a limit.
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
            rounds(&repetition.op.kind).is_none_or(|most| most > SHORT)
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
    fn what_ends_before_the_next_repetition_begins_passes() {
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
    fn what_can_split_a_text_in_many_ways_is_refused() {
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
