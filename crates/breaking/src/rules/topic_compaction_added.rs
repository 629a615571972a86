//! `topic.compaction_added`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::is_compacted;

breaking_rule! {
    /// A topic is compacted that was not.
    TOPIC_COMPACTION_ADDED = "topic.compaction_added",
    breaks: [CONSUMER],
    title: "a topic is compacted that was not",
    docs: "Kafka deletes all but the last event of each key. Consumers that need every event miss \
         some, and events without a key are refused.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: delete}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: compact}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {cleanup.policy: delete, retention.ms: '604800000'}}",
    no_witness: "Payloads stay as they are; earlier events of a key are deleted.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("cleanup.policy") else {
        return;
    };
    if !is_compacted(after.as_deref()) || is_compacted(before.as_deref()) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_COMPACTION_ADDED,
            Directions::ALL,
            format!("the topic `{topic}` is compacted: of each key only the last event is kept"),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("make a compacted topic beside it"),
    );
}
