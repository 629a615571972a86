//! `topic.retention_shortened`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use crate::rules::is_less;

breaking_rule! {
    /// Events of a topic are kept for a shorter time.
    TOPIC_RETENTION_SHORTENED = "topic.retention_shortened",
    breaks: [CONSUMER],
    title: "events of a topic are kept for a shorter time",
    docs: "A consumer that was away for longer than the new time misses events, and replays reach \
         less far back.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.ms: '604800000'}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.ms: '3600000'}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   topic_settings: {config: {retention.ms: '1209600000'}}",
    no_witness: "Payloads stay as they are; events are deleted sooner.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((before, after)) = pair.configured("retention.ms") else {
        return;
    };
    if !is_less(after.as_deref(), before.as_deref(), 604_800_000) {
        return;
    }
    let topic = pair.old_topic();
    changes.push(
        Change::new(
            &TOPIC_RETENTION_SHORTENED,
            Directions::ALL,
            format!(
                "events in `{topic}` are kept for {} instead of {}",
                time(after.as_deref()),
                time(before.as_deref())
            ),
        )
        .old(pair.old.location, before.unwrap_or_default())
        .new_at(pair.location(), after.unwrap_or_default())
        .help("ask how long the slowest consumer may be away"),
    );
}

fn time(millis: Option<&str>) -> String {
    match millis {
        Some(millis) => format!("{millis} ms"),
        None => "Kafka's default, 7 days".to_owned(),
    }
}
