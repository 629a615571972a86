//! Subjects that the contracts need, with their schemas.

use std::collections::BTreeMap;

use herald_catalog::{Catalog, Event, Node, topics};
use herald_envelope::schema_id::{SubjectStrategy, record_name};
use herald_envelope::{Profile, topic};
use herald_registry::Schema;
use herald_render::registry_schema::{ContentModel, union_schema, value_schema};
use serde_json::Value;

/// A subject, and the events whose schema it has.
pub struct Subject<'a> {
    /// Its name.
    pub name: String,
    /// Its events; more than one if a topic has several.
    pub events: Vec<EventOfSubject<'a>>,
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
        let schema = match self.events.as_slice() {
            [one] => one.schema(model),
            several => union_schema(&self.name, several.iter().map(|it| it.schema(model))),
        };
        Schema {
            schema,
            references: Vec::new(),
        }
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

impl EventOfSubject<'_> {
    /// Returns the schema of the value in a content model.
    pub fn schema(&self, model: ContentModel) -> Value {
        value_schema(&self.record, self.node, self.event, self.profile, model)
    }
}

/// Returns the subjects of all events, sorted by name.
///
/// # Errors
/// A sentence for each topic that is not valid, and for each record with two schemas.
pub fn of_catalog<'a>(
    catalog: &'a Catalog,
    strategy: SubjectStrategy,
    namespace: Option<&str>,
    profile: Option<Profile>,
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
                events: Vec::new(),
            });
            subject.add(event, &mut problems);
        }
    }
    if problems.is_empty() {
        Ok(subjects.into_values().collect())
    } else {
        Err(problems)
    }
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
