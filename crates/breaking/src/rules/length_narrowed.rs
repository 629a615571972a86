//! `limit.length_narrowed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{length_of, limits_text};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Texts that were allowed are too long or too short.
    LENGTH_NARROWED = "limit.length_narrowed",
    breaks: [PRODUCER],
    title: "texts that were allowed are too long or too short",
    docs: "Consumers with the new model reject retained events with longer or shorter texts.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 20}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 10}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 20, description: Of the shop.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty) || !matches!(old.ty, Type::String) {
        return;
    }
    let verdict = pair.limited(Directions::PRODUCER, length_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&length_of(old.limits)),
        limits_text(&length_of(new.limits)),
    );
    let change = pair.change(
        &LENGTH_NARROWED,
        verdict.breaks,
        format!(
            "{} must be within narrower lengths: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish only what the new lengths allow first, and narrow them when no retained event is beyond them"),
    );
}
