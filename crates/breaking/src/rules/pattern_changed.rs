//! `limit.pattern_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::pattern_of;
use herald_catalog::fields::Type;

breaking_rule! {
    /// The pattern of a text changed.
    PATTERN_CHANGED = "limit.pattern_changed",
    breaks: [CONSUMER, PRODUCER],
    title: "the pattern of a text changed",
    docs: "In general nobody can compute whether one pattern matches all that another one does. The \
         witness is a text that one side allows and the other side rejects; without one, compare \
         the two patterns yourself.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, pattern: '^[A-Z]{3}$'}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, pattern: '^[A-Z]{4}$'}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, pattern: '^[A-Z]{3}$', description: Of the shop.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if (old.ty, new.ty) != (&Type::String, &Type::String) {
        return;
    }
    let (Some(before), Some(after)) = (&old.limits.pattern, &new.limits.pattern) else {
        return;
    };
    let verdict = pair.limited(Directions::ALL, pattern_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let change = pair.change(
        &PATTERN_CHANGED,
        verdict.breaks,
        format!(
            "{} has to match `{after}` instead of `{before}`",
            pair.subject()
        ),
    );
    changes.push(
        change.witness(verdict.witness).help(
            "publish texts that match both patterns until all consumers have the newer model",
        ),
    );
}
