//! `version.not_bumped`.

use crate::Directions;
use crate::change::Change;
use crate::compare::broken;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The version does not indicate a breaking change.
    VERSION_NOT_BUMPED = "version.not_bumped",
    breaks: [CONSUMER, PRODUCER],
    title: "the version does not indicate a breaking change",
    docs: "Something of the node breaks consumers or producers, and the major version of its \
         contract is the same. The major number tells people that consumers or producers have to \
         change with the contract.",
    before: "version: 1.2.0\n\
         operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal",
    after: "version: 1.3.0\n\
         operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: integer",
    safe: "version: 1.3.0\n\
         operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal\n\
         \x20     note: {type: string, required: false}",
    no_witness: "It is about the other changes of the node, which have witnesses.",
    check: Check::Verdict(check),
}

fn check(pair: &NodePair<'_>, changes: &[Change]) -> Option<Change> {
    let (Some(old), Some(new)) = (
        &pair.old.identity.contract_version,
        &pair.new.identity.contract_version,
    ) else {
        return None;
    };
    let breaks = broken(changes).within(Directions::CONSUMER.and(Directions::PRODUCER));
    if breaks.is_empty() || new.major > old.major {
        return None;
    }
    let next = old.major + 1;
    let broken: Vec<_> = breaks.iter().map(|one| format!("{one}s")).collect();
    let broken = broken.join(" and ");
    let versions = if old == new {
        format!("stays at version {old}")
    } else {
        format!("goes from version {old} to {new}")
    };
    Some(
        Change::new(
            &VERSION_NOT_BUMPED,
            breaks,
            format!("the contract {versions}, and what changed breaks {broken}"),
        )
        .old(pair.old.location, old.to_string())
        .new_at(pair.new.location, new.to_string())
        .help(format!(
            "declare `version: {next}.0.0`, or make the changes without a break"
        )),
    )
}
