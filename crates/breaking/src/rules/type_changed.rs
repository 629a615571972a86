//! `type.changed`.

use crate::Direction;
use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A type changed to one that shares no direction.
    TYPE_CHANGED = "type.changed",
    breaks: [CONSUMER, PRODUCER, SOURCE],
    title: "a type changed to one that shares no direction",
    docs: "Neither do old consumers accept all new values, nor new consumers all old ones. The \
         field needs a new name, or the event a new version.",
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
         \x20     total: decimal",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     total: integer\n\
         \x20     amount: {type: decimal, required: false}",
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
    if !consumer || !producer {
        return;
    }
    let change = pair.change(
        &TYPE_CHANGED,
        verdict.breaks.and(Directions::SOURCE),
        format!(
            "{} was `{}` and is `{}`: neither side accepts all values of the other",
            pair.subject(),
            old.ty,
            new.ty
        ),
    );
    changes.push(
        change
            .witness(verdict.witness)
            .help("publish the new type under a new name, beside the old field"),
    );
}
