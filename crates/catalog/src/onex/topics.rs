//! Topics of ONEX contracts: published, consumed and terminal ones, and the rule of their names.

use std::collections::HashMap;

use herald_diagnostics::Diagnostic;

use super::{items, python_class, text, texts};
use crate::contract::{Consumed, Located, TopicSettings};
use crate::contract_file::WrittenEvent;
use crate::field_reader::FieldReader;
use crate::fields::Privacy;
use crate::yaml::{Value, Yaml};

/// List of topics in a contract: its name in catalogs, its path, and the keys of the topic in an
/// item that is a mapping.
type List = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const TOPIC: &[&str] = &["topic"];
const TOPIC_OR_NAME: &[&str] = &["topic", "name"];
const PUBLISHED: &[&str] = &[
    "topic",
    "topic_suffix",
    "event_pattern",
    "full_topic_pattern",
    "name",
];
const CONSUMED: &[&str] = &[
    "topic",
    "event_pattern",
    "topic_suffix",
    "full_topic_pattern",
    "name",
];

#[rustfmt::skip]
const PUBLISHED_LISTS: [List; 13] = [
    ("published_events", &["published_events"], PUBLISHED),
    ("event_bus.publish_topics", &["event_bus", "publish_topics"], TOPIC),
    ("event_bus.publish", &["event_bus", "publish"], TOPIC),
    ("publish_topics", &["publish_topics"], TOPIC),
    ("topics.produces", &["topics", "produces"], TOPIC_OR_NAME),
    ("topics.publishes", &["topics", "publishes"], TOPIC_OR_NAME),
    ("produced_events", &["produced_events"], TOPIC_OR_NAME),
    ("publications", &["publications"], TOPIC),
    ("publications", &["workflow_coordination", "publications"], TOPIC),
    ("emits", &["emits"], PUBLISHED),
    ("events.emits", &["events", "emits"], PUBLISHED),
    ("events.emitted", &["events", "emitted"], TOPIC),
    ("event_outputs", &["event_outputs"], PUBLISHED),
];

#[rustfmt::skip]
const CONSUMED_LISTS: [List; 13] = [
    ("event_bus.subscribe_topics", &["event_bus", "subscribe_topics"], TOPIC),
    ("event_bus.subscribe", &["event_bus", "subscribe"], TOPIC),
    ("subscribe_topics", &["subscribe_topics"], TOPIC),
    ("consumed_events", &["consumed_events"], CONSUMED),
    ("subscribed_events", &["subscribed_events"], CONSUMED),
    ("topics.consumes", &["topics", "consumes"], TOPIC_OR_NAME),
    ("topics.subscribes", &["topics", "subscribes"], TOPIC_OR_NAME),
    ("input_subscriptions", &["input_subscriptions"], TOPIC),
    ("subscriptions", &["subscriptions", "topics"], TOPIC),
    ("subscriptions", &["workflow_coordination", "subscriptions"], TOPIC),
    ("handler_routing.topic", &["handler_routing", "handlers"], TOPIC),
    ("event_sources", &["event_sources"], CONSUMED),
    ("subscriptions", &["subscriptions"], TOPIC),
];

/// Places of terminal topics, each a topic, a list or a mapping of them.
const TERMINAL_PATHS: [&[&str]; 4] = [
    &["terminal_event"],
    &["terminal_events"],
    &["event_bus", "terminal_event"],
    &["runtime_dispatch", "terminal_events"],
];

/// Keys of the payload's model.
const MODEL_KEYS: [&str; 4] = ["schema_ref", "payload_schema", "schema", "model"];

/// Roles of a topic that is written as `{role}_topic`.
const ROLES: [&str; 2] = ["success", "failure"];

/// Reads the published events, each topic once.
pub(super) fn read_published(
    contract: &Yaml,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<WrittenEvent> {
    let mut published = Published::default();
    for (source, path, keys) in PUBLISHED_LISTS {
        for item in items(contract, path) {
            published.add(source, item, keys, reader, diagnostics);
        }
    }
    for item in items(contract, &["event_bus", "publish_topics"]) {
        for role in ROLES {
            let topic = item.get(&format!("{role}_topic"));
            published.add_with_role("event_bus.publish_topics", topic, Some(role));
        }
    }
    let bus = contract.at(&["event_bus", "publish"]);
    for (key, topic) in bus.map(Yaml::entries).unwrap_or_default() {
        if let Some(word) = key.text.strip_suffix("_topic") {
            let role = ROLES.into_iter().find(|role| *role == word);
            published.add_with_role("event_bus.publish", Some(topic), role);
        }
    }
    published.add_metadata(contract);
    published.add_classes(reader, diagnostics);
    published.mark(&read_terminal(contract), "terminal");
    let external = texts(contract.get("externally_consumed_topics"));
    published.mark(&external, "externally_consumed");
    published.events
}

/// Published events, by topic.
#[derive(Default)]
struct Published {
    events: Vec<WrittenEvent>,
    index: HashMap<String, usize>,
}

impl Published {
    /// Adds an item of a list. What an earlier item states about its topic is kept.
    fn add(
        &mut self,
        source: &'static str,
        item: &Yaml,
        topic_keys: &[&str],
        reader: &FieldReader<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(event) = topic_of(item, topic_keys).and_then(|topic| self.entry(source, topic))
        else {
            return;
        };
        if let (None, Some(event_type)) = (&event.event_type, item.get("event_type")) {
            event.event_type = Located::read(event_type);
        }
        if event.description.is_none() {
            event.description = text(item, "description");
        }
        let declared = &mut event.declared;
        if declared.settings.is_none() {
            declared.settings = item
                .get("topic_config")
                .map(|settings| TopicSettings::read(settings, "kafka_config"));
        }
        if declared.schema_ref.is_none() {
            declared.schema_ref = model_name(item);
            declared.class = model(item).and_then(python_class);
        }
        if declared.payload.is_empty()
            && let Some(fields) = item.get("payload_fields")
        {
            declared.payload = reader.fields(fields, Privacy::Public, diagnostics);
        }
    }

    fn add_with_role(
        &mut self,
        source: &'static str,
        topic: Option<&Yaml>,
        role: Option<&'static str>,
    ) {
        if let Some(event) = topic.and_then(|topic| self.entry(source, topic))
            && let Some(role) = role
        {
            add_role(event, role);
        }
    }

    /// Returns the event of a topic, which is added when it is new.
    fn entry(&mut self, source: &'static str, topic: &Yaml) -> Option<&mut WrittenEvent> {
        let name = topic_name(topic)?;
        let at = *self
            .index
            .entry(name.value.clone())
            .or_insert(self.events.len());
        if at == self.events.len() {
            self.events.push(WrittenEvent {
                topic: Some(name.clone()),
                ..WrittenEvent::new(name.location)
            });
        }
        let event = &mut self.events[at];
        if !event.declared.sources.contains(&source) {
            event.declared.sources.push(source);
        }
        Some(event)
    }

    /// Reads `publish_topic_metadata`, which describes topics but does not publish them.
    fn add_metadata(&mut self, contract: &Yaml) {
        let metadata = contract.at(&["event_bus", "publish_topic_metadata"]);
        for (topic, description) in metadata.map(Yaml::entries).unwrap_or_default() {
            let name = strip_env(&topic.text);
            let Some(event) = self.index.get(name).map(|at| &mut self.events[*at]) else {
                continue;
            };
            let declared = &mut event.declared;
            declared.sources.push("event_bus.publish_topic_metadata");
            if declared.schema_ref.is_none() {
                declared.schema_ref = model_name(description);
                declared.class = model(description).and_then(python_class);
            }
        }
    }

    /// Adds the fields of the payloads whose models were imported.
    fn add_classes(&mut self, reader: &FieldReader<'_>, diagnostics: &mut Vec<Diagnostic>) {
        for event in &mut self.events {
            let declared = &mut event.declared;
            if let (true, Some(class)) = (declared.payload.is_empty(), declared.class.clone()) {
                let owner = class.name.clone();
                let payload = reader.class(&owner, class, Privacy::Public, diagnostics);
                declared.payload = payload.fields;
                declared.json_schema = payload.json_schema;
            }
        }
    }

    /// Adds a role to those of these topics that are published.
    fn mark(&mut self, topics: &[Located<String>], role: &'static str) {
        for topic in topics {
            if let Some(at) = self.index.get(strip_env(&topic.value)) {
                add_role(&mut self.events[*at], role);
            }
        }
    }
}

fn add_role(event: &mut WrittenEvent, role: &'static str) {
    let roles = &mut event.declared.roles;
    if !roles.contains(&role) {
        roles.push(role);
    }
}

/// Returns the payload's model.
fn model(yaml: &Yaml) -> Option<&Yaml> {
    MODEL_KEYS.iter().find_map(|key| yaml.get(key))
}

/// Returns the name of the payload's model, written by name or as `{name, module}`.
fn model_name(yaml: &Yaml) -> Option<String> {
    let model = model(yaml)?;
    model
        .as_str()
        .or_else(|| model.get("name")?.as_str())
        .map(str::to_owned)
}

/// Reads the topics of events that end the node's work.
pub(super) fn read_terminal(contract: &Yaml) -> Vec<Located<String>> {
    let mut topics = Vec::new();
    for place in TERMINAL_PATHS.iter().filter_map(|path| contract.at(path)) {
        match &place.value {
            Value::Scalar(_) => topics.extend(topic_name(place)),
            Value::Sequence(items) => topics.extend(items.iter().filter_map(topic_name)),
            Value::Mapping(entries) => {
                topics.extend(entries.iter().filter_map(|(_, topic)| topic_name(topic)));
            }
        }
    }
    topics
}

/// Reads the consumed topics, each once.
pub(super) fn read_consumed(contract: &Yaml) -> Vec<Consumed> {
    let mut consumed = ConsumedTopics::default();
    for (source, path, keys) in CONSUMED_LISTS {
        for item in items(contract, path) {
            consumed.add(source, item, keys);
        }
    }
    let bus = contract.at(&["event_bus", "subscribe"]);
    if let Some(bus) = bus.filter(|bus| bus.is_mapping()) {
        consumed.add("event_bus.subscribe", bus, TOPIC);
    }
    if let Some(topic) = contract.at(&["runtime_dispatch", "command_topic"]) {
        consumed.add("runtime_dispatch.command_topic", topic, &[]);
    }
    consumed.topics
}

/// Consumed topics, by name.
#[derive(Default)]
struct ConsumedTopics {
    topics: Vec<Consumed>,
    index: HashMap<String, usize>,
}

impl ConsumedTopics {
    fn add(&mut self, source: &'static str, item: &Yaml, keys: &[&str]) {
        let Some(name) = topic_of(item, keys).and_then(topic_name) else {
            return;
        };
        let at = *self
            .index
            .entry(name.value.clone())
            .or_insert(self.topics.len());
        if at == self.topics.len() {
            self.topics.push(Consumed {
                conforming: is_conforming(&name.value),
                topic: name.value,
                event_type: None,
                sources: Vec::new(),
                location: name.location,
            });
        }
        let topic = &mut self.topics[at];
        if !topic.sources.contains(&source) {
            topic.sources.push(source);
        }
        if topic.event_type.is_none() && source == "consumed_events" {
            let event_type = item.get("event_type").and_then(Yaml::as_str);
            topic.event_type = event_type.map(str::to_owned);
        }
    }
}

/// Returns the topic of an item: the item itself, or the first of `keys` in a mapping.
fn topic_of<'a>(item: &'a Yaml, keys: &[&str]) -> Option<&'a Yaml> {
    if item.is_mapping() {
        item.first_str(keys)
    } else {
        Some(item)
    }
}

/// Strips the environment at the start of a topic, which is a property of the deployment.
fn strip_env(topic: &str) -> &str {
    topic.strip_prefix("{env}.").unwrap_or(topic)
}

fn topic_name(yaml: &Yaml) -> Option<Located<String>> {
    let text = strip_env(yaml.as_str()?.trim());
    (!text.is_empty()).then(|| Located::new(text.to_owned(), yaml.location))
}

/// The parts of an `onex.<kind>.<producer>.<event-name>.vN` topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnexTopic<'a> {
    /// The node that publishes it.
    pub(crate) producer: &'a str,
    /// Name of the event; has dots where the topic has more than five segments.
    pub(crate) event_name: &'a str,
    /// Whether it is five segments in lowercase kebab-case.
    pub(crate) conforming: bool,
}

impl<'a> OnexTopic<'a> {
    /// Splits a topic into its parts. `None` when it does not have the platform's form.
    pub(crate) fn parse(topic: &'a str) -> Option<Self> {
        const KINDS: [&str; 5] = ["cmd", "evt", "dlq", "intent", "snapshot"];
        let (kind, rest) = topic.strip_prefix("onex.")?.split_once('.')?;
        let (producer, rest) = rest.split_once('.')?;
        let (event_name, version) = rest.rsplit_once(".v")?;
        let is_version = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
        if !KINDS.contains(&kind) || !is_version || producer.is_empty() || event_name.is_empty() {
            return None;
        }
        let conforming =
            is_kebab(producer) && is_kebab(event_name) && version.parse().is_ok_and(|n: u64| n > 0);
        Some(Self {
            producer,
            event_name,
            conforming,
        })
    }
}

/// Whether a topic is named by the rule of the platform.
pub(crate) fn is_conforming(topic: &str) -> bool {
    OnexTopic::parse(topic).is_some_and(|topic| topic.conforming)
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }) && text.starts_with(|c: char| c.is_ascii_lowercase())
}
