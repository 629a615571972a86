//! `state.events_removed`.

use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::category_removed;
use herald_catalog::category::STATE_EVENTS;

breaking_rule! {
    /// Changes of state are not published any more.
    STATE_EVENTS_REMOVED = "state.events_removed",
    breaks: [CONSUMER, SOURCE],
    title: "changes of state are not published any more",
    docs: "`include_state_events` was switched off, or the kind of the node is gone.",
    before: "operations: [place]\n\
         include_state_events: true",
    after: "operations: [place]\n\
         include_state_events: false",
    safe: "operations: [place, cancel]\n\
         include_state_events: true",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    changes.extend(category_removed(&STATE_EVENTS_REMOVED, &STATE_EVENTS, pair));
}
