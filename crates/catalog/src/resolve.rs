//! Resolution of contracts: from what is written to identifiers, event types and topics.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use herald_diagnostics::{Diagnostic, Location, Severity};
use herald_envelope::Profile;
use herald_envelope::headers::HeaderSet;
use herald_envelope::topic::{Topic, TopicPattern};

use crate::category::{self, Category, DECLARED, METRIC_EVENTS, OPERATION_LIFECYCLE, STATE_EVENTS};
use crate::checks;
use crate::checks::names::collision::{collision, method_collision};
use crate::contract::{Format, Located};
use crate::contract_file::{ContractFile, WrittenEvent};
use crate::fields::Definition;
use crate::ident::{ident, is_meaningful, slug};
use crate::imported::ImportedClasses;
use crate::kind::Kind;
use crate::node::{Event, Fingerprint, Node, Operation, Origin};
use crate::onex::topics::is_conforming;

/// Settings of a project for all of its contracts.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Namespace of contracts that set none.
    pub namespace: Option<String>,
    /// Pattern of the topics of generated events, if the project sets one. Else it is that of the
    /// envelope profile.
    pub topic_pattern: Option<TopicPattern>,
    /// Envelope profile of contracts that set none.
    pub envelope: Option<Profile>,
    /// Headers of contracts that set none.
    pub headers: Option<HeaderSet>,
    /// Folder that files have to be below to which contracts refer. Without one, it is the working
    /// folder for contracts in it, and else the folder of the contract.
    pub root: Option<PathBuf>,
    /// Schemas of the Python classes that contracts refer to.
    pub classes: Arc<ImportedClasses>,
}

/// Checks a contract and resolves it. Parts that can't be resolved are reported and left out.
pub(crate) fn resolve(
    contract: ContractFile,
    origin: Origin,
    defaults: &Defaults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Node {
    checks::check_contract(&contract, diagnostics);
    let node = resolve_parts(contract, origin, defaults, diagnostics);
    checks::check_node(&node, diagnostics);
    node
}

fn resolve_parts(
    contract: ContractFile,
    origin: Origin,
    defaults: &Defaults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Node {
    let mut node = contract.node;
    let format = node.format;
    let name = contract.name.map(|name| name.value);
    let slug = slug(name.as_deref().unwrap_or(&origin.fallback_name));
    node.identity.slug = if slug.is_empty() {
        "node".to_owned()
    } else {
        slug
    };
    node.service_name = match (format, &name) {
        (Format::Native, Some(name)) => name.clone(),
        // ONEX names are free text, which can't be part of a topic.
        _ => node.identity.slug.clone(),
    };
    node.identity.name = name;
    node.origin = origin;
    node.namespace = match contract.namespace {
        Some(namespace) => Some(namespace.value),
        None => defaults.namespace.clone(),
    };
    node.envelope = node.envelope.or(defaults.envelope);
    node.headers = node.headers.or(defaults.headers);
    node.operations = resolve_operations(format, node.operations, diagnostics);
    node.definitions = resolve_definitions(format, node.definitions, diagnostics);
    node.redact = checks::redact::keep_valid(contract.redact, diagnostics);
    let pattern = defaults.topic_pattern.clone();
    let events = Events {
        node: &node,
        pattern: &pattern.unwrap_or_else(|| node.profile().topic_pattern()),
        version: contract.topic_version.unwrap_or(1),
    };
    let mut resolved = Vec::new();
    if let Some(kind) = node.kind {
        resolved.extend(events.lifecycle(kind));
        if contract.state_events {
            let states = node.states.as_ref();
            let location = states.map_or(node.location, |states| states.location);
            resolved.push(events.of_node(kind, &STATE_EVENTS, location));
        }
        if contract.metric_events {
            resolved.push(events.of_node(kind, &METRIC_EVENTS, node.location));
        }
    }
    let declared = contract.events.into_iter();
    let mut declared: Vec<_> = declared.map(|event| events.declared(event)).collect();
    name_versions(&mut declared);
    resolved.extend(declared);
    node.events = resolve_events(format, resolved, diagnostics);
    check_publish_methods(&node, diagnostics);
    node
}

/// Reports operations with the name of a method that publishes a declared event: the method of the
/// operation would override it.
fn check_publish_methods(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let declared = node.events.iter().filter(|event| event.declared.is_some());
    let methods: HashMap<_, _> = declared
        .map(|event| (format!("publish_{}", event.ident), event))
        .collect();
    for operation in &node.operations {
        if let Some(event) = methods.get(&operation.ident) {
            diagnostics.push(method_collision(
                node.format,
                (&event.event_type, event.location),
                (&operation.name, operation.location),
            ));
        }
    }
}

/// Gives each operation an identifier of its own. Repeated operations and those without a usable
/// name are left out; their checks report them.
fn resolve_operations(
    format: Format,
    written: Vec<Operation>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::with_capacity(written.len());
    let mut names = HashSet::new();
    let mut identifiers = Identifiers::default();
    for mut operation in written {
        let ident = ident(&operation.name);
        if !is_meaningful(&ident) || !names.insert(operation.name.clone()) {
            continue;
        }
        let (ident, owner) = identifiers.assign(ident, operations.len());
        operation.ident = ident;
        if let Some(owner) = owner.map(|owner| &operations[owner]) {
            diagnostics.push(collision(
                format,
                (&owner.name, owner.location),
                (&operation.name, operation.location),
            ));
        }
        operations.push(operation);
    }
    operations
}

/// Gives each definition an identifier of its own.
fn resolve_definitions(
    format: Format,
    mut definitions: Vec<Definition>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Definition> {
    let mut identifiers = Identifiers::default();
    for index in 0..definitions.len() {
        let (ident, owner) = identifiers.assign(ident(&definitions[index].name), index);
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
    definitions
}

/// Adds the version to the identifiers of events that are declared in several versions.
pub(crate) fn name_versions(events: &mut [Event]) {
    let mut versions: HashMap<String, HashSet<u32>> = HashMap::new();
    for event in events.iter() {
        let of_type = versions.entry(event.event_type.clone()).or_default();
        of_type.insert(event.version);
    }
    for event in events {
        if versions[&event.event_type].len() > 1 && is_meaningful(&event.ident) {
            event.ident = format!("{}_v{}", event.ident, event.version);
        }
    }
}

/// Gives each event an identifier of its own. Events without a usable name are left out; their
/// check reports them.
fn resolve_events(
    format: Format,
    resolved: Vec<Event>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::with_capacity(resolved.len());
    let mut known = HashSet::new();
    let mut identifiers = Identifiers::default();
    for mut event in resolved.into_iter().filter(|e| is_meaningful(&e.ident)) {
        let (ident, owner) = identifiers.assign(event.ident, events.len());
        event.ident = ident;
        // Two events of one identity are reported as duplicates, not as a collision.
        if known.insert((event.event_type.clone(), event.version))
            && let Some(first) = owner.map(|owner| &events[owner])
        {
            diagnostics.push(collision(
                format,
                (&first.event_type, first.location),
                (&event.event_type, event.location),
            ));
        }
        events.push(event);
    }
    events
}

/// Identifiers that are in use. Case does not tell two apart, because constants are in uppercase.
#[derive(Default)]
struct Identifiers {
    owners: HashMap<String, usize>,
    /// The last number that was appended to an identifier to make it unique.
    numbers: HashMap<String, usize>,
}

impl Identifiers {
    /// Assigns an identifier to an owner. If another owner has it already, that one is returned
    /// too, and a number is appended: `herald inspect` shows nodes whose names collide.
    fn assign(&mut self, ident: String, owner: usize) -> (String, Option<usize>) {
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

/// Builder of a node's events.
struct Events<'a> {
    node: &'a Node,
    pattern: &'a TopicPattern,
    /// Version of generated events.
    version: u32,
}

impl Events<'_> {
    fn lifecycle(&self, kind: Kind) -> impl Iterator<Item = Event> {
        let operations = self.node.operations.iter().enumerate();
        operations.flat_map(move |(index, operation)| {
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
            topic: self.topic(&event_type, self.version),
            version: self.version,
            event_type,
            ident,
            description: None,
            declared: None,
            location,
            topic_location: location,
        }
    }

    fn topic(&self, event_type: &str, version: u32) -> Topic {
        self.pattern
            .topic(&self.node.service_name, event_type, version.into())
    }

    fn declared(&self, written: WrittenEvent) -> Event {
        let (event_type, event_type_source) = written.event_type();
        let version = written.version();
        let mut declared = written.declared;
        declared.event_type_source = event_type_source;
        declared.partition_key = written.partition_key.map(|key| key.value);
        let topic = written.topic.as_ref();
        declared.conforming = topic.is_some_and(|topic| is_conforming(&topic.value));
        Event {
            category: &DECLARED,
            stage: None,
            operation: None,
            ident: ident(&event_type),
            topic: match topic {
                Some(topic) if self.node.format == Format::Native => declared_topic(&topic.value),
                Some(topic) => Topic::Literal(topic.value.clone()),
                None => self.topic(&event_type, version),
            },
            version,
            description: written.description,
            declared: Some(declared),
            event_type,
            topic_location: topic.map_or(written.location, |topic| topic.location),
            location: written.location,
        }
    }
}

/// Reads a topic of the native format, which may contain `{namespace}` once.
pub(crate) fn declared_topic(text: &str) -> Topic {
    match text.split_once("{namespace}") {
        Some((before, after)) => Topic::Namespaced {
            before: before.to_owned(),
            after: after.to_owned(),
        },
        None => Topic::Literal(text.to_owned()),
    }
}

/// Builds a node without a file, from the arguments of the generator.
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
    let operations_written = operations.iter().map(|name| Operation {
        ident: ident(name),
        name: (*name).to_owned(),
        sources: vec!["operations"],
        ..Operation::default()
    });
    let contract = ContractFile {
        node: Node {
            kind: Some(kind),
            operations: operations_written.collect(),
            ..Node::default()
        },
        name: Some(Located::new(service_name.to_owned(), Location::default())),
        state_events,
        metric_events,
        ..ContractFile::default()
    };
    let text = format!("{kind} {service_name} {operations:?} {state_events} {metric_events}");
    let origin = Origin {
        path: "<arguments>".to_owned(),
        relative_path: "<arguments>".to_owned(),
        fallback_name: String::new(),
        fingerprint: Fingerprint::of(text.as_bytes()),
    };
    let mut diagnostics = Vec::new();
    let node = resolve(contract, origin, &Defaults::default(), &mut diagnostics);
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if diagnostics.is_empty() {
        Ok(node)
    } else {
        Err(diagnostics)
    }
}
