//! What people wrote: one shape for both formats, before anything is resolved.

use std::collections::BTreeMap;

use herald_diagnostics::Location;

use crate::fields::{Definition, Field};
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::text::is_blank;
use crate::version::Version;
use crate::volume::{Range, Volume};
use crate::yaml::Yaml;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub location: Location,
}

impl<T> Located<T> {
    /// Puts a value and its place together.
    pub fn new(value: T, location: Location) -> Self {
        Self { value, location }
    }
}

impl Located<String> {
    /// The text of a value, unless it is blank or something else than text.
    pub(crate) fn read(yaml: &Yaml) -> Option<Self> {
        let text = yaml.as_str().filter(|text| !is_blank(text))?;
        Some(Self::new(text.to_owned(), yaml.location))
    }
}

/// The two formats that the reader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Herald's own: `node_type`, `service_name`, `operations`.
    Native,
    /// `contract.yaml` of the ONEX platform.
    Onex,
}

impl Format {
    /// The word in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Onex => "onex",
        }
    }
}

/// A contract as written.
#[derive(Clone, Debug)]
pub struct ContractFile {
    /// Which format it is in.
    pub format: Format,
    /// The place of diagnostics about the whole contract.
    pub location: Location,
    /// Name of the node; the service name in the native format.
    pub name: Option<Located<String>>,
    /// `None` when it is missing or not understood.
    pub kind: Option<Kind>,
    /// Version of the contract.
    pub contract_version: Option<Version>,
    /// Version of the node's code.
    pub node_version: Option<Version>,
    /// Namespace of the topics.
    pub namespace: Option<Located<String>>,
    /// For people.
    pub description: Option<String>,
    /// Operations, each name once.
    pub operations: Vec<WrittenOperation>,
    /// Whether the node announces changes of its state.
    pub state_events: bool,
    /// Whether the node announces metrics.
    pub metric_events: bool,
    /// States and transitions.
    pub states: Option<StateMachine>,
    /// Named metrics.
    pub metrics: Vec<Metric>,
    /// Events that the contract lists itself.
    pub events: Vec<WrittenEvent>,
    /// Topics that it reads.
    pub consumed: Vec<crate::node::Consumed>,
    /// Fields of the node's input.
    pub inputs: Vec<Field>,
    /// Fields of the node's output.
    pub outputs: Vec<Field>,
    /// Named groups of fields.
    pub definitions: Vec<Definition>,
    /// How much it publishes.
    pub volume: Volume,
    /// Patterns of secrets in error messages.
    pub redact: Vec<Located<String>>,
}

/// An operation as written.
#[derive(Clone, Debug)]
pub struct WrittenOperation {
    /// The name.
    pub name: Located<String>,
    /// For people.
    pub description: Option<String>,
    /// Fields of the input.
    pub input: Vec<Field>,
    /// Fields of the result.
    pub result: Vec<Field>,
    /// What it announces of itself.
    pub instrument: Instrument,
    /// Runs in a request.
    pub per_request: Option<Range>,
    /// Share of runs that fail.
    pub failure_ratio: Option<Range>,
    /// Which parts of the contract name it.
    pub sources: Vec<&'static str>,
}

/// A declared event as written.
#[derive(Clone, Debug)]
pub struct WrittenEvent {
    /// The place of diagnostics about it.
    pub location: Location,
    /// The event type, unless only the topic is written.
    pub event_type: Option<Located<String>>,
    /// The topic, unless only the event type is written.
    pub topic: Option<Located<String>>,
    /// For people.
    pub description: Option<String>,
    /// Fields of the payload.
    pub payload: Vec<Field>,
    /// Payload field whose value is the partition key.
    pub partition_key: Option<Located<String>>,
    /// How the topic should be made.
    pub settings: Option<TopicSettings>,
    /// What else is said of the topic.
    pub roles: Vec<&'static str>,
    /// Name of the payload's model.
    pub schema_ref: Option<String>,
    /// How many of it in a request.
    pub per_request: Option<Range>,
    /// Which parts of the contract declare it.
    pub sources: Vec<&'static str>,
}

/// How a topic should be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSettings {
    /// Number of partitions.
    pub partitions: Option<u32>,
    /// Number of replicas.
    pub replication_factor: Option<u32>,
    /// Topic configuration of Kafka, such as `retention.ms`.
    pub config: BTreeMap<String, String>,
}

impl TopicSettings {
    /// Reads `{partitions, replication_factor, …}` with Kafka's own configuration under
    /// `config_key`.
    pub(crate) fn read(yaml: &Yaml, config_key: &str) -> Self {
        let number = |key: &str| {
            yaml.get(key)
                .and_then(Yaml::as_u64)
                .and_then(|number| u32::try_from(number).ok())
        };
        let config = yaml.get(config_key).map(Yaml::entries).unwrap_or_default();
        Self {
            partitions: number("partitions"),
            replication_factor: number("replication_factor"),
            config: config
                .iter()
                .filter_map(|(key, value)| Some((key.text.clone(), value.as_text()?.to_owned())))
                .collect(),
        }
    }
}

/// A metric that the contract names.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The name.
    pub name: Located<String>,
    /// Unit of its values, such as `ms`.
    pub unit: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Values in a request.
    pub per_request: Option<Range>,
}

/// States and the ways between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMachine {
    /// Which part of the contract it is.
    pub source: &'static str,
    /// Where.
    pub location: Location,
    /// In the order written, each once.
    pub states: Vec<String>,
    /// Where the node begins.
    pub initial: Option<String>,
    /// Where nothing follows.
    pub terminal: Vec<String>,
    /// In the order written.
    pub transitions: Vec<Transition>,
}

/// One way between states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// `*` means any state.
    pub from: Located<String>,
    /// The state after it.
    pub to: Located<String>,
    /// What sets it off; prose in some contracts.
    pub trigger: Option<String>,
}
