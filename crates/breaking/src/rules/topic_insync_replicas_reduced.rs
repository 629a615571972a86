//! `topic.insync_replicas_reduced`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::{is_less, shown};

breaking_rule! {
    /// Fewer replicas have to have an event before it is acknowledged.
    TOPIC_INSYNC_REPLICAS_REDUCED = "topic.insync_replicas_reduced",
    breaks: [PRODUCER],
    title: "fewer replicas have to have an event before it is acknowledged",
    docs: "An acknowledged event is lost when the only replica that has it is lost.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {min.insync.replicas: '2'}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {min.insync.replicas: '1'}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {min.insync.replicas: '3'}}",
    no_witness: "Payloads stay as they are; the durability of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("min.insync.replicas") else {
        return;
    };
    if !is_less(after.as_deref(), before.as_deref(), 1) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_INSYNC_REPLICAS_REDUCED,
            Directions::ALL,
            format!(
                "events in `{topic}` are acknowledged by {} replicas instead of {}",
                shown(after.as_deref()),
                shown(before.as_deref())
            ),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("keep two replicas in sync"),
    );
}
