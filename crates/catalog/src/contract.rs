//! Parts of a contract that mean what is written: nothing about them has to be resolved.

use std::collections::{BTreeMap, HashMap};

use herald_diagnostics::Location;

use crate::text::is_blank;
use crate::volume::Range;
use crate::yaml::Yaml;

/// A value and its place in the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub location: Location,
}

impl<T> Located<T> {
    /// Combines a value and its place.
    pub fn new(value: T, location: Location) -> Self {
        Self { value, location }
    }
}

impl Located<String> {
    /// Reads a text; `None` for blank text and for other values.
    pub(crate) fn read(yaml: &Yaml) -> Option<Self> {
        let text = yaml.as_str().filter(|text| !is_blank(text))?;
        Some(Self::new(text.to_owned(), yaml.location))
    }
}

/// Format of a contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Herald's own: `node_type`, `service_name`, `operations`.
    #[default]
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

/// Settings for the creation of a topic.
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
    /// Description for people.
    pub description: Option<String>,
    /// Number of values in a request.
    pub per_request: Option<Range>,
}

/// States and the transitions between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMachine {
    /// Key of the contract that declares it.
    pub source: &'static str,
    /// Its place.
    pub location: Location,
    /// In the order written, each once.
    pub states: Vec<String>,
    /// The state that the node begins in.
    pub initial: Option<String>,
    /// States without a following state.
    pub terminal: Vec<String>,
    /// In the order written.
    pub transitions: Vec<Transition>,
}

impl StateMachine {
    /// The states that transitions lead to, by the state before it.
    pub(crate) fn next_states(&self) -> HashMap<&str, Vec<&str>> {
        let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
        for Transition { from, to, .. } in &self.transitions {
            next.entry(&from.value).or_default().push(&to.value);
        }
        next
    }
}

/// Transition from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before it; `*` means any state.
    pub from: Located<String>,
    /// The state after it.
    pub to: Located<String>,
    /// Cause of the transition; prose in some contracts.
    pub trigger: Option<String>,
}

/// A topic that a node consumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// The topic without a leading `{env}.`.
    pub topic: String,
    /// The event type that the contract expects there.
    pub event_type: Option<String>,
    /// Whether the topic is named by the rule of the ONEX platform.
    pub conforming: bool,
    /// Keys of the contract that name it.
    pub sources: Vec<&'static str>,
    /// Its place.
    pub location: Location,
}
