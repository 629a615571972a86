//! `payload.typed`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldsPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use serde_json::json;

breaking_rule! {
    /// A payload that was open has declared fields.
    PAYLOAD_TYPED = "payload.typed",
    breaks: [PRODUCER, SOURCE],
    title: "a payload that was open has declared fields",
    docs: "Any object passed as payload before. Retained events, and events of instances that are \
         not upgraded yet, need not have the fields that are required now.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1, description: An order was accepted.}",
    check: Check::Fields(check),
}

fn check(pair: &FieldsPair<'_>, changes: &mut Vec<Change>) {
    if !pair.owner.is_open_when_empty || !pair.old.is_empty() || pair.new.is_empty() {
        return;
    }
    let fields: Vec<_> = pair.new.iter().map(WireField::of).collect();
    let required = fields.iter().any(|field| field.required);
    // An open payload may have the field with any value.
    let definitions = &pair.node.new.definitions;
    let value = if required {
        Some(json!({}))
    } else {
        fields.iter().find_map(|field| {
            let mut values = [json!({}), json!([]), json!(1.5), json!("")].into_iter();
            let wrong = values.find(|value| !field.typed(definitions).accepts(value))?;
            Some(json!({field.name: wrong}))
        })
    };
    let breaks = Directions::PRODUCER
        .when(value.is_some())
        .and(Directions::SOURCE);
    changes.push(
        Change::new(
            &PAYLOAD_TYPED,
            pair.owner.on_wire(breaks),
            format!("{} was open and has declared fields now", pair.owner.title),
        )
        .old(pair.owner.old, "")
        .new_at(pair.owner.new, "")
        .witness(value.map(|value| Witness {
            value,
            breaks: Directions::PRODUCER,
        }))
        .help("check retained events before you rely on the fields"),
    );
}
