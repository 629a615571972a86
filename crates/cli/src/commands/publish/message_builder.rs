//! Conversion of an input line to the message that is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use herald_catalog::{Event as DeclaredEvent, Node};
use herald_envelope::headers::HeaderSet;
use herald_envelope::schema_id::record_name;
use herald_envelope::topic::{DEFAULT_NAMESPACE, TopicPattern};
use herald_envelope::{Envelope, Json, Origin, Profile, Stamp, Uuid};
use herald_project::Project;
use herald_publish::Message;
use serde_json::{Map, Value};

use super::contracts::Contracts;
use super::input_line::{Event, ParsedLine};
use crate::args::publish::Publish;

/// Service and version if neither contract nor command line names them.
const SERVICE: &str = "herald-cli";
const VERSION: &str = "unknown";

/// Builds messages with the settings of a run.
pub struct MessageBuilder<'a> {
    args: &'a Publish,
    contracts: Option<&'a Contracts>,
    /// Topic pattern of the project, if it sets one.
    pattern: Option<&'a TopicPattern>,
    /// Namespace of the project, if it sets one.
    namespace: Option<&'a str>,
    /// Envelope profile of the project, if it sets one.
    envelope: Option<Profile>,
    /// Headers of events without a contract.
    headers: HeaderSet,
    metadata: BTreeMap<&'a str, &'a str>,
    /// Origin of events by the index of the contract; the last is for events without one.
    origins: Vec<Origin>,
}

/// Error if neither a topic nor a service is known for an event.
const NO_TOPIC: &str = "the topic is unknown; give --topic, --contract, or --service to derive it \
                        from the topic pattern";

/// An event of a contract and its node.
#[derive(Clone, Copy)]
struct EventMatch<'a> {
    node: &'a Node,
    /// Index of the node.
    at: usize,
    event: &'a DeclaredEvent,
}

/// An event that is ready to be sent.
#[derive(Debug)]
pub struct BuiltMessage {
    pub message: Message,
    pub event_id: Uuid,
    pub event_type: String,
    /// Name of its record in a schema registry.
    pub record: String,
}

impl<'a> MessageBuilder<'a> {
    pub fn new(args: &'a Publish, project: &'a Project, contracts: Option<&'a Contracts>) -> Self {
        let origin = |service: &str, version: &str| {
            Origin::new(
                args.service.as_deref().unwrap_or(service),
                args.service_version.as_deref().unwrap_or(version),
                &args.environment,
            )
        };
        let nodes = contracts.map_or(&[][..], Contracts::nodes);
        let mut origins: Vec<_> = nodes
            .iter()
            .map(|node| origin(&node.service_name, version(node)))
            .collect();
        origins.push(origin(SERVICE, VERSION));
        Self {
            args,
            contracts,
            pattern: project.options.defaults.topic_pattern.as_ref(),
            namespace: project.options.defaults.namespace.as_deref(),
            envelope: project.options.defaults.envelope,
            headers: project.options.defaults.headers.unwrap_or_default(),
            metadata: args
                .metadata
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            origins,
        }
    }

    /// Builds the message for a line. The error does not quote values of payloads.
    pub fn build(&self, line: ParsedLine<'_>) -> Result<BuiltMessage, String> {
        match line {
            ParsedLine::Event(event) => self.of_event(*event),
            ParsedLine::Envelope(envelope) => self.of_envelope(&envelope),
        }
    }

    fn of_event(&self, event: Event<'_>) -> Result<BuiltMessage, String> {
        let event_type = event
            .event_type
            .or(self.args.event_type.as_deref().map(Cow::Borrowed))
            .ok_or("`event_type` is missing; add it to the line or give --event-type")?;
        let payload = event.payload.ok_or("`payload` is missing")?;
        let version = match &event.event_version {
            Some(version) => Some(major(version)?),
            None => None,
        };
        let matched = self.matched(&event_type, version)?;
        let key_field = match matched {
            Some(matched) => check(matched.node, matched.event, &payload)?,
            None => None,
        };
        let origin = matched.map_or(self.origins.len() - 1, |matched| matched.at);
        let origin = &self.origins[origin];
        let now = Stamp::now();
        let stamp = Stamp {
            event_id: event.event_id.unwrap_or(now.event_id),
            event_timestamp: event.event_timestamp.unwrap_or(now.event_timestamp),
        };
        let node_id = event
            .source_node_id
            .unwrap_or(Cow::Borrowed(&self.args.source_node_id));
        let mut envelope = origin.stamped(stamp, event_type, node_id, payload);
        match (event.event_version, matched) {
            (Some(version), _) => envelope.event_version = version,
            (None, Some(matched)) => {
                envelope.event_version = matched.event.wire_version().into();
            }
            (None, None) => {}
        }
        envelope.correlation_id = event.correlation_id.or(self.args.correlation_id);
        envelope.causation_id =
            event
                .causation_id
                .or(self.args.causation_id.as_deref().map(Cow::Borrowed));
        envelope.partition_key = event
            .partition_key
            .or(self.args.key.as_deref().map(Cow::Borrowed))
            .or(key_field.map(Cow::Owned));
        let topic = match (event.topic.as_deref(), &self.args.topic, matched) {
            (Some(topic), _, _) => topic.to_owned(),
            (None, Some(topic), _) => topic.clone(),
            (None, None, Some(matched)) => self.topic_of(matched),
            (None, None, None) if self.args.service.is_some() => {
                self.topic_by_pattern(&envelope)?
            }
            (None, None, None) => return Err(NO_TOPIC.to_owned()),
        };
        match event.metadata {
            Some(metadata) => self.built(matched, &topic, &envelope.with_metadata(metadata)),
            None => self.built(matched, &topic, &envelope.with_metadata(&self.metadata)),
        }
    }

    /// Builds the message for a complete envelope, of which only the topic is missing.
    fn of_envelope(&self, envelope: &Envelope<'_>) -> Result<BuiltMessage, String> {
        let matched = self.matched(&envelope.event_type, envelope.major_version())?;
        let topic = match (matched, &self.args.topic) {
            (_, Some(topic)) => topic.clone(),
            (Some(matched), None) => self.topic_of(matched),
            (None, None) => self.topic_by_pattern(envelope)?,
        };
        self.built(matched, &topic, envelope)
    }

    /// Returns the envelope profile of the contract, else of the command line, the environment or
    /// the project.
    fn profile(&self, matched: Option<EventMatch<'_>>) -> Profile {
        let of_contract = matched.and_then(|matched| matched.node.envelope);
        of_contract
            .or(self.args.envelope)
            .or(self.envelope)
            .unwrap_or_default()
    }

    fn matched(
        &self,
        event_type: &str,
        version: Option<u64>,
    ) -> Result<Option<EventMatch<'a>>, String> {
        let Some(contracts) = self.contracts else {
            return Ok(None);
        };
        let service = self.args.service.as_deref();
        let (at, event) = contracts.find(event_type, version, service)?;
        let node = &contracts.nodes()[at];
        Ok(Some(EventMatch { node, at, event }))
    }

    fn topic_of(&self, matched: EventMatch<'_>) -> String {
        let namespace = self.namespace(matched.node.namespace.as_deref());
        matched.event.topic.in_namespace(namespace)
    }

    fn topic_by_pattern<P, M>(&self, envelope: &Envelope<'_, P, M>) -> Result<String, String> {
        let pattern = match self.pattern {
            Some(pattern) => Cow::Borrowed(pattern),
            None => Cow::Owned(self.profile(None).topic_pattern()),
        };
        envelope
            .default_topic(&pattern, self.namespace(self.namespace))
            .map_err(|error| error.to_string())
    }

    fn built<P: serde::Serialize, M: serde::Serialize>(
        &self,
        matched: Option<EventMatch<'_>>,
        topic: &str,
        envelope: &Envelope<'_, P, M>,
    ) -> Result<BuiltMessage, String> {
        let headers = matched.and_then(|matched| matched.node.headers);
        let headers = headers.unwrap_or(self.headers);
        Ok(BuiltMessage {
            message: Message::of_profile(self.profile(matched), topic, envelope, headers)
                .map_err(|error| error.to_string())?,
            event_id: envelope.event_id,
            record: record_name(
                &envelope.source_service,
                &envelope.event_type,
                envelope.major_version().unwrap_or(1),
            ),
            event_type: envelope.event_type.clone().into_owned(),
        })
    }

    /// Returns the namespace of the command line, else the one of the contract or project.
    fn namespace<'n>(&'n self, written: Option<&'n str>) -> &'n str {
        let requested = self.args.namespace.as_deref();
        requested.or(written).unwrap_or(DEFAULT_NAMESPACE)
    }
}

/// Returns the number that a version begins with.
fn major(version: &str) -> Result<u64, String> {
    let (major, _) = version.split_once('.').unwrap_or((version, ""));
    major.parse().map_err(|_| {
        format!("`event_version` must begin with a number, such as \"2.0\": {version:?}")
    })
}

/// Returns the version of a node's code, else of its contract.
fn version(node: &Node) -> &str {
    let identity = &node.identity;
    identity
        .node_version
        .as_ref()
        .or(identity.contract_version.as_ref())
        .map_or(VERSION, |version| &version.text)
}

/// Checks a payload against the declared fields and returns the value of the field that is the
/// partition key.
fn check(
    node: &Node,
    matched: &DeclaredEvent,
    payload: &Json<'_>,
) -> Result<Option<String>, String> {
    let Some(declared) = &matched.declared else {
        return Ok(None);
    };
    if !declared.has_payload() && declared.partition_key.is_none() {
        return Ok(None);
    }
    let payload: Map<String, Value> = payload
        .decode()
        .map_err(|error| format!("`payload` is invalid: {error}"))?;
    let problems = declared.check(&payload, &node.definitions, "payload");
    if !problems.is_empty() {
        return Err(problems.join("; "));
    }
    let key = declared.partition_key.as_ref();
    Ok(key
        .and_then(|key| payload.get(key))
        .and_then(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }))
}
