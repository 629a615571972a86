//! `field.default_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The default of a field changed.
    FIELD_DEFAULT_CHANGED = "field.default_changed",
    breaks: [CONSUMER],
    title: "the default of a field changed",
    docs: "Consumers fill in the default of their own model where an event lacks the field: old and \
         new consumers read the same event in two ways.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, default: EUR}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, default: USD}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, default: EUR, description: ISO 4217.}",
    no_witness: "Both sides accept an event without the field; they fill in different values.",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (&pair.old.default, &pair.new.default) else {
        return;
    };
    if old == new {
        return;
    }
    changes.push(
        Change::new(
            &FIELD_DEFAULT_CHANGED,
            pair.on_wire(Directions::CONSUMER),
            format!("the default of {} was {old} and is {new}", pair.subject()),
        )
        .old(pair.old.location, old.to_string())
        .new_at(pair.new.location, new.to_string())
        .help("publish the field always, and no default is needed"),
    );
}
