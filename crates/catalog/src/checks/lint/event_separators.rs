//! `lint.event_separators`: event types of a contract with different separators of words.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::{EventTypeSource, Node};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.event_separators",
    severity: Severity::Info,
    title: "event types of one contract separate words in different ways",
    docs: "Names are guessed, typed and filtered by patterns: `order_line.added` beside \
           `order-line.removed` is missed by one of them. The less common separator of the \
           contract is reported. Event types that follow from topics are left alone.",
    bad: "node_type: effect\nservice_name: orders\nevents: [order_line.added, order_line.changed, order-line.removed]",
    good: "node_type: effect\nservice_name: orders\nevents: [order_line.added, order_line.changed, order_line.removed]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let declared = || {
        node.declared()
            .filter(|(_, declared)| declared.event_type_source == EventTypeSource::Declared)
    };
    let count = |separator: char| {
        declared()
            .filter(|(event, _)| event.event_type.contains(separator))
            .count()
    };
    let (underscores, dashes) = (count('_'), count('-'));
    if underscores == 0 || dashes == 0 {
        return;
    }
    let (rare, common) = if dashes <= underscores {
        ('-', '_')
    } else {
        ('_', '-')
    };
    for (event, _) in declared().filter(|(event, _)| event.event_type.contains(rare)) {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "{} separates words by `{rare}`, and other event types by `{common}`",
                    quote(&event.event_type)
                ),
            )
            .at(event.location)
            .help(
                "use one separator in all event types; a new name is a new event for its consumers",
            ),
        );
    }
}
