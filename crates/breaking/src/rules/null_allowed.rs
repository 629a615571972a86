//! `null.allowed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::names_null;
use crate::rule::{Check, breaking_rule};
use serde_json::Value;

breaking_rule! {
    /// Null is allowed where it was not.
    NULL_ALLOWED = "null.allowed",
    breaks: [CONSUMER, SOURCE],
    title: "null is allowed where it was not",
    docs: "New events may have null: consumers with the old model reject them, and code that reads \
         the attribute meets None.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: 'string | null'",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     note: {type: 'string | null', required: false}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    if !names_null(pair.new.ty) || pair.old.accepts(&Value::Null) || pair.is_loosened_field() {
        return;
    }
    let change = pair.change(
        &NULL_ALLOWED,
        Directions::CONSUMER.and(Directions::SOURCE),
        format!("{} may be null now", pair.subject()),
    );
    changes.push(
        change
            .witness(pair.wrapped(Value::Null, Directions::CONSUMER))
            .help("add a field that may be null, and leave this one as it is"),
    );
}
