//! Contracts of the ONEX platform, as people write them.
//!
//! The platform's own strict models take almost none of the files that it runs on, so nothing is
//! required here: unknown keys are fine, and a bad part is a diagnostic while the rest is read.

use std::collections::{HashMap, HashSet};

use herald_diagnostics::{Diagnostic, Location, Severity};

use crate::contract::{
    ContractFile, Format, Located, StateMachine, TopicSettings, Transition, WrittenEvent,
    WrittenOperation,
};
use crate::field_reader::FieldReader;
use crate::fields::{Field, Privacy};
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::node::Consumed;
use crate::rules;
use crate::text::{is_blank, quote};
use crate::version::Version;
use crate::volume::Volume;
use crate::yaml::{Value, Yaml};

/// Reads an ONEX contract.
pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> ContractFile {
    let reader = FieldReader::new(yaml, Format::Onex);
    let published = read_published(yaml, &reader, diagnostics);
    let consumed = read_consumed(yaml);
    check_bus(yaml, &published, &consumed, diagnostics);
    let name = yaml
        .first_str(&["name", "contract_name", "node_name"])
        .and_then(Located::read);
    check_name(yaml, name.as_ref(), diagnostics);
    ContractFile {
        format: Format::Onex,
        location: yaml.head(),
        name,
        kind: read_kind(yaml, diagnostics),
        contract_version: ["contract_version", "version"]
            .iter()
            .find_map(|key| yaml.get(key).and_then(read_version)),
        node_version: yaml.get("node_version").and_then(read_version),
        namespace: None,
        description: yaml
            .get("description")
            .and_then(Yaml::as_text)
            .map(str::to_owned),
        operations: read_operations(yaml, diagnostics),
        state_events: true,
        metric_events: true,
        states: read_states(yaml, diagnostics),
        metrics: Vec::new(),
        events: published,
        consumed: consumed.into_iter().map(|(topic, _)| topic).collect(),
        inputs: read_fields(yaml, "inputs", &reader, diagnostics),
        outputs: read_fields(yaml, "outputs", &reader, diagnostics),
        definitions: reader.definitions(yaml, diagnostics),
        volume: Volume::default(),
        redact: Vec::new(),
    }
}

fn check_name(yaml: &Yaml, name: Option<&Located<String>>, diagnostics: &mut Vec<Diagnostic>) {
    match name {
        None => {
            let mut diagnostic = Diagnostic::new(&rules::NAME_MISSING, "the contract has no name")
                .at(yaml.head())
                .help("add `name`; until then the file's name stands in");
            diagnostic.severity = Severity::Warning;
            diagnostics.push(diagnostic);
        }
        Some(name) if !is_identifier(&name.value) => diagnostics.push(
            Diagnostic::new(
                &rules::NAME_NOT_IDENTIFIER,
                format!("the name {} is no identifier", quote(&name.value)),
            )
            .at(name.location)
            .help(format!(
                "files and topics say {}",
                quote(&crate::ident::slug(&name.value))
            )),
        ),
        Some(_) => {}
    }
}

fn read_kind(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Kind> {
    if let Some(word) = yaml
        .get("node_type")
        .filter(|word| word.as_text().is_some())
    {
        let text = word.as_text().unwrap_or_default();
        let kind = Kind::from_onex(text);
        if kind.is_none() {
            let mut diagnostic = Diagnostic::new(
                &rules::KIND_UNKNOWN,
                format!("unknown `node_type` {}", quote(text)),
            )
            .at(word.location)
            .detail(text)
            .help(
                "use effect, compute, reducer or orchestrator; until then only the \
                         declared events are published",
            );
            diagnostic.severity = Severity::Warning;
            diagnostics.push(diagnostic);
        }
        return kind;
    }
    let archetype = yaml.at(&["descriptor", "node_archetype"]);
    let kind = archetype.and_then(Yaml::as_str).and_then(Kind::from_onex);
    let diagnostic = Diagnostic::new(&rules::KIND_MISSING, "`node_type` is missing");
    diagnostics.push(match (archetype, kind) {
        (Some(archetype), Some(kind)) => diagnostic.at(archetype.location).help(format!(
            "`descriptor.node_archetype` is taken instead; add `node_type: {kind}`"
        )),
        _ => diagnostic.at(yaml.head()).help(
            "add `node_type`: effect, compute, reducer or orchestrator; until then only the \
             declared events are published",
        ),
    });
    kind
}

/// Where operations may stand. A later tier counts only when those before it gave nothing.
static OPERATION_TIERS: [&[OperationSource]; 3] = [
    &[
        OperationSource {
            name: "io_operations",
            read: |y| named(y, &["io_operations"], &["operation", "name"]),
        },
        OperationSource {
            name: "handler_routing",
            read: |y| {
                named(
                    y,
                    &["handler_routing", "handlers"],
                    &["operation", "routing_key"],
                )
            },
        },
        OperationSource {
            name: "handler_routing.supported_operations",
            read: supported_operations,
        },
        OperationSource {
            name: "operations",
            read: |y| named(y, &["operations"], &["operation", "name"]),
        },
        OperationSource {
            name: "operation_bindings",
            read: bound_operations,
        },
        OperationSource {
            name: "input_subscriptions",
            read: |y| named(y, &["input_subscriptions"], &["operation"]),
        },
        OperationSource {
            name: "effect_operations",
            read: |y| named(y, &["effect_operations", "operations"], &["operation_name"]),
        },
        OperationSource {
            name: "effect",
            read: |y| text_at(y, &["effect", "operation_name"]),
        },
    ],
    &[
        OperationSource {
            name: "actions",
            read: |y| named(y, &["actions"], &["name"]),
        },
        OperationSource {
            name: "capability_outputs",
            read: |y| texts(y.get("capability_outputs")),
        },
        OperationSource {
            name: "state_transitions.operations",
            read: |y| named(y, &["state_transitions", "operations"], &["operation_name"]),
        },
        OperationSource {
            name: "state_machine.operations",
            read: |y| named(y, &["state_machine", "operations"], &["operation_name"]),
        },
        OperationSource {
            name: "fsm.operations",
            read: |y| named(y, &["fsm", "operations"], &["operation_name"]),
        },
    ],
    &[OperationSource {
        name: "io_operations.operation_type",
        read: |y| named(y, &["io_operations"], &["operation_type"]),
    }],
];

struct OperationSource {
    name: &'static str,
    read: fn(&Yaml) -> Vec<Located<String>>,
}

fn read_operations(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Vec<WrittenOperation> {
    let mut operations: Vec<WrittenOperation> = Vec::new();
    let mut index = HashMap::new();
    for tier in OPERATION_TIERS {
        for source in tier {
            for name in (source.read)(yaml) {
                let at = *index.entry(name.value.clone()).or_insert(operations.len());
                if at == operations.len() {
                    operations.push(WrittenOperation {
                        name,
                        description: None,
                        input: Vec::new(),
                        result: Vec::new(),
                        instrument: Instrument::default(),
                        per_request: None,
                        failure_ratio: None,
                        sources: vec![source.name],
                    });
                } else if !operations[at].sources.contains(&source.name) {
                    operations[at].sources.push(source.name);
                }
            }
        }
        if !operations.is_empty() {
            break;
        }
    }
    check_operations(yaml, &operations, diagnostics);
    operations
}

fn check_operations(
    yaml: &Yaml,
    operations: &[WrittenOperation],
    diagnostics: &mut Vec<Diagnostic>,
) {
    for operation in operations.iter().filter(|o| !is_identifier(&o.name.value)) {
        let name = &operation.name;
        diagnostics.push(
            Diagnostic::new(
                &rules::OPERATION_NOT_IDENTIFIER,
                format!("the operation {} is no identifier", quote(&name.value)),
            )
            .at(name.location)
            .help(format!(
                "methods say {}, event types {}",
                quote(&crate::ident::ident(&name.value)),
                quote(&name.value)
            )),
        );
    }
    let mut first = HashMap::new();
    for route in named(
        yaml,
        &["handler_routing", "handlers"],
        &["operation", "routing_key"],
    ) {
        match first.get(&route.value) {
            None => {
                first.insert(route.value, (route.location, false));
            }
            Some((_, true)) => {}
            Some(&(location, false)) => {
                diagnostics.push(
                    Diagnostic::new(
                        &rules::OPERATION_DUPLICATE_ROUTE,
                        format!(
                            "the operation {} is routed more than once",
                            quote(&route.value)
                        ),
                    )
                    .at(route.location)
                    .label(location, "first routed here")
                    .help("for events it is one operation; nothing has to be done"),
                );
                first.insert(route.value, (location, true));
            }
        }
    }
}

fn supported_operations(yaml: &Yaml) -> Vec<Located<String>> {
    let handlers = yaml
        .at(&["handler_routing", "handlers"])
        .map(Yaml::items)
        .unwrap_or_default();
    handlers
        .iter()
        .flat_map(|handler| texts(handler.get("supported_operations")))
        .collect()
}

fn bound_operations(yaml: &Yaml) -> Vec<Located<String>> {
    let bindings = yaml
        .at(&["operation_bindings", "bindings"])
        .map(Yaml::entries)
        .unwrap_or_default();
    bindings
        .iter()
        .filter(|(key, _)| !is_blank(&key.text))
        .map(|(key, _)| Located::new(key.text.clone(), key.location))
        .collect()
}

/// Where published events may stand, what makes the topic, and what role it gives.
fn read_published(
    yaml: &Yaml,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<WrittenEvent> {
    const TOPIC: &[&str] = &[
        "topic",
        "topic_suffix",
        "event_pattern",
        "full_topic_pattern",
        "name",
    ];
    let mut published = Published::default();
    let mut list = |source, path: &[&str], keys: &[&str]| {
        for item in yaml.at(path).map(Yaml::items).unwrap_or_default() {
            published.add(source, item, keys, reader, diagnostics);
        }
    };
    list("published_events", &["published_events"], TOPIC);
    list(
        "event_bus.publish_topics",
        &["event_bus", "publish_topics"],
        &["topic"],
    );
    list("event_bus.publish", &["event_bus", "publish"], &["topic"]);
    list("publish_topics", &["publish_topics"], &["topic"]);
    list(
        "topics.produces",
        &["topics", "produces"],
        &["topic", "name"],
    );
    list(
        "topics.publishes",
        &["topics", "publishes"],
        &["topic", "name"],
    );
    list("produced_events", &["produced_events"], &["topic", "name"]);
    list("publications", &["publications"], &["topic"]);
    list(
        "publications",
        &["workflow_coordination", "publications"],
        &["topic"],
    );
    list("emits", &["emits"], TOPIC);
    list("events.emits", &["events", "emits"], TOPIC);
    list("events.emitted", &["events", "emitted"], &["topic"]);
    list("event_outputs", &["event_outputs"], TOPIC);
    for item in yaml
        .at(&["event_bus", "publish_topics"])
        .map(Yaml::items)
        .unwrap_or_default()
    {
        published.add_role(
            "event_bus.publish_topics",
            item.get("success_topic"),
            "success",
        );
        published.add_role(
            "event_bus.publish_topics",
            item.get("failure_topic"),
            "failure",
        );
    }
    for (key, value) in yaml
        .at(&["event_bus", "publish"])
        .map(Yaml::entries)
        .unwrap_or_default()
    {
        if let Some(role) = key.text.strip_suffix("_topic") {
            let role = ["success", "failure"]
                .into_iter()
                .find(|known| *known == role);
            published.add_role("event_bus.publish", Some(value), role.unwrap_or_default());
        }
    }
    published.add_metadata(yaml);
    published.mark(&terminal_topics(yaml), "terminal");
    published.mark(
        &texts(yaml.get("externally_consumed_topics")),
        "externally_consumed",
    );
    published.events
}

#[derive(Default)]
struct Published {
    events: Vec<WrittenEvent>,
    index: HashMap<String, usize>,
}

impl Published {
    fn add(
        &mut self,
        source: &'static str,
        item: &Yaml,
        topic_keys: &[&str],
        reader: &FieldReader<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let topic = if item.is_mapping() {
            item.first_str(topic_keys)
        } else {
            Some(item)
        };
        if let Some(event) = topic.and_then(|topic| self.entry(source, topic)) {
            if let (None, Some(event_type)) = (&event.event_type, item.get("event_type")) {
                event.event_type = Located::read(event_type);
            }
            if event.description.is_none() {
                event.description = item
                    .get("description")
                    .and_then(Yaml::as_text)
                    .map(str::to_owned);
            }
            if event.settings.is_none() {
                event.settings = item
                    .get("topic_config")
                    .map(|s| TopicSettings::read(s, "kafka_config"));
            }
            if event.schema_ref.is_none() {
                event.schema_ref = model_name(item);
            }
            if event.payload.is_empty()
                && let Some(fields) = item.get("payload_fields")
            {
                event.payload = reader.fields(fields, Privacy::Public, diagnostics);
            }
        }
    }

    fn add_role(&mut self, source: &'static str, topic: Option<&Yaml>, role: &'static str) {
        if let Some(event) = topic.and_then(|topic| self.entry(source, topic))
            && !role.is_empty()
            && !event.roles.contains(&role)
        {
            event.roles.push(role);
        }
    }

    /// The event of a topic, made when it is new.
    fn entry(&mut self, source: &'static str, topic: &Yaml) -> Option<&mut WrittenEvent> {
        let name = topic_name(topic)?;
        let at = *self
            .index
            .entry(name.value.clone())
            .or_insert(self.events.len());
        if at == self.events.len() {
            self.events.push(WrittenEvent {
                location: name.location,
                event_type: None,
                topic: Some(name),
                description: None,
                payload: Vec::new(),
                partition_key: None,
                settings: None,
                roles: Vec::new(),
                schema_ref: None,
                per_request: None,
                sources: Vec::new(),
            });
        }
        let event = &mut self.events[at];
        if !event.sources.contains(&source) {
            event.sources.push(source);
        }
        Some(event)
    }

    /// `publish_topic_metadata` only describes topics that are published already.
    fn add_metadata(&mut self, yaml: &Yaml) {
        let metadata = yaml.at(&["event_bus", "publish_topic_metadata"]);
        for (topic, described) in metadata.map(Yaml::entries).unwrap_or_default() {
            let name = strip_env(&topic.text);
            let Some(event) = self.index.get(name).map(|at| &mut self.events[*at]) else {
                continue;
            };
            event.sources.push("event_bus.publish_topic_metadata");
            if event.schema_ref.is_none() {
                event.schema_ref = model_name(described);
            }
        }
    }

    fn mark(&mut self, topics: &[Located<String>], role: &'static str) {
        for topic in topics {
            if let Some(at) = self.index.get(strip_env(&topic.value)) {
                let roles = &mut self.events[*at].roles;
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
    }
}

/// The payload's model, by name or as `{name, module}`.
fn model_name(yaml: &Yaml) -> Option<String> {
    let model = ["schema_ref", "payload_schema", "schema", "model"]
        .iter()
        .find_map(|key| yaml.get(key))?;
    model
        .as_str()
        .or_else(|| model.get("name")?.as_str())
        .map(str::to_owned)
}

/// Topics that end the node's work, wherever a contract says it.
fn terminal_topics(yaml: &Yaml) -> Vec<Located<String>> {
    let places: [&[&str]; 4] = [
        &["terminal_event"],
        &["terminal_events"],
        &["event_bus", "terminal_event"],
        &["runtime_dispatch", "terminal_events"],
    ];
    let mut topics = Vec::new();
    for place in places.iter().filter_map(|path| yaml.at(path)) {
        match &place.value {
            Value::Scalar(_) => topics.extend(topic_name(place)),
            Value::Sequence(items) => topics.extend(items.iter().filter_map(topic_name)),
            Value::Mapping(entries) => {
                topics.extend(entries.iter().filter_map(|(_, v)| topic_name(v)));
            }
        }
    }
    topics
}

fn read_consumed(yaml: &Yaml) -> Vec<(Consumed, Location)> {
    const TOPIC: &[&str] = &[
        "topic",
        "event_pattern",
        "topic_suffix",
        "full_topic_pattern",
        "name",
    ];
    let mut consumed: Vec<(Consumed, Location)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut add = |source: &'static str, item: &Yaml, keys: &[&str]| {
        let topic = if item.is_mapping() {
            item.first_str(keys)
        } else {
            Some(item)
        };
        let Some(name) = topic.and_then(topic_name) else {
            return;
        };
        let at = *index.entry(name.value.clone()).or_insert(consumed.len());
        if at == consumed.len() {
            let topic = Consumed {
                conforming: is_conforming(&name.value),
                topic: name.value,
                event_type: None,
                sources: Vec::new(),
            };
            consumed.push((topic, name.location));
        }
        let entry = &mut consumed[at].0;
        if !entry.sources.contains(&source) {
            entry.sources.push(source);
        }
        if entry.event_type.is_none() && source == "consumed_events" {
            entry.event_type = item
                .get("event_type")
                .and_then(Yaml::as_str)
                .map(str::to_owned);
        }
    };
    let lists: [(&str, &[&str], &[&str]); 13] = [
        (
            "event_bus.subscribe_topics",
            &["event_bus", "subscribe_topics"],
            &["topic"],
        ),
        (
            "event_bus.subscribe",
            &["event_bus", "subscribe"],
            &["topic"],
        ),
        ("subscribe_topics", &["subscribe_topics"], &["topic"]),
        ("consumed_events", &["consumed_events"], TOPIC),
        ("subscribed_events", &["subscribed_events"], TOPIC),
        (
            "topics.consumes",
            &["topics", "consumes"],
            &["topic", "name"],
        ),
        (
            "topics.subscribes",
            &["topics", "subscribes"],
            &["topic", "name"],
        ),
        ("input_subscriptions", &["input_subscriptions"], &["topic"]),
        ("subscriptions", &["subscriptions", "topics"], &["topic"]),
        (
            "subscriptions",
            &["workflow_coordination", "subscriptions"],
            &["topic"],
        ),
        (
            "handler_routing.topic",
            &["handler_routing", "handlers"],
            &["topic"],
        ),
        ("event_sources", &["event_sources"], TOPIC),
        ("subscriptions", &["subscriptions"], &["topic"]),
    ];
    for (source, path, keys) in lists {
        for item in yaml.at(path).map(Yaml::items).unwrap_or_default() {
            add(source, item, keys);
        }
    }
    if let Some(bus) = yaml
        .at(&["event_bus", "subscribe"])
        .filter(|bus| bus.is_mapping())
    {
        add("event_bus.subscribe", bus, &["topic"]);
    }
    if let Some(topic) = yaml.at(&["runtime_dispatch", "command_topic"]) {
        add("runtime_dispatch.command_topic", topic, &[]);
    }
    consumed
}

/// Diagnostics about how the parts that name topics fit together.
fn check_bus(
    yaml: &Yaml,
    published: &[WrittenEvent],
    consumed: &[(Consumed, Location)],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let on_bus = |event: &WrittenEvent| event.sources.contains(&"event_bus.publish_topics");
    let described = |event: &WrittenEvent| event.sources.contains(&"published_events");
    if published.iter().any(described) {
        let mut left_out = published.iter().filter(|e| on_bus(e) && !described(e));
        if let Some(first) = left_out.next() {
            let number = 1 + left_out.count();
            diagnostics.push(
                Diagnostic::new(
                    &rules::PUBLISHED_WITHOUT_EVENT,
                    format!(
                        "{number} of `publish_topics` {} no entry in `published_events`",
                        if number == 1 { "has" } else { "have" }
                    ),
                )
                .at(first.location)
                .detail(number.to_string())
                .help(
                    "event types are derived from the topics; describe an event to choose its own",
                ),
            );
        }
    }
    let name = |event: &WrittenEvent| quote(event.topic.as_ref().map_or("", |t| &t.value));
    for event in published.iter().filter(|e| described(e) && !on_bus(e)) {
        diagnostics.push(
            Diagnostic::new(
                &rules::PUBLISHED_NOT_ON_BUS,
                format!("{} is not in `event_bus.publish_topics`", name(event)),
            )
            .at(event.location)
            .help("add it there, so that the platform makes the topic"),
        );
    }
    let topics: HashSet<&str> = published
        .iter()
        .filter_map(|event| Some(event.topic.as_ref()?.value.as_str()))
        .collect();
    for topic in terminal_topics(yaml) {
        if !topics.contains(topic.value.as_str()) {
            diagnostics.push(
                Diagnostic::new(
                    &rules::TERMINAL_NOT_PUBLISHED,
                    format!(
                        "the terminal event {} is not published",
                        quote(&topic.value)
                    ),
                )
                .at(topic.location)
                .detail(topic.value)
                .help("add it to `event_bus.publish_topics`"),
            );
        }
    }
    let mut both = consumed
        .iter()
        .filter(|(topic, _)| topics.contains(topic.topic.as_str()));
    if let Some((first, location)) = both.next() {
        let number = 1 + both.count();
        let more = match number {
            1 => "is".to_owned(),
            _ => format!("and {} more are", number - 1),
        };
        diagnostics.push(
            Diagnostic::new(
                &rules::BUS_BOTH_WAYS,
                format!("{} {more} both published and consumed", quote(&first.topic)),
            )
            .at(*location)
            .detail(number.to_string())
            .help("fine for a loop that is meant; otherwise the node answers itself"),
        );
    }
    for event in published {
        let Some(topic) = &event.topic else { continue };
        if !is_conforming(&topic.value) {
            diagnostics.push(
                Diagnostic::new(
                    &rules::PUBLISHED_NONCONFORMING,
                    format!(
                        "the topic {} breaks the platform's rule",
                        quote(&topic.value)
                    ),
                )
                .at(topic.location)
                .help(
                    "the rule: onex.(cmd|evt|dlq|intent|snapshot).<producer>.<event-name>.vN, \
                     in lowercase kebab-case",
                ),
            );
        }
    }
}

fn read_states(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<StateMachine> {
    let (source, machine) = ["state_machine", "fsm", "state_transitions"]
        .into_iter()
        .find_map(|key| Some((key, yaml.get(key).filter(|machine| machine.is_mapping())?)))?;
    let mut states: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    let mut flagged: Vec<String> = Vec::new();
    let mut has_flags = false;
    for state in machine.get("states").map(Yaml::items).unwrap_or_default() {
        has_flags |= state.is_mapping();
        let name = if state.is_mapping() {
            state.first_str(&["state_name", "name"])
        } else {
            Some(state)
        };
        let Some(name) = name.and_then(Yaml::as_str).filter(|name| *name != "*") else {
            continue;
        };
        if known.insert(name) {
            states.push(name.to_owned());
        }
        if state.get("is_terminal").and_then(Yaml::as_bool) == Some(true) {
            flagged.push(name.to_owned());
        }
    }
    let listed = texts(machine.get("terminal_states"));
    let mut terminal: Vec<String> = listed.into_iter().map(|state| state.value).collect();
    let mut named: HashSet<String> = terminal.iter().cloned().collect();
    let agree = named.len() == flagged.len() && flagged.iter().all(|state| named.contains(state));
    if let (true, false, Some(first)) = (has_flags, agree, machine.get("terminal_states")) {
        diagnostics.push(
            Diagnostic::new(
                &rules::STATE_TERMINAL,
                "`terminal_states` and the `is_terminal` of states disagree",
            )
            .at(first.head())
            .help("both are taken; mark every terminal state in both places, or drop one"),
        );
    }
    for state in flagged {
        if named.insert(state.clone()) {
            terminal.push(state);
        }
    }
    let transitions = machine
        .get("transitions")
        .map(Yaml::items)
        .unwrap_or_default();
    Some(StateMachine {
        source,
        location: machine.head(),
        states,
        initial: machine
            .first_str(&["initial_state", "initial"])
            .and_then(Yaml::as_str)
            .map(str::to_owned),
        terminal,
        transitions: transitions
            .iter()
            .filter_map(|transition| {
                Some(Transition {
                    from: Located::read(transition.first_str(&["from_state", "from"])?)?,
                    to: Located::read(transition.first_str(&["to_state", "to"])?)?,
                    trigger: transition
                        .get("trigger")
                        .and_then(Yaml::as_text)
                        .map(str::to_owned),
                })
            })
            .collect(),
    })
}

fn read_fields(
    yaml: &Yaml,
    key: &str,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Field> {
    yaml.get(key).map_or_else(Vec::new, |fields| {
        reader.fields(fields, Privacy::Private, diagnostics)
    })
}

/// The parts of an `onex.<kind>.<producer>.<event-name>.vN` topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnexTopic<'a> {
    /// Who publishes it.
    pub(crate) producer: &'a str,
    /// What is published; has dots where the topic has more than five segments.
    pub(crate) event_name: &'a str,
    /// Whether it is five segments in lowercase kebab-case.
    pub(crate) conforming: bool,
}

impl<'a> OnexTopic<'a> {
    /// Takes a topic apart. `None` when it is not of the platform's form.
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

fn is_conforming(topic: &str) -> bool {
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

fn is_identifier(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads whatever begins with a number: what can't be read is left out.
fn read_version(yaml: &Yaml) -> Option<Version> {
    if yaml.is_mapping() {
        Version::read_parts(yaml)
    } else {
        yaml.as_text()?.parse().ok()
    }
}

/// The environment at the start of a topic is a property of the deployment.
fn strip_env(topic: &str) -> &str {
    topic.strip_prefix("{env}.").unwrap_or(topic)
}

fn topic_name(yaml: &Yaml) -> Option<Located<String>> {
    let text = strip_env(yaml.as_str()?.trim());
    (!text.is_empty()).then(|| Located::new(text.to_owned(), yaml.location))
}

fn text_at(yaml: &Yaml, path: &[&str]) -> Vec<Located<String>> {
    yaml.at(path).and_then(Located::read).into_iter().collect()
}

fn texts(yaml: Option<&Yaml>) -> Vec<Located<String>> {
    let items = yaml.map(Yaml::items).unwrap_or_default();
    items.iter().filter_map(Located::read).collect()
}

/// The first of `keys` in each mapping of the list at `path`.
fn named(yaml: &Yaml, path: &[&str], keys: &[&str]) -> Vec<Located<String>> {
    let items = yaml.at(path).map(Yaml::items).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| Located::read(item.first_str(keys)?))
        .collect()
}
