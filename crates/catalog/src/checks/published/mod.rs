//! `published.*`: topics that ONEX contracts publish.

use crate::contract_file::WrittenEvent;

pub(crate) mod event_not_in_publish_topics;
pub(crate) mod nonconforming_topic;
pub(crate) mod publish_topic_without_event;
pub(crate) mod terminal_not_published;

/// Whether `event_bus.publish_topics` lists the topic.
fn is_on_bus(event: &WrittenEvent) -> bool {
    (event.declared.sources).contains(&"event_bus.publish_topics")
}

/// Whether `published_events` describes the event.
fn is_described(event: &WrittenEvent) -> bool {
    event.declared.sources.contains(&"published_events")
}
