//! `type.narrowed`.

use crate::Direction;
use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A type allows less than before.
    TYPE_NARROWED = "type.narrowed",
    breaks: [PRODUCER, SOURCE],
    title: "a type allows less than before",
    docs: "Consumers with the new model reject retained events that have what was allowed before. \
         Old consumers accept all new events.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: number",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: integer",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: {type: number, description: Sum.}",
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
    if !producer || consumer {
        return;
    }
    let change = pair.change(
        &TYPE_NARROWED,
        verdict.breaks.and(Directions::SOURCE),
        format!(
            "{} was `{}` and is `{}`: new consumers reject what was allowed before",
            pair.subject(),
            old.ty,
            new.ty
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish only what is allowed now first, and narrow the type when no retained event has more"),
    );
}
