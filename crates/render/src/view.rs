//! Data of the templates of a project's own targets.
//!
//! `schema/view.schema.json` documents each name, and a test compares both. A name keeps its
//! meaning; [`VERSION`] counts the changes that break that.

use std::collections::{BTreeMap, HashMap};

use herald_catalog::category::stages;
use herald_catalog::contract::StateMachine;
use herald_catalog::kind::Kind;
use herald_catalog::topics::{self, Published, namespace_of};
use herald_catalog::view::{
    ConsumedView, DefinitionView, Fields, Layout, MetricView, OperationView, StatesView,
};
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use serde::Serialize;
use serde_json::{Value, json};

use crate::file::MARKER;

/// Version of the data, in it as `view_version`.
pub const VERSION: u32 = 1;

/// Returns the JSON Schema (draft 2020-12) of the data.
pub fn schema() -> Value {
    let mut schema: Value = serde_json::from_str(include_str!("../schema/view.schema.json"))
        .unwrap_or_else(|error| unreachable!("a test reads it: {error}"));
    // The names of stages are defined by the table of categories only.
    let names = stages().map(|stage| Some(stage.pattern)).chain([None]);
    schema["$defs"]["event"]["properties"]["stage"]["enum"] = json!(names.collect::<Vec<_>>());
    schema
}

/// Nodes and topics, as data.
#[derive(Debug, Serialize)]
pub struct CatalogView<'a> {
    pub(crate) nodes: Vec<NodeView<'a>>,
    pub(crate) topics: Vec<TopicView<'a>>,
}

impl<'a> CatalogView<'a> {
    /// Creates the view of these nodes.
    ///
    /// # Errors
    /// A sentence for each setting that the contracts disagree about.
    pub fn new(nodes: &[&'a Node]) -> Result<Self, Vec<String>> {
        let (published, problems) = topics::published(nodes.iter().copied(), None);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut by_topic: HashMap<String, Vec<(&Node, &Event)>> = HashMap::new();
        for node in nodes {
            for event in &node.events {
                let name = event.topic.in_namespace(namespace_of(node, None));
                by_topic.entry(name).or_default().push((node, event));
            }
        }
        let topic = |published: Published| {
            let events = by_topic.remove(&published.name).unwrap_or_default();
            TopicView::new(published, &events)
        };
        Ok(Self {
            nodes: nodes.iter().map(|node| NodeView::new(node)).collect(),
            topics: published.into_iter().map(topic).collect(),
        })
    }
}

/// Data of one template: what every template is given, and its node, event, topic or catalog.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateView<'a> {
    view_version: u32,
    herald_version: &'static str,
    marker: &'static str,
    each: &'static str,
    #[serde(flatten)]
    subject: Subject<'a>,
}

/// Subject of a template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subject<'a> {
    Catalog(&'a CatalogView<'a>),
    Node(&'a NodeView<'a>),
    Topic(&'a TopicView<'a>),
    #[serde(untagged)]
    Event {
        node: &'a NodeView<'a>,
        event: &'a EventView<'a>,
    },
}

impl<'a> TemplateView<'a> {
    /// Returns the data of a template.
    pub(crate) fn data(each: &'static str, subject: Subject<'a>) -> Value {
        json!(Self {
            view_version: VERSION,
            herald_version: env!("CARGO_PKG_VERSION"),
            marker: MARKER,
            each,
            subject,
        })
    }
}

/// A topic, and the events that are published to it.
#[derive(Debug, Serialize)]
pub(crate) struct TopicView<'a> {
    name: String,
    before: String,
    after: Option<String>,
    namespaced: bool,
    partitions: Option<u32>,
    replication_factor: Option<u32>,
    config: BTreeMap<String, String>,
    contracts: Vec<String>,
    events: Vec<TopicEvent<'a>>,
}

#[derive(Debug, Serialize)]
struct TopicEvent<'a> {
    node: &'a str,
    event_type: &'a str,
    version: u32,
    ident: &'a str,
}

impl<'a> TopicView<'a> {
    fn new(published: Published, events: &[(&'a Node, &'a Event)]) -> Self {
        let parts = events.first().map(|(_, event)| parts(&event.topic));
        let (before, after) = parts.unwrap_or_default();
        let event = |(node, event): &(&'a Node, &'a Event)| TopicEvent {
            node: &node.identity.slug,
            event_type: &event.event_type,
            version: event.version,
            ident: &event.ident,
        };
        Self {
            name: published.name,
            namespaced: after.is_some(),
            before,
            after,
            partitions: published.partitions,
            replication_factor: published.replication_factor,
            config: published.config,
            contracts: published.contracts,
            events: events.iter().map(event).collect(),
        }
    }
}

/// Returns the text of a topic before and after its namespace; without one, all of it is before.
fn parts(topic: &Topic) -> (String, Option<String>) {
    match topic {
        Topic::Literal(name) => (name.clone(), None),
        Topic::Namespaced { before, after } => (before.clone(), Some(after.clone())),
    }
}

/// A node.
#[derive(Debug, Serialize)]
pub(crate) struct NodeView<'a> {
    name: &'a str,
    slug: &'a str,
    kind: Option<&'static str>,
    service_name: &'a str,
    namespace: Option<&'a str>,
    description: Option<&'a str>,
    contract_version: Option<&'a str>,
    node_version: Option<&'a str>,
    format: &'static str,
    path: &'a str,
    fingerprint: &'a str,
    operations: Vec<OperationView<'a>>,
    states: Option<NamedStates<'a>>,
    metrics: Vec<MetricView<'a>>,
    pub(crate) events: Vec<EventView<'a>>,
    consumed: Vec<ConsumedView<'a>>,
    inputs: Fields<'a>,
    outputs: Fields<'a>,
    definitions: Vec<DefinitionView<'a>>,
}

#[derive(Debug, Serialize)]
struct NamedStates<'a> {
    names: &'a [String],
    #[serde(flatten)]
    states: StatesView<'a>,
}

impl<'a> NodeView<'a> {
    fn new(node: &'a Node) -> Self {
        let identity = &node.identity;
        let version = |version: &'a Option<herald_catalog::version::Version>| {
            version.as_ref().map(|version| version.text.as_str())
        };
        let named_states = |machine: &'a StateMachine| NamedStates {
            names: &machine.states,
            states: StatesView::new(machine),
        };
        let operations = node.operations.iter();
        let definitions = node.definitions.iter();
        Self {
            name: identity.name.as_deref().unwrap_or(&identity.slug),
            slug: &identity.slug,
            kind: node.kind.map(Kind::as_str),
            service_name: &node.service_name,
            namespace: node.namespace.as_deref(),
            description: node.description.as_deref(),
            contract_version: version(&identity.contract_version),
            node_version: version(&identity.node_version),
            format: node.format.as_str(),
            path: &node.origin.relative_path,
            fingerprint: &node.origin.fingerprint.0,
            operations: operations
                .map(|operation| OperationView::new(operation, Layout::List))
                .collect(),
            states: node.states.as_ref().map(named_states),
            metrics: node.metrics.iter().map(MetricView::new).collect(),
            events: (node.events.iter())
                .map(|event| EventView::new(node, event))
                .collect(),
            consumed: node.consumed.iter().map(ConsumedView::new).collect(),
            inputs: list(&node.inputs),
            outputs: list(&node.outputs),
            definitions: definitions
                .map(|definition| DefinitionView::new(definition, Layout::List))
                .collect(),
        }
    }
}

fn list(fields: &[herald_catalog::fields::Field]) -> Fields<'_> {
    Fields {
        fields,
        layout: Layout::List,
    }
}

/// An event of a node.
#[derive(Debug, Serialize)]
pub(crate) struct EventView<'a> {
    event_type: &'a str,
    version: u32,
    ident: &'a str,
    category: &'static str,
    stage: Option<&'static str>,
    operation: Option<&'a str>,
    description: Option<&'a str>,
    topic: EventTopic,
    payload: Fields<'a>,
    partition_key: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct EventTopic {
    name: String,
    before: String,
    after: Option<String>,
    namespaced: bool,
}

impl<'a> EventView<'a> {
    fn new(node: &'a Node, event: &'a Event) -> Self {
        let declared = event.declared.as_ref();
        let operation = event.operation.map(|index| &node.operations[index]);
        let (before, after) = parts(&event.topic);
        Self {
            event_type: &event.event_type,
            version: event.version,
            ident: &event.ident,
            category: event.category.key,
            stage: event.stage.map(|stage| stage.pattern),
            operation: operation.map(|operation| operation.name.as_str()),
            description: event.description.as_deref(),
            topic: EventTopic {
                name: event.topic.in_namespace(namespace_of(node, None)),
                namespaced: after.is_some(),
                before,
                after,
            },
            payload: list(declared.map_or(&[], |declared| &declared.payload)),
            partition_key: declared.and_then(|declared| declared.partition_key.as_deref()),
        }
    }
}
