//! `union.member_removed`.

use crate::Directions;
use crate::candidates;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::is_enumeration;
use herald_catalog::fields::Type;

breaking_rule! {
    /// A union has lost a type.
    UNION_MEMBER_REMOVED = "union.member_removed",
    breaks: [PRODUCER, SOURCE],
    title: "a union has lost a type",
    docs: "Consumers with the new model reject retained events that have a value of the type.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'integer | boolean | date'",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'integer | boolean'",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'date | boolean | integer'",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    let (Type::Union(before), Type::Union(after)) = (old.ty, new.ty) else {
        return;
    };
    let (written, read) = (before, after);
    let (writer, reader) = (old, new);
    for member in written
        .iter()
        .filter(|member| **member != Type::Null && !read.contains(member))
    {
        let writer = writer.with(member);
        // An open enumeration takes the values that it does not list, too.
        if is_enumeration(member) && writer.is_within(reader) {
            continue;
        }
        let breaks = Directions::PRODUCER.when(!writer.is_within(reader));
        let value = candidates::witness(writer, reader);
        let change = pair.change(
            &UNION_MEMBER_REMOVED,
            breaks.and(Directions::SOURCE),
            format!("{} must not be any more `{member}`", pair.subject()),
        );
        let witness = value.and_then(|value| pair.wrapped(value, Directions::PRODUCER));
        changes.push(
            change.witness(witness).help(
                "stop publishing the type first, and remove it when no retained event has it",
            ),
        );
    }
}
