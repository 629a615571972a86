//! `node.removed`.

use crate::Directions;
use crate::change::Change;
use crate::rule::{Check, breaking_rule};
use herald_catalog::Node;

breaking_rule! {
    /// A node is gone.
    NODE_REMOVED = "node.removed",
    breaks: [CONSUMER, SOURCE],
    title: "a node is gone",
    docs: "No contract has the node's name, and none stands at its path. Its events are not \
         published any more, and its generated module is not written. If the node was only \
         renamed, keep its file where it is, or keep its `service_name`.",
    before: "service_name: orders\n\
         operations: [place]",
    after: "service_name: billing\n\
         operations: [charge]",
    safe: "service_name: orders\n\
         operations: [place, cancel]",
    no_witness: "The whole node is gone: no single value shows it.",
    check: Check::RemovedNode(check),
}

fn check(node: &Node) -> Change {
    let name = &node.identity.slug;
    Change::new(
        &NODE_REMOVED,
        Directions::ALL,
        format!(
            "the node `{name}` and its {} events are gone",
            node.events.len()
        ),
    )
    .old(node.location, name)
    .help("keep its contract until no consumer reads its topics")
}
