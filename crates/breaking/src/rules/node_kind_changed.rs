//! `node.kind_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use herald_catalog::kind::Kind;

breaking_rule! {
    /// The kind of a node changed.
    NODE_KIND_CHANGED = "node.kind_changed",
    breaks: [CONSUMER, SOURCE],
    title: "the kind of a node changed",
    docs: "The kind begins the event types of generated events, and is part of their topics.",
    before: "node_type: effect\n\
         service_name: orders\n\
         operations: [place]",
    after: "node_type: compute\n\
         service_name: orders\n\
         operations: [place]",
    safe: "node_type: effect\n\
         service_name: orders\n\
         operations: [place, cancel]",
    no_witness: "Payloads stay as they are; consumers wait for event types that nothing publishes.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    // A node of unknown kind has no generated events, so nothing of it changes.
    let has_generated = pair.old.events.iter().any(|event| event.declared.is_none());
    if pair.old.kind == pair.new.kind || !has_generated {
        return;
    }
    let text = |kind: Option<Kind>| kind.map_or("unknown", Kind::as_str);
    let (old, new) = (text(pair.old.kind), text(pair.new.kind));
    changes.push(
        Change::new(
            &NODE_KIND_CHANGED,
            Directions::ALL,
            format!(
                "the node was of kind `{old}` and is `{new}`: its event types and topics change"
            ),
        )
        .old(pair.old.location, old)
        .new_at(pair.new.location, new)
        .help(
            "give the new kind a node of its own, and keep the old one until consumers have moved",
        ),
    );
}
