//! `fsm.terminal_disagreement`: two lists of terminal states differ. Reported by the decoder of
//! ONEX contracts.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fsm.terminal_disagreement",
    severity: Severity::Warning,
    title: "two lists of terminal states disagree",
    docs: "`terminal_states` and the `is_terminal` of states name different states. Herald treats \
           the states of both as terminal.",
    bad: "state_machine:\n  states: [{state_name: done}]\n  terminal_states: [done]",
    good: "state_machine:\n  states: [{state_name: done, is_terminal: true}]\n  terminal_states: [done]",
};

/// Reports `terminal_states` that differ from the marked states.
pub(crate) fn disagreement(terminal_states: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        "`terminal_states` and the `is_terminal` of states disagree",
    )
    .at(terminal_states.head())
    .help("both are used; mark every terminal state in both places, or drop one")
}
