//! `limit.schema_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::schema_of;

breaking_rule! {
    /// The JSON Schema that values match besides their type changed.
    SCHEMA_CHANGED = "limit.schema_changed",
    breaks: [CONSUMER, PRODUCER],
    title: "the JSON Schema of a value changed",
    docs: "`json_schema` restricts values in ways that types can't. In general nobody can compute whether one schema \
         accepts all that another one does. The witness is a value that one side allows and the other \
         side rejects; without one, compare the two schemas yourself.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     size: {type: 'list[integer]', json_schema: {contains: {minimum: 1}}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     size: {type: 'list[integer]', json_schema: {contains: {minimum: 5}}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     size: {type: 'list[integer]', json_schema: {contains: {minimum: 1}}, description: In cm.}",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if old.limits.json_schema == new.limits.json_schema {
        return;
    }
    let verdict = pair.limited(Directions::ALL, schema_of);
    if verdict.breaks.is_empty() {
        return;
    }
    let what = match (&old.limits.json_schema, &new.limits.json_schema) {
        (None, _) => "has to match a JSON Schema",
        (_, None) => "need not match its JSON Schema any more",
        _ => "has to match another JSON Schema",
    };
    let message = format!("{} {what}", pair.subject());
    let change = pair.change(&SCHEMA_CHANGED, verdict.breaks, message);
    changes.push(
        change.witness(verdict.witness).help(
            "publish values that match both schemas until all consumers have the newer model",
        ),
    );
}
