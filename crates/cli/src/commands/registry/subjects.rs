//! Subjects that the contracts need, with their schemas.

use std::collections::BTreeMap;

use herald_catalog::{Catalog, Event, Node, topics};
use herald_envelope::schema_id::{SubjectStrategy, record_name};
use herald_envelope::{Profile, topic};
use herald_registry::{Reference, Schema};
use herald_render::registry_schema::{
    ContentModel, union_of_references, union_schema, value_schema,
};
use serde_json::Value;

/// A subject, and the events whose schema it has.
#[derive(Clone)]
pub struct Subject<'a> {
    /// Its name.
    pub name: String,
    /// The subjects of its events, if its schema refers to them.
    pub parts: Vec<Part>,
    /// Its events; more than one if a topic has several.
    pub events: Vec<EventOfSubject<'a>>,
}

/// A subject that a schema refers to.
#[derive(Clone)]
pub struct Part {
    /// Its name, which is also the name of the reference.
    pub subject: String,
    /// Its version; `None` until it is registered.
    pub version: Option<u32>,
}

/// An event of a subject.
#[derive(Clone)]
pub struct EventOfSubject<'a> {
    /// Its node.
    pub node: &'a Node,
    /// The event.
    pub event: &'a Event,
    /// Name of its record.
    pub record: String,
    /// Its envelope profile.
    pub profile: Profile,
}

impl Subject<'_> {
    /// Returns the schema in a content model.
    pub fn schema(&self, model: ContentModel) -> Schema {
        if !self.parts.is_empty() {
            let names = self.parts.iter().map(|part| part.subject.as_str());
            return Schema {
                schema: union_of_references(&self.name, names),
                references: self.parts.iter().filter_map(Part::reference).collect(),
            };
        }
        let schema = match self.events.as_slice() {
            [one] => one.schema(model),
            several => union_schema(&self.name, several.iter().map(|it| it.schema(model))),
        };
        Schema {
            schema,
            references: Vec::new(),
        }
    }

    /// Whether a subject that the schema refers to is not registered yet.
    pub fn waits_for_parts(&self) -> bool {
        self.parts.iter().any(|part| part.version.is_none())
    }

    /// Returns the event, if it is the only one.
    pub fn only_event(&self) -> Option<&EventOfSubject<'_>> {
        match self.events.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Returns the paths of the contracts.
    pub fn contracts(&self) -> Vec<&str> {
        let mut paths: Vec<_> = (self.events.iter())
            .map(|it| it.node.origin.path.as_str())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }
}

impl Part {
    fn reference(&self) -> Option<Reference> {
        Some(Reference {
            name: self.subject.clone(),
            subject: self.subject.clone(),
            version: self.version?,
        })
    }
}

impl EventOfSubject<'_> {
    /// Returns the schema of the value in a content model.
    pub fn schema(&self, model: ContentModel) -> Value {
        value_schema(&self.record, self.node, self.event, self.profile, model)
    }
}

/// Returns the subjects of all events, sorted by name. With `references`, those of topics with several
/// events refer to the subjects of the events, which come first.
///
/// # Errors
/// A sentence for each topic that is not valid, and for each record with two schemas.
pub fn of_catalog<'a>(
    catalog: &'a Catalog,
    strategy: SubjectStrategy,
    namespace: Option<&str>,
    profile: Option<Profile>,
    references: bool,
) -> Result<Vec<Subject<'a>>, Vec<String>> {
    let mut subjects: BTreeMap<String, Subject<'a>> = BTreeMap::new();
    let mut problems = Vec::new();
    for node in &catalog.nodes {
        let namespace = topics::namespace_of(node, namespace);
        for event in &node.events {
            let topic = event.topic.in_namespace(namespace);
            if let Err(reason) = topic::validate(&topic) {
                let path = &node.origin.path;
                problems.push(format!("`{topic}` of {path} can't be a topic: {reason}"));
                continue;
            }
            let record = record_name(&node.service_name, &event.event_type, event.version.into());
            let name = strategy.subject(&topic, &record);
            let event = EventOfSubject {
                node,
                event,
                record,
                profile: node.envelope.or(profile).unwrap_or_default(),
            };
            let subject = subjects.entry(name.clone()).or_insert_with(|| Subject {
                name,
                parts: Vec::new(),
                events: Vec::new(),
            });
            subject.add(event, &mut problems);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut parts = BTreeMap::new();
    for subject in subjects.values_mut() {
        if references && subject.events.len() > 1 {
            for event in &subject.events {
                subject.parts.push(Part {
                    subject: event.record.clone(),
                    version: None,
                });
                let part = Subject {
                    name: event.record.clone(),
                    parts: Vec::new(),
                    events: vec![event.clone()],
                };
                parts.insert(event.record.clone(), part);
            }
        }
    }
    Ok(parts.into_values().chain(subjects.into_values()).collect())
}

impl<'a> Subject<'a> {
    /// Adds an event, unless it is there already: two contracts may publish the same one.
    fn add(&mut self, event: EventOfSubject<'a>, problems: &mut Vec<String>) {
        let Some(known) = self
            .events
            .iter()
            .find(|known| known.record == event.record)
        else {
            self.events.push(event);
            return;
        };
        if known.schema(ContentModel::Open) != event.schema(ContentModel::Open) {
            problems.push(format!(
                "contracts disagree about the record `{}` of the subject `{}`: {} and {} declare \
                 different schemas",
                event.record, self.name, known.node.origin.path, event.node.origin.path
            ));
        }
    }
}
