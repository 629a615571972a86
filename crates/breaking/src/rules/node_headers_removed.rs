//! `node.headers_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// Headers of a node's events are left out.
    NODE_HEADERS_REMOVED = "node.headers_removed",
    breaks: [CONSUMER],
    title: "headers of a node's events are left out",
    docs: "Herald's own consumers need none of the headers that a contract or `herald.yaml` can leave out. Others \
         may route, deduplicate or trace events by them.",
    before: "events: [{event_type: order.placed, topic: shop.order.placed.v1}]",
    after: "headers: [event_type]\n\
         events: [{event_type: order.placed, topic: shop.order.placed.v1}]",
    safe: "headers: [content-type, event_id, event_type, correlation_id, traceparent]\n\
         events: [{event_type: order.placed, topic: shop.order.placed.v1}]",
    no_witness: "Payloads stay as they are; the records lack headers.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    if pair.old.events.is_empty() || pair.old.profile() != pair.new.profile() {
        return;
    }
    let (old, new) = (pair.old.optional_headers(), pair.new.optional_headers());
    let removed: Vec<_> = old.names().filter(|name| !new.contains(name)).collect();
    let (what, verb) = match removed.as_slice() {
        [] => return,
        [name] => (format!("the header `{name}`"), "is"),
        names => (format!("the headers `{}`", names.join("`, `")), "are"),
    };
    changes.push(
        Change::new(
            &NODE_HEADERS_REMOVED,
            Directions::CONSUMER,
            format!("{what} of the node's events {verb} not written any more"),
        )
        .old(pair.old.location, "")
        .new_at(pair.new.location, "")
        .help("write them until no consumer reads them"),
    );
}
