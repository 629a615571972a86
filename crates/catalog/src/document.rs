//! Contracts as JSON, for programs in other languages.

use std::collections::{BTreeMap, HashMap, HashSet};

use herald_diagnostics::SourceId;
use herald_envelope::Profile;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::checks::names::output_collision;
use crate::contract::{StateMachine, TopicSettings};
use crate::fields::Field;
use crate::kind::Kind;
use crate::load::Loaded;
use crate::version::Version;
use crate::view::{
    ConsumedView, DefinitionView, Fields, Layout, MetricView, OperationView, StatesView,
};
use crate::{Consumed, Declared, Event, Node, Operation};

/// Returns all contracts that were read: `{"contracts": [ … ]}`.
pub fn all(loaded: &Loaded) -> Value {
    let diagnostics = diagnostics(loaded);
    let contract = |node: &Node| {
        let diagnostics = diagnostics.get(&node.location.source);
        contract(node, diagnostics.map_or(&[], Vec::as_slice))
    };
    let contracts: Vec<_> = loaded.catalog.nodes.iter().map(contract).collect();
    json!({ "contracts": contracts })
}

/// Returns one contract, with the codes of its diagnostics.
pub fn contract(node: &Node, diagnostics: &[String]) -> Value {
    json!(Contract::new(node, diagnostics))
}

#[derive(Serialize)]
struct Contract<'a> {
    path: &'a str,
    format: &'static str,
    fingerprint: &'a str,
    identity: IdentityDocument<'a>,
    kind: Option<&'static str>,
    service_name: &'a str,
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<&'static str>>,
    description: Option<&'a str>,
    operations: Vec<OperationDocument<'a>>,
    published: Vec<Published<'a>>,
    generated: Vec<Generated<'a>>,
    consumed: Vec<ConsumedDocument<'a>>,
    states: &'a [String],
    fsm: Option<StateMachineDocument<'a>>,
    metrics: Vec<MetricView<'a>>,
    definitions: Vec<DefinitionView<'a>>,
    fields: NodeFields<'a>,
    diagnostics: &'a [String],
}

impl<'a> Contract<'a> {
    fn new(node: &'a Node, diagnostics: &'a [String]) -> Self {
        let generated = node.events.iter().filter(|event| event.declared.is_none());
        let definitions = node.definitions.iter();
        Self {
            path: &node.origin.relative_path,
            format: node.format.as_str(),
            fingerprint: &node.origin.fingerprint.0,
            identity: IdentityDocument::new(node),
            kind: node.kind.map(Kind::as_str),
            service_name: &node.service_name,
            namespace: node.namespace.as_deref(),
            envelope: node.envelope.map(Profile::as_str),
            headers: node.headers.map(|set| set.names().collect()),
            description: node.description.as_deref(),
            operations: node.operations.iter().map(OperationDocument::new).collect(),
            published: node
                .declared()
                .map(|(event, declared)| Published::new(event, declared))
                .collect(),
            generated: generated.map(|event| Generated::new(node, event)).collect(),
            consumed: node.consumed.iter().map(ConsumedDocument::new).collect(),
            states: node.states.as_ref().map_or(&[], |machine| &machine.states),
            fsm: node.states.as_ref().map(StateMachineDocument::new),
            metrics: node.metrics.iter().map(MetricView::new).collect(),
            definitions: definitions
                .map(|definition| DefinitionView::new(definition, Layout::ByName))
                .collect(),
            fields: NodeFields {
                inputs: Spellings(&node.inputs),
                outputs: Spellings(&node.outputs),
            },
            diagnostics,
        }
    }
}

#[derive(Serialize)]
struct IdentityDocument<'a> {
    name: Option<&'a str>,
    slug: &'a str,
    contract_version: Option<&'a str>,
    node_version: Option<&'a str>,
}

impl<'a> IdentityDocument<'a> {
    fn new(node: &'a Node) -> Self {
        let identity = &node.identity;
        let text = |version: &'a Version| version.text.as_str();
        Self {
            name: identity.name.as_deref(),
            slug: &identity.slug,
            contract_version: identity.contract_version.as_ref().map(text),
            node_version: identity.node_version.as_ref().map(text),
        }
    }
}

#[derive(Serialize)]
struct OperationDocument<'a> {
    #[serde(flatten)]
    operation: OperationView<'a>,
    sources: &'a [&'static str],
}

impl<'a> OperationDocument<'a> {
    fn new(operation: &'a Operation) -> Self {
        Self {
            operation: OperationView::new(operation, Layout::ByName),
            sources: &operation.sources,
        }
    }
}

/// An event that the contract declares.
#[derive(Serialize)]
struct Published<'a> {
    topic: String,
    event_type: &'a str,
    version: u32,
    event_type_source: &'static str,
    ident: &'a str,
    conforming: bool,
    description: Option<&'a str>,
    roles: &'a [&'static str],
    schema_ref: Option<&'a str>,
    partition_key: Option<&'a str>,
    topic_config: Option<TopicConfig<'a>>,
    payload_fields: Option<Fields<'a>>,
    sources: &'a [&'static str],
}

impl<'a> Published<'a> {
    fn new(event: &'a Event, declared: &'a Declared) -> Self {
        let payload = Fields {
            fields: &declared.payload,
            layout: Layout::ByName,
        };
        Self {
            topic: event.topic.as_template(),
            event_type: &event.event_type,
            version: event.version,
            event_type_source: declared.event_type_source.as_str(),
            ident: &event.ident,
            conforming: declared.conforming,
            description: event.description.as_deref(),
            roles: &declared.roles,
            schema_ref: declared.schema_ref.as_deref(),
            partition_key: declared.partition_key.as_deref(),
            topic_config: declared.settings.as_ref().map(TopicConfig::new),
            payload_fields: (!declared.payload.is_empty()).then_some(payload),
            sources: &declared.sources,
        }
    }
}

#[derive(Serialize)]
struct TopicConfig<'a> {
    partitions: Option<u32>,
    replication_factor: Option<u32>,
    kafka_config: &'a BTreeMap<String, String>,
}

impl<'a> TopicConfig<'a> {
    fn new(settings: &'a TopicSettings) -> Self {
        Self {
            partitions: settings.partitions,
            replication_factor: settings.replication_factor,
            kafka_config: &settings.config,
        }
    }
}

/// An event that follows from operations, states or metrics.
#[derive(Serialize)]
struct Generated<'a> {
    topic: String,
    event_type: &'a str,
    version: u32,
    category: &'static str,
    operation: Option<&'a str>,
    ident: &'a str,
}

impl<'a> Generated<'a> {
    fn new(node: &'a Node, event: &'a Event) -> Self {
        let operation = event.operation.map(|index| &node.operations[index]);
        Self {
            topic: event.topic.as_template(),
            event_type: &event.event_type,
            version: event.version,
            category: event.category.key,
            operation: operation.map(|operation| operation.name.as_str()),
            ident: &event.ident,
        }
    }
}

#[derive(Serialize)]
struct ConsumedDocument<'a> {
    #[serde(flatten)]
    consumed: ConsumedView<'a>,
    conforming: bool,
    sources: &'a [&'static str],
}

impl<'a> ConsumedDocument<'a> {
    fn new(consumed: &'a Consumed) -> Self {
        Self {
            consumed: ConsumedView::new(consumed),
            conforming: consumed.conforming,
            sources: &consumed.sources,
        }
    }
}

#[derive(Serialize)]
struct StateMachineDocument<'a> {
    source: &'static str,
    #[serde(flatten)]
    states: StatesView<'a>,
}

impl<'a> StateMachineDocument<'a> {
    fn new(machine: &'a StateMachine) -> Self {
        Self {
            source: machine.source,
            states: StatesView::new(machine),
        }
    }
}

/// Inputs and outputs of an ONEX contract.
#[derive(Serialize)]
struct NodeFields<'a> {
    #[serde(skip_serializing_if = "Spellings::is_empty")]
    inputs: Spellings<'a>,
    #[serde(skip_serializing_if = "Spellings::is_empty")]
    outputs: Spellings<'a>,
}

/// Fields by name, each with its type as spelled.
struct Spellings<'a>(&'a [Field]);

impl Spellings<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Spellings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|field| (&field.name, &field.spelling)))
    }
}

/// Returns the codes of the diagnostics about each source, with their subjects; each once.
///
/// Lints, and diagnostics about several contracts together, are left out: they are not properties
/// of the contract.
fn diagnostics(loaded: &Loaded) -> HashMap<SourceId, Vec<String>> {
    let mut keys: HashMap<SourceId, Vec<String>> = HashMap::new();
    let mut seen = HashSet::new();
    for diagnostic in &loaded.diagnostics {
        let Some(location) = diagnostic.location else {
            continue;
        };
        let reading = !diagnostic.rule.code.starts_with("lint.")
            && diagnostic.rule != &output_collision::RULE;
        if reading && seen.insert((location.source, diagnostic.key())) {
            keys.entry(location.source)
                .or_default()
                .push(diagnostic.key());
        }
    }
    keys
}
