//! The subset of regular expressions that all languages read in the same way.
//!
//! A pattern of a field goes into JSON Schema, whose dialect is that of ECMA-262, and into models
//! of other languages. Classes such as `\d` are not the same characters in all languages, so they have
//! to be written out.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerlKind, ClassSetItem, GroupKind, HexLiteralKind, Literal,
    LiteralKind, SpecialLiteralKind, Visitor,
};

use super::InvalidPattern;

const SPELLED: &str =
    "write the characters themselves, such as `[0-9]`, `[A-Za-z0-9_]` or `[ \\t]`";
const PLAIN: &str = "use what every language supports: characters, classes in brackets, groups, \
                     repetitions, `^` and `$`";

/// Rejects syntax that one of the dialects does not have, or reads in another way. The pattern has
/// passed the check for Rust and Python.
pub(super) fn check(ast: &Ast) -> Result<(), InvalidPattern> {
    ast::visit(ast, CommonSyntax { in_class: false })
}

/// Visitor that rejects syntax outside of the common subset.
struct CommonSyntax {
    in_class: bool,
}

fn reject(reason: &str, help: &'static str) -> Result<(), InvalidPattern> {
    let reason = reason.to_owned();
    Err(InvalidPattern { reason, help })
}

impl CommonSyntax {
    fn check_literal(&self, literal: &Literal) -> Result<(), InvalidPattern> {
        let has_to_be_escaped = match literal.c {
            '[' | ']' => true,
            '{' | '}' => !self.in_class,
            _ => false,
        };
        let may_be_escaped =
            "^$\\.*+?()[]{}|/".contains(literal.c) || (literal.c == '-' && self.in_class);
        match literal.kind {
            LiteralKind::Verbatim if has_to_be_escaped => reject(
                "a literal bracket or brace has no backslash",
                "put a backslash before it",
            ),
            LiteralKind::Meta | LiteralKind::Superfluous if !may_be_escaped => reject(
                "a backslash stands before a character that does not need one",
                "remove the backslash",
            ),
            LiteralKind::Octal
            | LiteralKind::HexBrace(_)
            | LiteralKind::HexFixed(HexLiteralKind::UnicodeLong)
            | LiteralKind::Special(SpecialLiteralKind::Bell | SpecialLiteralKind::Space) => {
                reject("not every language supports this escape", PLAIN)
            }
            _ => Ok(()),
        }
    }
}

impl Visitor for CommonSyntax {
    type Output = ();
    type Err = InvalidPattern;

    fn finish(self) -> Result<(), InvalidPattern> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), InvalidPattern> {
        match ast {
            Ast::ClassPerl(class) => {
                let name = match class.kind {
                    ClassPerlKind::Digit => "`\\d` is",
                    ClassPerlKind::Space => "`\\s` is",
                    ClassPerlKind::Word => "`\\w` is",
                };
                reject(
                    &format!("{name} not the same characters in all languages"),
                    SPELLED,
                )
            }
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
                _ => reject(
                    "`^` and `$` are the only assertions that all languages share",
                    PLAIN,
                ),
            },
            Ast::Group(group) if matches!(group.kind, GroupKind::CaptureName { .. }) => reject(
                "named groups differ between languages",
                "write `(?:…)` or `(…)`",
            ),
            Ast::Literal(literal) => self.check_literal(literal),
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), InvalidPattern> {
        self.in_class = true;
        match item {
            ClassSetItem::Perl(_) => reject(
                "classes such as `\\d` are not the same characters in all languages",
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

    fn visit_post(&mut self, ast: &Ast) -> Result<(), InvalidPattern> {
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
    fn accepts_syntax_common_to_all_engines() {
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
    fn rejects_syntax_that_engines_interpret_differently() {
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
