//! `limit.pattern_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::pattern_of;
use herald_catalog::fields::Type;

breaking_rule! {
    /// Texts need not match a pattern any more.
    PATTERN_REMOVED = "limit.pattern_removed",
    breaks: [CONSUMER],
    title: "texts need not match a pattern any more",
    docs: "Consumers with the old model reject texts that do not match its pattern.",
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
         \x20     code: string",
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
    let (Some(pattern), None) = (&old.limits.pattern, &new.limits.pattern) else {
        return;
    };
    let verdict = pair.limited(Directions::ALL, pattern_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let change = pair.change(
        &PATTERN_REMOVED,
        verdict.breaks,
        format!("{} need not match `{pattern}` any more", pair.subject()),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish texts that match until all consumers have the newer model"),
    );
}
