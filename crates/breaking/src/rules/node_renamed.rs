//! `node.renamed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A node has another name.
    NODE_RENAMED = "node.renamed",
    breaks: [CONSUMER, SOURCE],
    title: "a node has another name",
    docs: "The service name is part of the topics of generated events, and of the names of the \
         generated module and class. Consumers go on reading the old topics, where nothing is \
         published any more.",
    before: "service_name: orders\n\
         operations: [place]",
    after: "service_name: order_desk\n\
         operations: [place]",
    safe: "service_name: orders\n\
         description: The order desk.\n\
         operations: [place]",
    no_witness: "Payloads stay as they are; consumers read topics that nothing is published to.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (&pair.old.service_name, &pair.new.service_name);
    if old == new {
        return;
    }
    changes.push(
        Change::new(
            &NODE_RENAMED,
            Directions::ALL,
            format!("the node `{old}` is now called `{new}`: its topics and its module change"),
        )
        .old(pair.old.location, old)
        .new_at(pair.new.location, new)
        .help("publish under both names until all consumers have moved"),
    );
}
