//! `field.default_added`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use serde_json::{Value, json};

breaking_rule! {
    /// An optional field has a default that it did not have.
    FIELD_DEFAULT_ADDED = "field.default_added",
    breaks: [PRODUCER, SOURCE],
    title: "an optional field has a default that it did not have",
    docs: "Null stood for a field that is left out, and is not allowed beside a default: consumers \
         with the new model reject retained events that have null.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, required: false}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, default: EUR}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, required: false, description: ISO 4217.}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    let (None, Some(new)) = (&pair.old.default, &pair.new.default) else {
        return;
    };
    if pair.old.required != pair.new.required {
        return;
    }
    // Null was allowed until now, unless the new type has it too.
    let node = pair.fields.node;
    let accepts_null = WireField::of(pair.new)
        .typed(&node.new.definitions)
        .accepts(&Value::Null);
    let is_null_gone = pair.old.may_be_null() && !accepts_null;
    if !is_null_gone {
        return;
    }
    let witness = pair.is_published.then(|| Witness {
        value: json!({pair.new.name.as_str(): null}),
        breaks: Directions::PRODUCER,
    });
    changes.push(
        Change::new(
            &FIELD_DEFAULT_ADDED,
            pair.on_wire(Directions::PRODUCER.and(Directions::SOURCE)),
            format!(
                "{} has a default now, and must not be null any more",
                pair.subject()
            ),
        )
        .old(pair.old.location, "")
        .new_at(pair.new.location, new.to_string())
        .witness(witness)
        .help("allow null beside the default: add `| null` to its type"),
    );
}
