//! `limit.length_widened`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};
use crate::rules::{length_of, limits_text};
use herald_catalog::fields::Type;

breaking_rule! {
    /// Texts beyond the old lengths are allowed.
    LENGTH_WIDENED = "limit.length_widened",
    breaks: [CONSUMER],
    title: "texts beyond the old lengths are allowed",
    docs: "Consumers with the old model reject texts that are longer or shorter than it allows; a \
         column of a database may cut them.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 10}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 20}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     code: {type: string, max_length: 10, description: Of the shop.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if !have_same_form(old.ty, new.ty) || !matches!(old.ty, Type::String) {
        return;
    }
    let verdict = pair.limited(Directions::CONSUMER, length_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let (before, after) = (
        limits_text(&length_of(old.limits)),
        limits_text(&length_of(new.limits)),
    );
    let change = pair.change(
        &LENGTH_WIDENED,
        verdict.breaks,
        format!(
            "{} may be longer or shorter than before: {after} instead of {before}",
            pair.subject()
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("widen the lengths in all consumers first"),
    );
}
