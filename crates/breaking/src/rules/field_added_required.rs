//! `field.added_required`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::FieldsPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;

breaking_rule! {
    /// A required field is new.
    FIELD_ADDED_REQUIRED = "field.added_required",
    breaks: [PRODUCER, SOURCE],
    title: "a required field is new",
    docs: "Retained events, and events of instances that are not upgraded yet, lack the field: \
         consumers with the new model reject them. Code that builds the payload without the field \
         no longer compiles. Add it as optional, or with a default.",
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
         \x20     order: string\n\
         \x20     total: decimal",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: decimal, required: false}",
    check: Check::Fields(check),
}

fn check(pair: &FieldsPair<'_>, changes: &mut Vec<Change>) {
    if pair.owner.is_open_when_empty && pair.old.is_empty() {
        return;
    }
    for new in pair.added().filter(|new| new.required) {
        let is_required = WireField::of(new).required && pair.owner.is_published;
        let breaks = Directions::PRODUCER
            .when(is_required)
            .and(Directions::SOURCE);
        let name = &new.name;
        changes.push(
            Change::new(
                &FIELD_ADDED_REQUIRED,
                breaks,
                format!("`{name}` is new in {} and required", pair.owner.title),
            )
            .old(pair.owner.old, "")
            .new_at(new.location, &new.spelling)
            .witness(is_required.then(|| pair.old_without_field()).flatten())
            .help(format!(
                "add it as optional: `{name}: {{type: {}, required: false}}`",
                new.spelling
            )),
        );
    }
}
