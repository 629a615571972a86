//! Rules of compatibility: metadata, documentation and a check.

use herald_diagnostics::Rule;

use crate::Directions;
use crate::change::Change;
use crate::pairs::{DefinitionPair, EventPair, FieldPair, FieldsPair, NodePair, TypePair};

/// Kind of change that breaks consumers, producers or source code.
#[derive(Debug)]
pub struct BreakingRule {
    /// Code, severity and documentation, as every diagnostic has them.
    pub rule: Rule,
    /// The directions that a change of this kind may break.
    pub breaks: Directions,
    /// Part of a contract before the change.
    pub before: &'static str,
    /// Changed part that the rule reports.
    pub after: &'static str,
    /// Similarly changed part that the rule does not report.
    pub safe: &'static str,
    /// The reason why changes of this kind have no witness, if they have none.
    pub no_witness: Option<&'static str>,
    pub(crate) check: Check,
}

/// The part of a contract that a rule compares, and the function that does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// A node that has no successor.
    RemovedNode(fn(&herald_catalog::Node) -> Change),
    /// A node and its successor.
    Node(fn(&NodePair<'_>, &mut Vec<Change>)),
    /// An event and its successor.
    Event(fn(&EventPair<'_>, &mut Vec<Change>)),
    /// The fields of a payload, an input, a result or a definition.
    Fields(fn(&FieldsPair<'_>, &mut Vec<Change>)),
    /// A field that both versions have.
    Field(fn(&FieldPair<'_>, &mut Vec<Change>)),
    /// The type of a field, or a part of it.
    Type(fn(&TypePair<'_>, &mut Vec<Change>)),
    /// Two definitions that are the type of the same field.
    Definition(fn(&DefinitionPair<'_>, &mut Vec<Change>)),
    /// All changes of a node, after every other rule.
    Verdict(fn(&NodePair<'_>, &[Change]) -> Option<Change>),
}

/// Declares a rule. The documentation shows the same contracts that the tests compare.
macro_rules! breaking_rule {
    (
        $(#[$doc:meta])*
        $name:ident = $code:literal,
        breaks: [$($direction:ident),+],
        title: $title:literal,
        docs: $docs:literal,
        before: $before:literal,
        after: $after:literal,
        safe: $safe:literal,
        $(no_witness: $reason:literal,)?
        check: $check:expr,
    ) => {
        $(#[$doc])*
        pub static $name: $crate::BreakingRule = $crate::BreakingRule {
            rule: herald_diagnostics::Rule {
                code: $code,
                severity: herald_diagnostics::Severity::Error,
                title: $title,
                docs: $docs,
                bad: concat!("# before\n", $before, "\n# after\n", $after),
                good: concat!("# before\n", $before, "\n# after\n", $safe),
            },
            breaks: $crate::Directions::NONE$(.and($crate::Directions::$direction))+,
            before: $before,
            after: $after,
            safe: $safe,
            no_witness: $crate::rule::first(&[$(Some($reason),)? None]),
            check: $check,
        };
    };
}
pub(crate) use breaking_rule;

/// The first of the optional reasons of a declaration.
pub(crate) const fn first(reasons: &[Option<&'static str>]) -> Option<&'static str> {
    reasons[0]
}
