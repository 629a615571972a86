//! Writer of lock files.

use crate::category::Stage;
use crate::contract::{Metric, StateMachine, TopicSettings};
use crate::contract_file::version_of;
use crate::fields::{Definition, Privacy};
use crate::instrument::{Instrument, InstrumentedEvents};
use crate::node::{Declared, Event, EventTypeSource, Node, Operation};
use crate::yaml_text::Text;
use herald_envelope::Profile;

use super::fields::{self, fields};
use super::{HEADER, SEPARATOR, VERSION, VERSION_KEY};

/// Entries of a mapping.
type Entries = Vec<(String, Text)>;

/// Returns the text of a lock file: the nodes by name, without what no consumer and no generated
/// code depends on, such as descriptions.
pub fn write<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> String {
    let mut nodes: Vec<_> = nodes.into_iter().collect();
    nodes.sort_by_key(|node| (&node.identity.slug, &node.origin.relative_path));
    let mut text = format!("{HEADER}{VERSION_KEY}: {VERSION}\n");
    for node in nodes {
        text.push_str(SEPARATOR);
        contract(node).write(0, &mut text);
    }
    text
}

fn contract(node: &Node) -> Text {
    let mut entries = vec![
        ("node".to_owned(), Text::scalar(&node.identity.slug)),
        ("path".to_owned(), Text::scalar(&node.origin.relative_path)),
    ];
    let version = node.identity.contract_version.as_ref();
    let words = [
        ("node_type", node.kind.map(crate::kind::Kind::as_str)),
        ("service_name", Some(node.service_name.as_str())),
        ("version", version.map(|version| version.text.as_str())),
        ("namespace", node.namespace.as_deref()),
        ("envelope", node.envelope.map(Profile::as_str)),
    ];
    let words = words.into_iter();
    entries.extend(words.filter_map(|(key, word)| Some((key.to_owned(), Text::scalar(word?)))));
    if let Some(set) = node.headers {
        entries.push(("headers".to_owned(), Text::words(set.names())));
    }
    add_list(
        &mut entries,
        "operations",
        node.operations.iter().map(operation),
    );
    if let Some(machine) = &node.states {
        entries.push(("states".to_owned(), states(machine)));
    }
    add_list(&mut entries, "metrics", node.metrics.iter().map(metric));
    add_list(
        &mut entries,
        "events",
        node.events.iter().map(|one| event(node, one)),
    );
    let consumed = node.consumed.iter().map(|consumed| {
        let topic = [("topic", Some(consumed.topic.as_str()))];
        let parts = topic
            .into_iter()
            .chain([("event_type", consumed.event_type.as_deref())]);
        Text::line(parts.filter_map(|(key, value)| Some((key, value?))))
    });
    add_list(&mut entries, "consumed", consumed);
    if !node.definitions.is_empty() || !node.scalars.is_empty() {
        let scalars = node.scalars.iter();
        let scalars = scalars.map(|scalar| (scalar.name.clone(), fields::scalar(scalar)));
        let definitions = node.definitions.iter().map(definition).chain(scalars);
        entries.push((
            "definitions".to_owned(),
            Text::Mapping(definitions.collect()),
        ));
    }
    Text::Mapping(entries)
}

fn add_list(entries: &mut Entries, key: &str, items: impl Iterator<Item = Text>) {
    let items: Vec<_> = items.collect();
    if !items.is_empty() {
        entries.push((key.to_owned(), Text::List(items)));
    }
}

fn operation(operation: &Operation) -> Text {
    let mut entries = vec![("name".to_owned(), Text::scalar(&operation.name))];
    for (key, part) in [("input", &operation.input), ("result", &operation.result)] {
        if !part.is_empty() {
            entries.push((key.to_owned(), fields(part, Privacy::Private)));
        }
    }
    let instrument = instrument(&operation.instrument);
    if !instrument.is_empty() {
        entries.push(("instrument".to_owned(), Text::Mapping(instrument)));
    }
    if entries.len() == 1 {
        return Text::scalar(&operation.name);
    }
    Text::Mapping(entries)
}

fn instrument(instrument: &Instrument) -> Entries {
    let mut entries = Vec::new();
    if instrument.events != InstrumentedEvents::All {
        entries.push((
            "events".to_owned(),
            Text::scalar(instrument.events.as_str()),
        ));
    }
    let share = instrument.sample_started;
    if share < 1.0 {
        entries.push(("sample_started".to_owned(), Text::Inline(share.to_string())));
    }
    entries
}

fn states(machine: &StateMachine) -> Text {
    let names = |names: &[String]| Text::words(names.iter().map(String::as_str));
    let mut entries = vec![("names".to_owned(), names(&machine.states))];
    if let Some(initial) = &machine.initial {
        entries.push(("initial".to_owned(), Text::scalar(initial)));
    }
    if !machine.terminal.is_empty() {
        entries.push(("terminal".to_owned(), names(&machine.terminal)));
    }
    let transitions = machine.transitions.iter().map(|transition| {
        let (from, to) = (&transition.from.value, &transition.to.value);
        Text::line([("from", from.as_str()), ("to", to.as_str())])
    });
    add_list(&mut entries, "transitions", transitions);
    Text::Mapping(entries)
}

fn metric(metric: &Metric) -> Text {
    match &metric.unit {
        None => Text::scalar(&metric.name.value),
        Some(unit) => Text::line([
            ("name", metric.name.value.as_str()),
            ("unit", unit.as_str()),
        ]),
    }
}

fn definition(definition: &Definition) -> (String, Text) {
    let fields = fields(&definition.fields, Privacy::Public);
    let fields = vec![("fields".to_owned(), fields)];
    (definition.name.clone(), Text::Mapping(fields))
}

fn event(node: &Node, event: &Event) -> Text {
    match (&event.declared, event.stage) {
        (None, Some(stage)) => generated(node, event, stage),
        (declared, _) => {
            let topic = event.topic.as_template();
            let mut entries = declared_event(&event.event_type, stated_version(event), &topic);
            entries.extend(declared.iter().flat_map(payload_and_settings));
            Text::Mapping(entries)
        }
    }
}

fn generated(node: &Node, event: &Event, stage: &Stage) -> Text {
    let topic = event.topic.as_template();
    let operation = event
        .operation
        .map(|index| node.operations[index].name.as_str());
    let version = stated_version(event).map(|version| version.to_string());
    let parts = [
        ("event_type", Some(event.event_type.as_str())),
        ("topic", Some(topic.as_str())),
        ("stage", Some(stage.pattern)),
        ("operation", operation),
        ("version", version.as_deref()),
    ];
    let parts = parts.into_iter();
    Text::line(parts.filter_map(|(key, value)| Some((key, value?))))
}

/// Returns the version of an event, if its topic states another one.
fn stated_version(event: &Event) -> Option<u32> {
    let is_stated = version_of(&event.topic.as_template()) == event.version;
    (!is_stated).then_some(event.version)
}

fn declared_event(event_type: &str, version: Option<u32>, topic: &str) -> Entries {
    let version = version.map(|version| Text::Inline(version.to_string()));
    let entries = [
        ("event_type", Some(Text::scalar(event_type))),
        ("version", version),
        ("topic", Some(Text::scalar(topic))),
    ];
    let entries = entries.into_iter();
    entries
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

fn payload_and_settings(declared: &Declared) -> Entries {
    let mut entries = Vec::new();
    if declared.event_type_source != EventTypeSource::Declared {
        let source = Text::scalar(declared.event_type_source.as_str());
        entries.push(("event_type_source".to_owned(), source));
    }
    if let Some(key) = &declared.partition_key {
        entries.push(("partition_key".to_owned(), Text::scalar(key)));
    }
    if let Some(settings) = &declared.settings {
        entries.push(("topic_settings".to_owned(), topic_settings(settings)));
    }
    if !declared.payload.is_empty() {
        entries.push((
            "payload".to_owned(),
            fields(&declared.payload, Privacy::Public),
        ));
    }
    if let Some(schema) = &declared.json_schema {
        entries.push(("payload_schema".to_owned(), Text::json(schema.as_value())));
    }
    entries
}

fn topic_settings(settings: &TopicSettings) -> Text {
    let numbers = [
        ("partitions", settings.partitions),
        ("replication_factor", settings.replication_factor),
    ];
    let numbers = numbers.into_iter();
    let mut entries: Entries = numbers
        .filter_map(|(key, number)| Some((key.to_owned(), Text::Inline(number?.to_string()))))
        .collect();
    if !settings.config.is_empty() {
        let config = settings.config.iter();
        let config = config.map(|(key, value)| (key.clone(), Text::scalar(value)));
        entries.push(("config".to_owned(), Text::Mapping(config.collect())));
    }
    Text::Mapping(entries)
}

/// Returns the part of a contract that declares events in two versions: each as it was, and as it
/// is now with a version and a topic of its own.
pub fn both_versions(events: &[(&Event, &Event, u32, String)]) -> String {
    let mut items = Vec::new();
    for (old, new, next_version, next_topic) in events {
        let versions = [
            (old, old.version, old.topic.as_template()),
            (new, *next_version, next_topic.clone()),
        ];
        for (event, version, topic) in versions {
            let mut entries = declared_event(&old.event_type, Some(version), &topic);
            let description = event.description.as_deref().map(Text::scalar);
            entries.extend(description.map(|text| ("description".to_owned(), text)));
            let settings = event.declared.iter().flat_map(payload_and_settings);
            entries.extend(settings.filter(|(key, _)| key != "event_type_source"));
            items.push(Text::Mapping(entries));
        }
    }
    let mut text = String::new();
    Text::Mapping(vec![("events".to_owned(), Text::List(items))]).write(0, &mut text);
    text
}
