//! `topic.partitions_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The number of a topic's partitions changed.
    TOPIC_PARTITIONS_CHANGED = "topic.partitions_changed",
    breaks: [CONSUMER],
    title: "the number of a topic's partitions changed",
    docs: "A key's partition depends on the number of partitions: after the change, events of one \
         key are in two partitions and consumers may see them out of order. Kafka cannot reduce \
         the number at all.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {partitions: 6}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {partitions: 12}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {partitions: 6, config: {retention.ms: '604800000'}}",
    no_witness: "Payloads stay as they are; the order of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((Some(before), Some(after))) = pair.settings(|settings| settings.partitions) else {
        return;
    };
    if before == after {
        return;
    }
    let topic = pair.old_topic();
    let help = if after < before {
        "Kafka does not reduce partitions: make a new topic"
    } else {
        "let consumers catch up first, or make a new topic with more partitions"
    };
    changes.push(
        Change::new(
            &TOPIC_PARTITIONS_CHANGED,
            Directions::CONSUMER,
            format!("the topic `{topic}` has {after} partitions instead of {before}: keys move"),
        )
        .old(pair.old.location, before.to_string())
        .new_at(pair.location(), after.to_string())
        .help(help),
    );
}
