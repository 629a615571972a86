//! `field.default_removed`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use serde_json::{Value, json};

breaking_rule! {
    /// A field has no default any more.
    FIELD_DEFAULT_REMOVED = "field.default_removed",
    breaks: [CONSUMER, SOURCE],
    title: "a field has no default any more",
    docs: "New events may lack the field or have null for it, and nothing stands in: consumers with \
         the new model read None where they read a value. (A field that becomes required too is \
         reported as such.)",
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
         \x20     currency: {type: string, required: false}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     currency: {type: string, default: EUR, description: ISO 4217.}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    let (Some(old), None) = (&pair.old.default, &pair.new.default) else {
        return;
    };
    if pair.old.required != pair.new.required {
        return;
    }
    // Null is allowed from now on, unless the old type had it.
    let node = pair.fields.node;
    let accepts_null = WireField::of(pair.old)
        .typed(&node.old.definitions)
        .accepts(&Value::Null);
    let is_null_new = pair.new.may_be_null() && !accepts_null;
    let witness = (is_null_new && pair.is_published).then(|| Witness {
        value: json!({pair.new.name.as_str(): null}),
        breaks: Directions::CONSUMER,
    });
    let breaks = Directions::CONSUMER
        .when(is_null_new)
        .and(Directions::SOURCE);
    changes.push(
        Change::new(
            &FIELD_DEFAULT_REMOVED,
            pair.on_wire(breaks),
            format!("{} has no default any more", pair.subject()),
        )
        .old(pair.old.location, old.to_string())
        .new_at(pair.new.location, "")
        .witness(witness)
        .help("keep the default, or publish the field always"),
    );
}
