//! `limit.range_widened`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{limits_text, range_of};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Numbers beyond the old limits are allowed.
    RANGE_WIDENED = "limit.range_widened",
    breaks: [CONSUMER],
    title: "numbers beyond the old limits are allowed",
    docs: "Consumers with the old model reject numbers beyond its limits. Retained events stay \
         valid.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, maximum: 10}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, maximum: 100}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     count: {type: integer, minimum: 1, exclusive_maximum: 11}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty)
        || !matches!(old.ty, Type::Integer | Type::Number | Type::Decimal)
    {
        return;
    }
    let verdict = pair.limited(Directions::CONSUMER, range_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&range_of(old.limits)),
        limits_text(&range_of(new.limits)),
    );
    let change = pair.change(
        &RANGE_WIDENED,
        verdict.breaks,
        format!(
            "{} may be beyond its old limits: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("widen the limits in all consumers first"),
    );
}
