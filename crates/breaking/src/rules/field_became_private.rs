//! `field.became_private`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use herald_catalog::fields::Privacy;
use serde_json::json;

breaking_rule! {
    /// A public field is private.
    FIELD_BECAME_PRIVATE = "field.became_private",
    breaks: [CONSUMER, PRODUCER, SOURCE],
    title: "a public field is private",
    docs: "Consumers get the name of the field's type instead of its value. Usually that is the \
         aim; consumers that need the value have to be asked first.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: integer",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: integer, privacy: private}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: integer\n\
         \x20     email: {type: string, privacy: private, required: false}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    if (pair.old.privacy, pair.new.privacy) != (Privacy::Public, Privacy::Private) {
        return;
    }
    let definitions = &pair.fields.node.old.definitions;
    let published = json!(pair.new.spelling);
    let old = WireField::of(pair.old);
    let witness = if old.required {
        pair.fields.new_without_field()
    } else {
        (!old.typed(definitions).accepts(&published)).then(|| Witness {
            value: json!({pair.new.name.as_str(): published}),
            breaks: Directions::CONSUMER,
        })
    };
    let node = pair.fields.node;
    let reader = WireField::of(pair.new);
    let is_rejected = !old
        .typed(definitions)
        .is_within(reader.typed(&node.new.definitions));
    let breaks = Directions::CONSUMER
        .and(Directions::PRODUCER.when(is_rejected))
        .and(Directions::SOURCE);
    let owner = pair.fields.owner;
    changes.push(
        Change::new(
            &FIELD_BECAME_PRIVATE,
            owner.on_wire(breaks),
            format!(
                "{} was public and is private: its value is not published any more",
                pair.subject()
            ),
        )
        .old(pair.old.location, "public")
        .new_at(pair.new.location, "private")
        .witness(witness)
        .help("tell the consumers of the value first; events that are retained still have it"),
    );
}
