//! `topic.size_retention_shortened`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::{is_less, shown};

breaking_rule! {
    /// Fewer bytes of a topic are kept.
    TOPIC_SIZE_RETENTION_SHORTENED = "topic.size_retention_shortened",
    breaks: [CONSUMER],
    title: "fewer bytes of a topic are kept",
    docs: "A consumer that is further behind than the new size misses events.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.bytes: '1073741824'}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.bytes: '1048576'}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.bytes: '2147483648'}}",
    no_witness: "Payloads stay as they are; events are deleted sooner.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("retention.bytes") else {
        return;
    };
    if !is_less(after.as_deref(), before.as_deref(), -1) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_SIZE_RETENTION_SHORTENED,
            Directions::ALL,
            format!(
                "each partition of `{topic}` keeps {} bytes instead of {}",
                shown(after.as_deref()),
                shown(before.as_deref())
            ),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("ask how far behind the slowest consumer may be"),
    );
}
