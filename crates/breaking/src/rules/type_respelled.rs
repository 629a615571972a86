//! `type.respelled`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::TypePair;
use crate::pairs::have_same_form;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A type changed that is the same on the wire.
    TYPE_RESPELLED = "type.respelled",
    breaks: [SOURCE],
    title: "a type changed that is the same on the wire",
    docs: "Every value is accepted in both directions, and the generated types differ: code that \
         uses the attribute may no longer compile.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     items: 'map[any]'\n\
         definitions:\n\
         \x20 Anything: {fields: {note: {type: any, required: false}}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     items: Anything\n\
         definitions:\n\
         \x20 Anything: {fields: {note: {type: any, required: false}}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     items: {type: 'map[any]', description: By name.}\n\
         definitions:\n\
         \x20 Anything: {fields: {note: {type: any, required: false}}}",
    no_witness: "Both sides accept every value of the other; only the types of the code differ.",
    check: Check::Type(check),
}

fn check(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = pair.cores();
    if have_same_form(old.ty, new.ty) || !pair.verdict_but_null().breaks.is_empty() {
        return;
    }
    let change = pair.change(
        &TYPE_RESPELLED,
        Directions::SOURCE,
        format!(
            "{} was `{}` and is `{}`: the same on the wire, another type in code",
            pair.subject(),
            old.ty,
            new.ty
        ),
    );
    changes.push(change.help("change the code that uses the attribute together with the contract"));
}
