//! What the regular expressions of all languages read in the same way.
//!
//! A pattern of a field goes into JSON Schema, whose dialect is that of ECMA-262, and into models
//! of other languages. Classes such as `\d` are not the same characters everywhere, so they have
//! to be written out.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerlKind, ClassSetItem, GroupKind, HexLiteralKind, Literal,
    LiteralKind, SpecialLiteralKind, Visitor,
};

use super::Problem;

const SPELLED: &str =
    "write the characters themselves, such as `[0-9]`, `[A-Za-z0-9_]` or `[ \\t]`";
const PLAIN: &str = "use what every language knows: characters, classes in brackets, groups, \
                     repetitions, `^` and `$`";

/// Refuses what one of the dialects reads in another way, or not at all. The pattern has passed
/// the check of Rust and Python.
pub(super) fn check(ast: &Ast) -> Result<(), Problem> {
    ast::visit(ast, Everywhere { in_class: false })
}

struct Everywhere {
    in_class: bool,
}

fn refuse(reason: &str, help: &'static str) -> Result<(), Problem> {
    let reason = reason.to_owned();
    Err(Problem { reason, help })
}

impl Everywhere {
    fn check_literal(&self, literal: &Literal) -> Result<(), Problem> {
        let has_to_be_escaped = match literal.c {
            '[' | ']' => true,
            '{' | '}' => !self.in_class,
            _ => false,
        };
        let may_be_escaped =
            "^$\\.*+?()[]{}|/".contains(literal.c) || (literal.c == '-' && self.in_class);
        match literal.kind {
            LiteralKind::Verbatim if has_to_be_escaped => refuse(
                "a bracket or brace stands for itself without a backslash",
                "put a backslash before it",
            ),
            LiteralKind::Meta | LiteralKind::Superfluous if !may_be_escaped => refuse(
                "a backslash stands before what does not need one",
                "remove the backslash",
            ),
            LiteralKind::Octal
            | LiteralKind::HexBrace(_)
            | LiteralKind::HexFixed(HexLiteralKind::UnicodeLong)
            | LiteralKind::Special(SpecialLiteralKind::Bell | SpecialLiteralKind::Space) => {
                refuse("not every language knows this escape", PLAIN)
            }
            _ => Ok(()),
        }
    }
}

impl Visitor for Everywhere {
    type Output = ();
    type Err = Problem;

    fn finish(self) -> Result<(), Problem> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Problem> {
        match ast {
            Ast::ClassPerl(class) => {
                let name = match class.kind {
                    ClassPerlKind::Digit => "`\\d` is",
                    ClassPerlKind::Space => "`\\s` is",
                    ClassPerlKind::Word => "`\\w` is",
                };
                refuse(
                    &format!("{name} not the same characters everywhere"),
                    SPELLED,
                )
            }
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
                _ => refuse("only `^` and `$` may say where it stands", PLAIN),
            },
            Ast::Group(group) if matches!(group.kind, GroupKind::CaptureName { .. }) => {
                refuse("groups have no names everywhere", "write `(?:…)` or `(…)`")
            }
            Ast::Literal(literal) => self.check_literal(literal),
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Problem> {
        self.in_class = true;
        match item {
            ClassSetItem::Perl(_) => refuse(
                "classes such as `\\d` are not the same characters everywhere",
                SPELLED,
            ),
            ClassSetItem::Literal(literal) => self.check_literal(literal),
            ClassSetItem::Range(range) => {
                self.check_literal(&range.start)?;
                self.check_literal(&range.end)
            }
            _ => Ok(()),
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), Problem> {
        if matches!(ast, Ast::ClassBracketed(_)) {
            self.in_class = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::check_portable;

    #[test]
    fn what_all_share_is_taken() {
        for pattern in [
            "^[A-Z]{3}$",
            "^[a-z]*$",
            r"^(?:\+|0)[0-9]{1,14}$",
            r"^[^@ ]+@[^@ ]+\.[a-z\-]{2,8}$",
            r"\x41\u0041\t\/",
            "^$",
            "[{}]",
            "日本",
        ] {
            assert_eq!(check_portable(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn what_one_reads_differently_is_refused() {
        for pattern in [
            r"^\d+$",
            r"[\w.]",
            r"\bkey",
            r"\Akey",
            "(?P<name>a)",
            r"\-",
            r"\#",
            r"[\&]",
            r"\a",
            r"\U00000041",
            "[]a]",
            "a]",
            "a{,3}",
            "a{0, 3}",
            "(?=a)",
            "(a+)+",
            r"\p{L}",
            "(",
        ] {
            assert!(check_portable(pattern).is_err(), "{pattern}");
        }
    }
}
