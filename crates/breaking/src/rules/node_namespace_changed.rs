//! `node.namespace_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use herald_catalog::topics::namespace_of;

breaking_rule! {
    /// The namespace of a node's topics changed.
    NODE_NAMESPACE_CHANGED = "node.namespace_changed",
    breaks: [CONSUMER],
    title: "the namespace of a node's topics changed",
    docs: "The namespace begins the topics of generated events. A running service can set another \
         one; where it does not, consumers read topics that nothing is published to.",
    before: "namespace: prod\n\
         operations: [place]",
    after: "namespace: live\n\
         operations: [place]",
    safe: "namespace: prod\n\
         operations: [place, cancel]",
    no_witness: "Payloads stay as they are; consumers read topics that nothing is published to.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (namespace_of(pair.old, None), namespace_of(pair.new, None));
    let is_used = (pair.old.events.iter()).any(|event| event.topic.is_namespaced());
    if old == new || !is_used {
        return;
    }
    changes.push(
        Change::new(
            &NODE_NAMESPACE_CHANGED,
            Directions::CONSUMER,
            format!("topics of the node begin with `{new}.` instead of `{old}.`"),
        )
        .old(pair.old.location, old)
        .new_at(pair.new.location, new)
        .help("leave the namespace out of the contract: the deployment sets it"),
    );
}
