//! `definition.renamed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::DefinitionPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A definition has another name.
    DEFINITION_RENAMED = "definition.renamed",
    breaks: [SOURCE],
    title: "a definition has another name",
    docs: "The generated class of the definition has the name: code that uses it no longer \
         compiles. Events stay as they are.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     to: Address\n\
         definitions:\n\
         \x20 Address: {fields: {city: string}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     to: Place\n\
         definitions:\n\
         \x20 Place: {fields: {city: string}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     to: Address\n\
         definitions:\n\
         \x20 Address: {description: Where to., fields: {city: string}}",
    no_witness: "Events stay as they are; only the name of a class changes.",
    check: Check::Definition(check),
}

fn check(pair: &DefinitionPair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (&pair.old.name, &pair.new.name);
    if old == new {
        return;
    }
    changes.push(
        Change::new(
            &DEFINITION_RENAMED,
            Directions::SOURCE,
            format!("the definition `{old}` is now `{new}`, and so is its class"),
        )
        .old(pair.old.location, old)
        .new_at(pair.new.location, new)
        .help("rename the uses of the class together with the contract"),
    );
}
