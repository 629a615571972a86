//! `limit.range_narrowed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{limits_text, range_of};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Numbers that were allowed are beyond the new limits.
    RANGE_NARROWED = "limit.range_narrowed",
    breaks: [PRODUCER],
    title: "numbers that were allowed are beyond the new limits",
    docs: "Consumers with the new model reject retained events beyond its limits.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, maximum: 100}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, maximum: 10}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, exclusive_maximum: 101}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty)
        || !matches!(old.ty, Type::Integer | Type::Number | Type::Decimal)
    {
        return;
    }
    let verdict = pair.limited(Directions::PRODUCER, range_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&range_of(old.limits)),
        limits_text(&range_of(new.limits)),
    );
    let change = pair.change(
        &RANGE_NARROWED,
        verdict.breaks,
        format!(
            "{} must be within narrower limits: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish only what the new limits allow first, and narrow them when no retained event is beyond them"),
    );
}
