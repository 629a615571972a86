//! `topic.replication_reduced`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A topic has fewer replicas.
    TOPIC_REPLICATION_REDUCED = "topic.replication_reduced",
    breaks: [PRODUCER],
    title: "a topic has fewer replicas",
    docs: "Events that were safe while one broker was lost are no longer. With fewer replicas than \
         `min.insync.replicas`, nothing can be published.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {replication_factor: 3}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {replication_factor: 1}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {replication_factor: 3, config: {retention.ms: '604800000'}}",
    no_witness: "Payloads stay as they are; the durability of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let settings = pair.settings(|settings| settings.replication_factor);
    let Some((Some(before), Some(after))) = settings else {
        return;
    };
    if after >= before {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_REPLICATION_REDUCED,
            Directions::PRODUCER,
            format!("the topic `{topic}` has {after} replicas instead of {before}"),
        )
        .old(pair.old.location, before.to_string())
        .new_at(pair.location(), after.to_string())
        .help("keep at least three replicas, and two in sync"),
    );
}
