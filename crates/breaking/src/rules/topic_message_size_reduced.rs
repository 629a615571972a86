//! `topic.message_size_reduced`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::{is_less, shown};

breaking_rule! {
    /// The largest message of a topic is smaller.
    TOPIC_MESSAGE_SIZE_REDUCED = "topic.message_size_reduced",
    breaks: [PRODUCER],
    title: "the largest message of a topic is smaller",
    docs: "Events that were published before are refused now, and become dead letters.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {max.message.bytes: '4194304'}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {max.message.bytes: '65536'}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {max.message.bytes: '8388608'}}",
    no_witness: "Any payload that is long enough shows it; its text would fill a page.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("max.message.bytes") else {
        return;
    };
    if !is_less(after.as_deref(), before.as_deref(), 1_048_588) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_MESSAGE_SIZE_REDUCED,
            Directions::ALL,
            format!(
                "messages in `{topic}` have at most {} bytes instead of {}",
                shown(after.as_deref()),
                shown(before.as_deref())
            ),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("measure the largest event first: `herald volume` estimates it"),
    );
}
