//! `limit.items_widened`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{items_of, limits_text};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Lists beyond the old sizes are allowed.
    ITEMS_WIDENED = "limit.items_widened",
    breaks: [CONSUMER],
    title: "lists beyond the old sizes are allowed",
    docs: "Consumers with the old model reject lists with more or fewer items than it allows.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 3}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 5}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     lines: {type: 'list[string]', max_items: 3, description: Of the order.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty) || !matches!(old.ty, Type::List(_)) {
        return;
    }
    let verdict = pair.limited(Directions::CONSUMER, items_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&items_of(old.limits)),
        limits_text(&items_of(new.limits)),
    );
    let change = pair.change(
        &ITEMS_WIDENED,
        verdict.breaks,
        format!(
            "{} may have more or fewer items than before: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("widen the sizes in all consumers first"),
    );
}
