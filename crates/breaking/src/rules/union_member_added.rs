//! `union.member_added`.

use crate::Directions;
use crate::candidates;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::is_enumeration;
use herald_catalog::fields::Type;

breaking_rule! {
    /// A union has a type more.
    UNION_MEMBER_ADDED = "union.member_added",
    breaks: [CONSUMER, SOURCE],
    title: "a union has a type more",
    docs: "Consumers with the old model reject values of the new type.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'integer | boolean'",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'integer | boolean | date'",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     value: 'boolean | integer'",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    let (Type::Union(before), Type::Union(after)) = (old.ty, new.ty) else {
        return;
    };
    let (written, read) = (after, before);
    let (writer, reader) = (new, old);
    for member in written
        .iter()
        .filter(|member| **member != Type::Null && !read.contains(member))
    {
        let writer = writer.with(member);
        // An open enumeration takes the values that it does not list, too.
        if is_enumeration(member) && writer.is_within(reader) {
            continue;
        }
        let breaks = Directions::CONSUMER.when(!writer.is_within(reader));
        let value = candidates::witness(writer, reader);
        let change = pair.change(
            &UNION_MEMBER_ADDED,
            breaks.and(Directions::SOURCE),
            format!("{} may also be `{member}`", pair.subject()),
        );
        let witness = value.and_then(|value| pair.wrapped(value, Directions::CONSUMER));
        changes.push(
            change
                .witness(witness)
                .help("publish the new type under a new name, beside the old field"),
        );
    }
}
