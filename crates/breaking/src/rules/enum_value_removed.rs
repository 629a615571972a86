//! `enum.value_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::{enum_value, values_only_in};

breaking_rule! {
    /// An enum has lost a value.
    ENUM_VALUE_REMOVED = "enum.value_removed",
    breaks: [PRODUCER, SOURCE],
    title: "an enum has lost a value",
    docs: "Consumers with the new model reject retained events that have the value, and code that \
         uses it no longer type-checks.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     kind: {type: string, enum: [refund, voucher]}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     kind: {type: string, enum: [refund]}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     kind: {type: string, enum: [voucher, refund]}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    for value in values_only_in(pair.old.ty, pair.new.ty) {
        // Another type of the union takes it, as in an open enumeration.
        if pair.union.is_some_and(|union| union.new.accepts(&value)) {
            continue;
        }
        let change = pair.change(
            &ENUM_VALUE_REMOVED,
            Directions::PRODUCER.and(Directions::SOURCE),
            format!(
                "{} must not be `{}` any more",
                pair.subject(),
                enum_value(&value)
            ),
        );
        changes.push(
            change
                .witness(pair.wrapped(value, Directions::PRODUCER))
                .help(
                    "stop publishing the value first, and remove it when no retained event has it",
                ),
        );
    }
}
