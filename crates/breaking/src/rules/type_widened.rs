//! `type.widened`.

use crate::Direction;
use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A type allows more than before.
    TYPE_WIDENED = "type.widened",
    breaks: [CONSUMER, SOURCE],
    title: "a type allows more than before",
    docs: "Consumers with the old model reject values that are new. Retained events stay valid.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: integer",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: number",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: integer\n\
         \x20     exact: {type: number, required: false}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if have_same_form(old.ty, new.ty) {
        return;
    }
    let verdict = pair.verdict_but_null();
    let (consumer, producer) = (
        verdict.breaks.contains(Direction::Consumer),
        verdict.breaks.contains(Direction::Producer),
    );
    if !consumer || producer {
        return;
    }
    let change = pair.change(
        &TYPE_WIDENED,
        verdict.breaks.and(Directions::SOURCE),
        format!(
            "{} was `{}` and is `{}`: old consumers reject what is new",
            pair.subject(),
            old.ty,
            new.ty
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish the wider type under a new name, beside the old field"),
    );
}
