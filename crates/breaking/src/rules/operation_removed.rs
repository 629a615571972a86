//! `operation.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use herald_diagnostics::did_you_mean;

breaking_rule! {
    /// An operation is gone.
    OPERATION_REMOVED = "operation.removed",
    breaks: [CONSUMER, SOURCE],
    title: "an operation is gone",
    docs: "Consumers that wait for its started, completed and failed events get none, and code that \
         calls its decorator and methods no longer compiles.",
    before: "operations: [place, cancel]",
    after: "operations: [place]",
    safe: "operations: [place, cancel, refund]",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    for operation in &pair.old.operations {
        let mut successors = pair.new.operations.iter();
        if successors.any(|new| new.name == operation.name) {
            continue;
        }
        let name = &operation.name;
        let names = pair.new.operations.iter().map(|new| new.name.as_str());
        let added = names.filter(|name| pair.old.operations.iter().all(|old| old.name != **name));
        let help = match did_you_mean(name, added) {
            Some(new) => format!(
                "if `{new}` is its new name, keep `{name}` beside it until consumers have moved"
            ),
            None => format!("keep `{name}` in the contract until no consumer reads its events"),
        };
        let mut change = Change::new(
            &OPERATION_REMOVED,
            Directions::ALL,
            format!("the operation `{name}` is gone, and its events with it"),
        )
        .old(operation.location, name)
        .new_at(pair.new.location, "")
        .help(help);
        let events = pair.old.events.iter().filter(|event| {
            let of = event.operation.map(|at| &pair.old.operations[at].name);
            of == Some(name)
        });
        change.events = events.map(|event| event.event_type.clone()).collect();
        changes.push(change);
    }
}
