//! `field.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::{FieldsPair, only_in};
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;

breaking_rule! {
    /// A field is gone.
    FIELD_REMOVED = "field.removed",
    breaks: [CONSUMER, SOURCE],
    title: "a field is gone",
    docs: "Consumers that require the field reject every new event. If the field was optional, only \
         code that uses its attribute breaks. To remove a required field, make it optional first, \
         and remove it when all consumers have the newer model.",
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
         \x20     order: string",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal\n\
         \x20     note: {type: string, required: false}",
    check: Check::Fields(check),
}

fn check(pair: &FieldsPair<'_>, changes: &mut Vec<Change>) {
    if pair.owner.is_open_when_empty && pair.new.is_empty() {
        return;
    }
    let added: Vec<_> = only_in(pair.new, pair.old).collect();
    for old in pair.removed() {
        let is_required = WireField::of(old).required;
        let breaks = Directions::CONSUMER
            .when(is_required)
            .and(Directions::SOURCE);
        let witness = is_required.then(|| pair.new_without_field()).flatten();
        let name = &old.name;
        let help = match (added.iter().find(|new| new.ty == old.ty), is_required) {
            (Some(new), _) => format!(
                "if `{}` is its new name, say so with `renamed_from`, and publish both fields until all consumers read the new one",
                new.name
            ),
            (None, true) => format!(
                "make `{name}` optional first, and remove it when consumers have the newer model"
            ),
            (None, false) => format!("remove the uses of `{name}` from the code first"),
        };
        changes.push(
            Change::new(
                &FIELD_REMOVED,
                pair.owner.on_wire(breaks),
                format!("`{name}` is gone from {}", pair.owner.title),
            )
            .old(old.location, &old.spelling)
            .new_at(pair.owner.new, "")
            .witness(witness)
            .help(help),
        );
    }
}
