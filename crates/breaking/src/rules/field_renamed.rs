//! `field.renamed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::FieldsPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;

breaking_rule! {
    /// A field has another name.
    FIELD_RENAMED = "field.renamed",
    breaks: [CONSUMER, PRODUCER, SOURCE],
    title: "a field has another name",
    docs: "Consumers look for the old name: a required field is missing for them, an optional one is \
         never there. `renamed_from` only makes the report clear. Publish both fields until all \
         consumers read the new one, or publish the new name in the next major version.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     amount: {type: decimal, renamed_from: total}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal\n\
         \x20     amount: {type: decimal, required: false}",
    check: Check::Fields(check),
}

fn check(pair: &FieldsPair<'_>, changes: &mut Vec<Change>) {
    for (old, new) in pair.renamed() {
        let (is_read, is_required) = (WireField::of(old).required, WireField::of(new).required);
        let breaks = Directions::CONSUMER
            .when(is_read)
            .and(Directions::PRODUCER.when(is_required))
            .and(Directions::SOURCE);
        let witness = if is_read {
            pair.new_without_field()
        } else {
            is_required.then(|| pair.old_without_field()).flatten()
        };
        let retyped = if old.ty == new.ty {
            String::new()
        } else {
            format!(", and its type from `{}` to `{}`", old.ty, new.ty)
        };
        changes.push(
            Change::new(
                &FIELD_RENAMED,
                pair.owner.on_wire(breaks),
                format!(
                    "`{}` in {} changed its name to `{}`{retyped}",
                    old.name, pair.owner.title, new.name
                ),
            )
            .old(old.location, &old.name)
            .new_at(new.location, &new.name)
            .witness(witness)
            .help(format!(
                "publish `{}` too until all consumers read `{}`",
                old.name, new.name
            )),
        );
    }
}
