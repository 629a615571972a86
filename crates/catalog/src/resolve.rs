//! From what is written to what is meant: identifiers, event types, topics.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use herald_diagnostics::{Diagnostic, Location, Severity, SourceId, Span};
use herald_envelope::topic::{self, InvalidTopic, Topic, TopicPattern};

use crate::category::{self, Category, DECLARED, METRIC_EVENTS, OPERATION_LIFECYCLE, STATE_EVENTS};
use crate::contract::{ContractFile, Format, Located, StateMachine, WrittenEvent};
use crate::definitions;
use crate::fields::{Definition, Field, Privacy};
use crate::ident::{ident, is_meaningful, is_python_keyword, slug};
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::node::{
    Declared, Event, EventTypeSource, Fingerprint, Identity, Node, Operation, Origin,
};
use crate::onex::OnexTopic;
use crate::pattern;
use crate::rules;
use crate::text::{did_you_mean, quote};
use crate::volume::Volume;

/// What a project sets for all of its contracts.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Namespace of contracts that set none.
    pub namespace: Option<String>,
    /// How topics of generated events are named.
    pub topic_pattern: TopicPattern,
}

/// Resolves a contract. Whatever can't be resolved is a diagnostic, and left out.
pub(crate) fn resolve(
    file: ContractFile,
    origin: Origin,
    defaults: &Defaults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Node {
    let name = file.name.as_ref().map(|name| name.value.clone());
    let service_slug = match slug(name.as_deref().unwrap_or(&origin.fallback_name)) {
        empty if empty.is_empty() => "node".to_owned(),
        slug => slug,
    };
    check_name(&file, diagnostics);
    let operations = resolve_operations(&file, diagnostics);
    let mut node = Node {
        format: file.format,
        identity: Identity {
            slug: service_slug.clone(),
            contract_version: file.contract_version,
            node_version: file.node_version,
            name: name.clone(),
        },
        kind: file.kind,
        // ONEX names are free text, and become part of topics that nobody wrote down.
        service_name: match (file.format, name) {
            (Format::Native, Some(name)) => name,
            _ => service_slug,
        },
        namespace: file
            .namespace
            .as_ref()
            .map(|n| n.value.clone())
            .or_else(|| defaults.namespace.clone()),
        description: file.description,
        operations,
        states: file.states,
        metrics: file.metrics,
        events: Vec::new(),
        consumed: file.consumed,
        inputs: file.inputs,
        outputs: file.outputs,
        definitions: resolve_definitions(file.format, file.definitions, diagnostics),
        volume: file.volume,
        redact: Vec::new(),
        location: file.location,
        origin,
    };
    let events = Events {
        node: &node,
        pattern: &defaults.topic_pattern,
    };
    let mut resolved = Vec::new();
    if let Some(kind) = node.kind {
        resolved.extend(events.lifecycle(kind));
        let location = node
            .states
            .as_ref()
            .map_or(node.location, |states| states.location);
        resolved.extend(
            file.state_events
                .then(|| events.of_node(kind, &STATE_EVENTS, location)),
        );
        resolved.extend(
            file.metric_events
                .then(|| events.of_node(kind, &METRIC_EVENTS, node.location)),
        );
    }
    resolved.extend(
        file.events
            .into_iter()
            .map(|event| events.declared(event, diagnostics)),
    );
    node.events = distinct(node.format, resolved, diagnostics);
    node.redact = file
        .redact
        .into_iter()
        .filter_map(|p| check_pattern(p, diagnostics))
        .collect();
    check_states(node.states.as_ref(), diagnostics);
    check_topics(
        &node,
        file.name.as_ref().filter(|_| node.format == Format::Native),
        file.namespace.as_ref(),
        diagnostics,
    );
    // An unknown key may be what the operations were meant to stand under.
    let explained = diagnostics
        .iter()
        .any(|f| f.rule == &rules::CONTRACT_UNKNOWN_KEY);
    if node.format == Format::Native
        && node.operations.is_empty()
        && node.declared().next().is_none()
        && !explained
    {
        diagnostics.push(
            Diagnostic::new(
                &rules::CONTRACT_NO_EVENTS,
                "the contract has no operations and no events",
            )
            .at(node.location)
            .help("add `operations: [name]`, or declare `events`"),
        );
    }
    node
}

fn check_name(file: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let Some(name) = &file.name else { return };
    if !is_meaningful(&ident(&name.value)) {
        diagnostics.push(unusable(name));
    }
}

fn unusable(name: &Located<String>) -> Diagnostic {
    Diagnostic::new(
        &rules::NAME_UNUSABLE,
        format!(
            "the name {} can't be made an identifier",
            quote(&name.value)
        ),
    )
    .at(name.location)
    .help("use at least one ASCII letter or digit")
}

fn resolve_operations(file: &ContractFile, diagnostics: &mut Vec<Diagnostic>) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    let mut taken = Taken::default();
    for written in &file.operations {
        let name = &written.name;
        let ident = ident(&name.value);
        if !is_meaningful(&ident) {
            diagnostics.push(unusable(name));
            continue;
        }
        if is_python_keyword(&ident) {
            diagnostics.push(
                Diagnostic::new(
                    &rules::NAME_KEYWORD,
                    format!("the operation {} is a Python keyword", quote(&name.value)),
                )
                .at(name.location)
                .help(format!("say what it works on, such as `{ident}_orders`")),
            );
        }
        if let Some(known) = by_name.get(name.value.as_str()) {
            diagnostics.push(
                Diagnostic::new(
                    &rules::OPERATION_DUPLICATE,
                    format!("the operation {} is listed twice", quote(&name.value)),
                )
                .at(name.location)
                .label(operations[*known].location, "first listed here")
                .help("remove one of the two"),
            );
            continue;
        }
        let (ident, owner) = taken.take(ident, operations.len());
        if let Some(owner) = owner.map(|owner| &operations[owner]) {
            diagnostics.push(collision(
                file.format,
                (&owner.name, owner.location),
                (&name.value, name.location),
            ));
        }
        by_name.insert(&name.value, operations.len());
        operations.push(Operation {
            name: name.value.clone(),
            ident,
            description: written.description.clone(),
            input: written.input.clone(),
            result: written.result.clone(),
            instrument: written.instrument.clone(),
            per_request: written.per_request,
            failure_ratio: written.failure_ratio,
            sources: written.sources.clone(),
            location: name.location,
        });
    }
    operations
}

/// Gives each definition an identifier of its own.
fn resolve_definitions(
    format: Format,
    mut definitions: Vec<Definition>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Definition> {
    let mut taken = Taken::default();
    for index in 0..definitions.len() {
        let (ident, owner) = taken.take(ident(&definitions[index].name), index);
        definitions[index].ident = ident;
        if let Some(first) = owner.map(|owner| &definitions[owner]) {
            let second = &definitions[index];
            diagnostics.push(collision(
                format,
                (&first.name, first.location),
                (&second.name, second.location),
            ));
        }
    }
    if format == Format::Native {
        definitions::check_ends(&definitions, diagnostics);
        for definition in &definitions {
            check_keywords(&definition.fields, diagnostics);
        }
    }
    definitions
}

/// Identifiers that are given away. Upper and lower case are the same, because constants are in
/// uppercase.
#[derive(Default)]
struct Taken {
    owners: HashMap<String, usize>,
    /// What was last put behind an identifier to make it another one.
    numbers: HashMap<String, usize>,
}

impl Taken {
    /// Gives away an identifier. If it has an owner already, that is given back too, and the
    /// identifier has a number behind it: what collides stays distinct all the same.
    fn take(&mut self, ident: String, owner: usize) -> (String, Option<usize>) {
        let key = ident.to_ascii_lowercase();
        let Some(&first) = self.owners.get(&key) else {
            self.owners.insert(key, owner);
            return (ident, None);
        };
        let number = self.numbers.entry(key.clone()).or_insert(1);
        loop {
            *number += 1;
            if let Entry::Vacant(free) = self.owners.entry(format!("{key}_{number}")) {
                free.insert(owner);
                return (format!("{ident}_{number}"), Some(first));
            }
        }
    }
}

/// Two names of one identifier. Nobody chose the names of ONEX contracts for this, so there it is
/// no error that they need numbers.
fn collision(format: Format, first: (&str, Location), second: (&str, Location)) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        &rules::NAME_COLLISION,
        format!(
            "{} and {} both become the identifier {}",
            quote(first.0),
            quote(second.0),
            quote(&ident(second.0).to_ascii_lowercase())
        ),
    )
    .at(second.1)
    .label(first.1, "the other one is here")
    .help("rename one of the two");
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}

struct Events<'a> {
    node: &'a Node,
    pattern: &'a TopicPattern,
}

impl Events<'_> {
    fn lifecycle(&self, kind: Kind) -> impl Iterator<Item = Event> {
        self.node
            .operations
            .iter()
            .enumerate()
            .flat_map(move |(index, operation)| {
                OPERATION_LIFECYCLE.stages.iter().map(move |stage| {
                    self.generated(
                        &OPERATION_LIFECYCLE,
                        stage,
                        stage.event_type_of(kind, Some(&operation.name)),
                        stage.ident_of(Some(&operation.ident)),
                        Some(index),
                        operation.location,
                    )
                })
            })
    }

    fn of_node(&self, kind: Kind, category: &'static Category, location: Location) -> Event {
        let stage = category.stages[0];
        let event_type = stage.event_type_of(kind, None);
        self.generated(
            category,
            stage,
            event_type,
            stage.ident_of(None),
            None,
            location,
        )
    }

    fn generated(
        &self,
        category: &'static Category,
        stage: &'static category::Stage,
        event_type: String,
        ident: String,
        operation: Option<usize>,
        location: Location,
    ) -> Event {
        Event {
            category,
            stage: Some(stage),
            operation,
            topic: self.topic(&event_type),
            event_type,
            ident,
            description: None,
            declared: None,
            location,
            topic_location: location,
        }
    }

    fn topic(&self, event_type: &str) -> Topic {
        let version = self.node.identity.contract_version.as_ref();
        let major = version.map_or(1, crate::version::Version::topic_major);
        self.pattern
            .topic(&self.node.service_name, event_type, major)
    }

    fn declared(&self, written: WrittenEvent, diagnostics: &mut Vec<Diagnostic>) -> Event {
        let topic_name = written
            .topic
            .as_ref()
            .map_or("", |topic| topic.value.as_str());
        let onex = OnexTopic::parse(topic_name);
        let (event_type, event_type_source) = match (&written.event_type, onex) {
            (Some(event_type), _) => (event_type.value.clone(), EventTypeSource::Declared),
            (None, Some(topic)) => (
                format!("{}.{}", topic.producer, topic.event_name),
                EventTypeSource::Derived,
            ),
            (None, None) => (topic_name.to_owned(), EventTypeSource::Verbatim),
        };
        let topic = match &written.topic {
            Some(topic) if self.node.format == Format::Native => declared_topic(&topic.value),
            Some(topic) => Topic::Literal(topic.value.clone()),
            None => self.topic(&event_type),
        };
        if let Some(key) = &written.partition_key {
            check_partition_key(key, &written, diagnostics);
        }
        check_payload(&written.payload, diagnostics);
        Event {
            category: &DECLARED,
            stage: None,
            operation: None,
            ident: ident(&event_type),
            topic,
            description: written.description,
            declared: Some(Declared {
                payload: written.payload,
                partition_key: written.partition_key.map(|key| key.value),
                settings: written.settings,
                conforming: onex.is_some_and(|topic| topic.conforming),
                event_type_source,
                roles: written.roles,
                schema_ref: written.schema_ref,
                per_request: written.per_request,
                sources: written.sources,
            }),
            event_type,
            topic_location: written
                .topic
                .map_or(written.location, |topic| topic.location),
            location: written.location,
        }
    }
}

/// A topic of the native format, in which `{namespace}` may stand once.
fn declared_topic(text: &str) -> Topic {
    match text.split_once("{namespace}") {
        Some((before, after)) => Topic::Namespaced {
            before: before.to_owned(),
            after: after.to_owned(),
        },
        None => Topic::Literal(text.to_owned()),
    }
}

fn check_keywords(fields: &[Field], diagnostics: &mut Vec<Diagnostic>) {
    for field in fields {
        if is_python_keyword(&field.name) {
            diagnostics.push(
                Diagnostic::new(
                    &rules::NAME_KEYWORD,
                    format!("the field {} is a Python keyword", quote(&field.name)),
                )
                .at(field.location)
                .help(format!(
                    "another name, such as `{}_`, is easier to use",
                    field.name
                )),
            );
        }
    }
}

fn check_payload(fields: &[Field], diagnostics: &mut Vec<Diagnostic>) {
    check_keywords(fields, diagnostics);
    for field in fields {
        if field.name == "metadata" {
            diagnostics.push(
                Diagnostic::new(
                    &rules::EVENT_RESERVED_FIELD,
                    "the field `metadata` is overwritten by the metadata of a caller",
                )
                .at(field.location)
                .help("give it another name"),
            );
        }
    }
}

fn check_partition_key(
    key: &Located<String>,
    event: &WrittenEvent,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if event.payload.is_empty() {
        // An open payload may have any field.
        return;
    }
    let field = event.payload.iter().find(|field| field.name == key.value);
    let diagnostic = match field {
        Some(field) if field.privacy == Privacy::Private => Diagnostic::new(
            &rules::EVENT_PARTITION_KEY,
            format!("the partition key {} is a private field", quote(&key.value)),
        )
        .label(field.location, "private here")
        .help("take a public field, or make this one public"),
        Some(_) => return,
        None => {
            let names = event.payload.iter().map(|field| field.name.as_str());
            let help = did_you_mean(&key.value, names, diagnostics);
            Diagnostic::new(
                &rules::EVENT_PARTITION_KEY,
                format!("the payload has no field {}", quote(&key.value)),
            )
            .help(help.unwrap_or_else(|| "name a field of the payload".to_owned()))
        }
    };
    diagnostics.push(diagnostic.at(key.location));
}

/// Reports event types and identifiers that are taken already. An event that can't be named is
/// left out.
fn distinct(format: Format, events: Vec<Event>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Event> {
    let mut taken = Taken::default();
    let mut by_type: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    for mut event in events {
        if !is_meaningful(&event.ident) {
            diagnostics.push(unusable(&Located::new(event.event_type, event.location)));
            continue;
        }
        let (ident, owner) = taken.take(event.ident, kept.len());
        event.ident = ident;
        if let Some(same) = by_type.get(&event.event_type) {
            diagnostics.push(duplicate(format, &kept[*same], &event));
        } else {
            by_type.insert(event.event_type.clone(), kept.len());
            if let Some(first) = owner.map(|owner| &kept[owner]) {
                diagnostics.push(collision(
                    format,
                    (&first.event_type, first.location),
                    (&event.event_type, event.location),
                ));
            }
        }
        kept.push(event);
    }
    kept
}

fn duplicate(format: Format, first: &Event, second: &Event) -> Diagnostic {
    let (message, label) = match (&first.declared, first.operation) {
        (Some(_), _) => ("is declared twice", "first declared here"),
        (None, Some(_)) => ("is generated already", "generated for this operation"),
        (None, None) => ("is generated already", "generated for this contract"),
    };
    let mut diagnostic = Diagnostic::new(
        &rules::EVENT_DUPLICATE,
        format!("the event {} {message}", quote(&second.event_type)),
    )
    .at(second.location)
    .label(first.location, label)
    .help("give one of the two another event type");
    // An ONEX contract may publish two versions of a topic, which mean one event type.
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}

fn check_pattern(pattern: Located<String>, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    match pattern::check(&pattern.value) {
        Ok(()) => Some(pattern.value),
        Err(problem) => {
            diagnostics.push(
                Diagnostic::new(
                    &rules::REDACT_PATTERN,
                    format!("this pattern can't be used: {}", problem.reason),
                )
                .at(pattern.location)
                .help(problem.help),
            );
            None
        }
    }
}

fn check_states(states: Option<&StateMachine>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(machine) = states.filter(|machine| !machine.states.is_empty()) else {
        return;
    };
    let known: HashSet<&str> = machine.states.iter().map(String::as_str).collect();
    for transition in &machine.transitions {
        for end in [&transition.from, &transition.to] {
            if end.value == "*" || known.contains(end.value.as_str()) {
                continue;
            }
            diagnostics.push(unknown_state(end, &machine.states, diagnostics));
        }
    }
}

pub(crate) fn unknown_state(
    state: &Located<String>,
    states: &[String],
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let help = did_you_mean(&state.value, states.iter().map(String::as_str), diagnostics);
    Diagnostic::new(
        &rules::STATE_UNKNOWN,
        format!("{} is none of the states", quote(&state.value)),
    )
    .at(state.location)
    .help(help.unwrap_or_else(|| "add it to the states".to_owned()))
}

/// Holds topics against Kafka's rule. What is wrong with a name that many topics share is said
/// of that name, once.
fn check_topics(
    node: &Node,
    service_name: Option<&Located<String>>,
    namespace: Option<&Located<String>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let service = service_name.and_then(|name| check_part("the service name", name, diagnostics));
    let namespace = match namespace {
        Some(name) if check_part("the namespace", name, diagnostics).is_some() => None,
        _ => node.namespace.as_deref(),
    };
    let namespace = namespace.unwrap_or(topic::DEFAULT_NAMESPACE);
    let mut reported = HashSet::new();
    for event in &node.events {
        let name = event.topic.in_namespace(namespace);
        let Err(reason) = topic::validate(&name) else {
            continue;
        };
        let is_only_the_service =
            |service: &str| topic::validate(&name.replace(service, "x")).is_ok();
        if service.is_some_and(is_only_the_service) {
            continue;
        }
        // The three events of an operation break the rule for one reason.
        if reported.insert(event.topic_location) {
            diagnostics.push(invalid_topic(
                "the topic",
                &name,
                &reason,
                event.topic_location,
            ));
        }
    }
}

/// Reports a name that can't be part of any topic, and gives it back.
fn check_part<'a>(
    what: &str,
    name: &'a Located<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a str> {
    let reason = topic::validate(&name.value).err()?;
    diagnostics.push(invalid_topic(what, &name.value, &reason, name.location));
    Some(&name.value)
}

fn invalid_topic(what: &str, name: &str, reason: &InvalidTopic, at: Location) -> Diagnostic {
    let (rule, help) = match reason {
        InvalidTopic::TooLong(_) => (
            &rules::TOPIC_TOO_LONG,
            format!(
                "shorten the names that it consists of, to {} characters in all",
                topic::MAX_LENGTH
            ),
        ),
        _ => (
            &rules::TOPIC_INVALID,
            "topics consist of letters, digits, `.`, `_` and `-`".to_owned(),
        ),
    };
    Diagnostic::new(
        rule,
        format!("Kafka does not take {what} {}: {reason}", quote(name)),
    )
    .at(at)
    .help(help)
}

/// Builds a node without a file, from the arguments of the original generator.
///
/// # Errors
/// The diagnostics at error level, when there are any.
pub fn node_from_parts(
    kind: Kind,
    service_name: &str,
    operations: &[&str],
    state_events: bool,
    metric_events: bool,
) -> Result<Node, Vec<Diagnostic>> {
    let location = Location {
        source: SourceId(0),
        span: Span::default(),
    };
    let file = ContractFile {
        format: Format::Native,
        location,
        name: Some(Located::new(service_name.to_owned(), location)),
        kind: Some(kind),
        contract_version: None,
        node_version: None,
        namespace: None,
        description: None,
        operations: operations
            .iter()
            .map(|name| crate::contract::WrittenOperation {
                name: Located::new((*name).to_owned(), location),
                description: None,
                input: Vec::new(),
                result: Vec::new(),
                instrument: Instrument::default(),
                per_request: None,
                failure_ratio: None,
                sources: vec!["operations"],
            })
            .collect(),
        state_events,
        metric_events,
        states: None,
        metrics: Vec::new(),
        events: Vec::new(),
        consumed: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        definitions: Vec::new(),
        volume: Volume::default(),
        redact: Vec::new(),
    };
    let text = format!("{kind} {service_name} {operations:?} {state_events} {metric_events}");
    let origin = Origin {
        path: "<arguments>".to_owned(),
        relative_path: "<arguments>".to_owned(),
        fallback_name: String::new(),
        fingerprint: Fingerprint::of(text.as_bytes()),
    };
    let mut diagnostics = Vec::new();
    let node = resolve(file, origin, &Defaults::default(), &mut diagnostics);
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if diagnostics.is_empty() {
        Ok(node)
    } else {
        Err(diagnostics)
    }
}
