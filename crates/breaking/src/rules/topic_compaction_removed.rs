//! `topic.compaction_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::is_compacted;

breaking_rule! {
    /// A topic is not compacted any more.
    TOPIC_COMPACTION_REMOVED = "topic.compaction_removed",
    breaks: [CONSUMER],
    title: "a topic is not compacted any more",
    docs: "The last event of each key used to be kept for ever; now it is deleted after the \
         retention time. Consumers that build their state from the topic find only a part of it.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: compact}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: delete}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: compact, retention.ms: '604800000'}}",
    no_witness: "Payloads stay as they are; the last event of a key is deleted in the end.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("cleanup.policy") else {
        return;
    };
    if !is_compacted(before.as_deref()) || is_compacted(after.as_deref()) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_COMPACTION_REMOVED,
            Directions::ALL,
            format!("the topic `{topic}` is not compacted any more: the last event of a key is deleted in the end"),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("keep compaction while a consumer builds its state from the topic"),
    );
}
