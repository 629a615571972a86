//! `limit.pattern_added`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::pattern_of;
use herald_catalog::fields::Type;

breaking_rule! {
    /// Texts have to match a pattern.
    PATTERN_ADDED = "limit.pattern_added",
    breaks: [PRODUCER],
    title: "texts have to match a pattern",
    docs: "Consumers with the new model reject retained events whose text does not match.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: string",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, pattern: '^[A-Z]{3}$'}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, description: Three letters.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if (old.ty, new.ty) != (&Type::String, &Type::String) {
        return;
    }
    let (None, Some(pattern)) = (&old.limits.pattern, &new.limits.pattern) else {
        return;
    };
    let verdict = pair.limited(Directions::ALL, pattern_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let change = pair.change(
        &PATTERN_ADDED,
        verdict.breaks,
        format!("{} has to match `{pattern}` now", pair.subject()),
    );
    changes.push(change.witness(verdict.witness).help(
        "publish only texts that match first, and require it when no retained event has another",
    ));
}
