//! `operation.events_reduced`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::same_operations;

breaking_rule! {
    /// An operation publishes fewer of its events.
    OPERATION_EVENTS_REDUCED = "operation.events_reduced",
    breaks: [CONSUMER],
    title: "an operation publishes fewer of its events",
    docs: "`instrument.events` leaves out events that were published before. Consumers that wait \
         for them get none: one that measures durations from `started` to `completed` finds no \
         start.",
    before: "operations:\n\
         \x20 - {name: place, instrument: {events: all}}",
    after: "operations:\n\
         \x20 - {name: place, instrument: {events: failures}}",
    safe: "operations:\n\
         \x20 - {name: place, instrument: {events: all, fields: {team: shop}}}",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    for (old, new) in same_operations(pair) {
        let (before, after) = (old.instrument.events, new.instrument.events);
        // From all of them to the fewest.
        let rank = |word: &str| {
            ["all", "outcomes", "failures"]
                .iter()
                .position(|known| *known == word)
        };
        if rank(after.as_str()) <= rank(before.as_str()) {
            continue;
        }
        changes.push(
            Change::new(
                &OPERATION_EVENTS_REDUCED,
                Directions::CONSUMER,
                format!(
                    "the operation `{}` published {before} of its events and now publishes {after}",
                    old.name,
                    before = before.as_str(),
                    after = after.as_str(),
                ),
            )
            .old(old.location, before.as_str())
            .new_at(new.location, after.as_str())
            .help("ask the consumers of the events that are left out first"),
        );
    }
}
