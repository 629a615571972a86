//! `null.forbidden`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::names_null;
use crate::rule::{Check, breaking_rule};
use serde_json::Value;

breaking_rule! {
    /// Null is not allowed any more.
    NULL_FORBIDDEN = "null.forbidden",
    breaks: [PRODUCER, SOURCE],
    title: "null is not allowed any more",
    docs: "Retained events, and events of instances that are not upgraded yet, may have null: \
         consumers with the new model reject them.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: 'string | null'",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: {type: 'string | null', description: Number of the order.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    if !names_null(pair.old.ty) || pair.new.accepts(&Value::Null) || pair.is_tightened_field() {
        return;
    }
    let change = pair.change(
        &NULL_FORBIDDEN,
        Directions::PRODUCER.and(Directions::SOURCE),
        format!("{} must not be null any more", pair.subject()),
    );
    changes.push(
        change
            .witness(pair.wrapped(Value::Null, Directions::PRODUCER))
            .help("stop publishing null first, and forbid it when no retained event has it"),
    );
}
