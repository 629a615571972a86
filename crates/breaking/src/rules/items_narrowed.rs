//! `limit.items_narrowed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{items_of, limits_text};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Lists that were allowed have too many or too few items.
    ITEMS_NARROWED = "limit.items_narrowed",
    breaks: [PRODUCER],
    title: "lists that were allowed have too many or too few items",
    docs: "Consumers with the new model reject retained events with longer or shorter lists.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 5}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 3}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 5, description: Of the order.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty) || !matches!(old.ty, Type::List(_)) {
        return;
    }
    let verdict = pair.limited(Directions::PRODUCER, items_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&items_of(old.limits)),
        limits_text(&items_of(new.limits)),
    );
    let change = pair.change(
        &ITEMS_NARROWED,
        verdict.breaks,
        format!(
            "{} must have a narrower number of items: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish only what the new sizes allow first, and narrow them when no retained event is beyond them"),
    );
}
