//! `enum.value_added`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::{enum_value, values_only_in};

breaking_rule! {
    /// An enum has a value more.
    ENUM_VALUE_ADDED = "enum.value_added",
    breaks: [CONSUMER],
    title: "an enum has a value more",
    docs: "Consumers with the old model reject events that have the new value. Let consumers take \
         the newer contract first, or declare the field as text with the values in its \
         description.",
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
         \x20     kind: {type: string, enum: [refund, voucher, goodwill]}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     kind: {type: string, enum: [voucher, refund]}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    for value in values_only_in(pair.new.ty, pair.old.ty) {
        // Another type of the union takes it, as in an open enumeration.
        if pair.union.is_some_and(|union| union.old.accepts(&value)) {
            continue;
        }
        let change = pair.change(
            &ENUM_VALUE_ADDED,
            Directions::CONSUMER,
            format!("{} may be `{}` now", pair.subject(), enum_value(&value)),
        );
        changes.push(
            change
                .witness(pair.wrapped(value, Directions::CONSUMER))
                .help("publish the value when all consumers have the newer model"),
        );
    }
}
