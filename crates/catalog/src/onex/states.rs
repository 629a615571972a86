//! State machines of ONEX contracts.

use std::collections::HashSet;

use herald_diagnostics::Diagnostic;

use super::{items, text, texts};
use crate::checks;
use crate::contract::{Located, StateMachine, Transition};
use crate::yaml::Yaml;

/// Keys of the state machine; the first one with a mapping counts.
const MACHINE_KEYS: [&str; 3] = ["state_machine", "fsm", "state_transitions"];
const NAME_KEYS: &[&str] = &["state_name", "name"];
const INITIAL_KEYS: &[&str] = &["initial_state", "initial"];
const FROM_KEYS: &[&str] = &["from_state", "from"];
const TO_KEYS: &[&str] = &["to_state", "to"];

/// Reads the state machine of a contract.
pub(super) fn read(contract: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<StateMachine> {
    let (source, machine) = MACHINE_KEYS.into_iter().find_map(|key| {
        let machine = contract.get(key).filter(|machine| machine.is_mapping())?;
        Some((key, machine))
    })?;
    let mut states: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    let mut marked: Vec<String> = Vec::new();
    let mut has_mappings = false;
    for state in items(machine, &["states"]) {
        has_mappings |= state.is_mapping();
        let name = if state.is_mapping() {
            state.first_str(NAME_KEYS)
        } else {
            Some(state)
        };
        let Some(name) = name.and_then(Yaml::as_str).filter(|name| *name != "*") else {
            continue;
        };
        if known.insert(name) {
            states.push(name.to_owned());
        }
        if state.get("is_terminal").and_then(Yaml::as_bool) == Some(true) {
            marked.push(name.to_owned());
        }
    }
    let listed = texts(machine.get("terminal_states"));
    let listed: Vec<String> = listed.into_iter().map(|state| state.value).collect();
    if has_mappings
        && !is_same_set(&listed, &marked)
        && let Some(terminal_states) = machine.get("terminal_states")
    {
        diagnostics.push(checks::fsm::terminal_disagreement::disagreement(
            terminal_states,
        ));
    }
    Some(StateMachine {
        source,
        location: machine.head(),
        states,
        initial: machine
            .first_str(INITIAL_KEYS)
            .and_then(Yaml::as_str)
            .map(str::to_owned),
        terminal: union(listed, marked),
        transitions: items(machine, &["transitions"])
            .iter()
            .filter_map(read_transition)
            .collect(),
    })
}

/// Whether the marked states are exactly those of the list, which may repeat a state.
fn is_same_set(listed: &[String], marked: &[String]) -> bool {
    let listed: HashSet<&String> = listed.iter().collect();
    listed.len() == marked.len() && marked.iter().all(|state| listed.contains(state))
}

/// Returns the listed states, and behind them those that are only marked.
fn union(listed: Vec<String>, marked: Vec<String>) -> Vec<String> {
    let mut known: HashSet<String> = listed.iter().cloned().collect();
    let only_marked = marked.into_iter();
    let only_marked = only_marked.filter(|state| known.insert(state.clone()));
    let only_marked: Vec<_> = only_marked.collect();
    listed.into_iter().chain(only_marked).collect()
}

fn read_transition(transition: &Yaml) -> Option<Transition> {
    Some(Transition {
        from: Located::read(transition.first_str(FROM_KEYS)?)?,
        to: Located::read(transition.first_str(TO_KEYS)?)?,
        trigger: text(transition, "trigger"),
    })
}
