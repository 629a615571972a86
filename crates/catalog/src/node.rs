//! Nodes: contracts with resolved identifiers, event types and topics.

use herald_diagnostics::{Location, Sources};
use herald_envelope::Profile;
use herald_envelope::headers::HeaderSet;
use herald_envelope::topic::Topic;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::borrowed_value::BorrowedObject;
use crate::category::{Category, Part, Stage};
use crate::contract::{Consumed, Format, Metric, StateMachine, TopicSettings};
use crate::fields::{Definition, Field, Scalar};
use crate::imported::PythonClass;
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::raw_schema::RawSchema;
use crate::text::quote;
use crate::value;
use crate::version::Version;
use crate::volume::{Range, Volume};

/// All nodes of a run, and the sources that they were read from.
#[derive(Debug, Default)]
pub struct Catalog {
    /// In the order of their paths.
    pub nodes: Vec<Node>,
    /// The texts of the contracts.
    pub sources: Sources,
}

/// A contract after resolution.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Format of the contract.
    pub format: Format,
    /// Names and versions.
    pub identity: Identity,
    /// `None` when the contract does not state a known kind: then the node has only its declared
    /// events.
    pub kind: Option<Kind>,
    /// The service in the topics of generated events.
    pub service_name: String,
    /// Namespace of the topics, when contract or project set one.
    pub namespace: Option<String>,
    /// Envelope profile of the events, when contract or project set one. Else the running service
    /// does.
    pub envelope: Option<Profile>,
    /// Headers of the events, when contract or project set them. Else the running service does.
    pub headers: Option<HeaderSet>,
    /// Description for people.
    pub description: Option<String>,
    /// In the order of the contract.
    pub operations: Vec<Operation>,
    /// Its states and transitions, when it has any.
    pub states: Option<StateMachine>,
    /// Metrics that the contract names.
    pub metrics: Vec<Metric>,
    /// Everything that it publishes, by category in the order of the table of categories.
    pub events: Vec<Event>,
    /// Topics that it consumes.
    pub consumed: Vec<Consumed>,
    /// Fields of the node's input that belong to no single operation.
    pub inputs: Vec<Field>,
    /// Fields of the node's output that belong to no single operation.
    pub outputs: Vec<Field>,
    /// Classes of the node's input and output in its code.
    pub classes: Vec<PythonClass>,
    /// Named groups of fields, in the order of the contract. Their fields may refer to each other
    /// and to themselves.
    pub definitions: Vec<Definition>,
    /// Named types of single values, in the order of the contract.
    pub scalars: Vec<Scalar>,
    /// Expected numbers of requests and events.
    pub volume: Volume,
    /// Regular expressions (without look-around, so that every engine takes them) of secrets in
    /// error messages, beside the built-in ones.
    pub redact: Vec<String>,
    /// The place of diagnostics about the whole contract.
    pub location: Location,
    /// File of the contract.
    pub origin: Origin,
}

impl Node {
    /// Returns the events of one category.
    pub fn events_of(&self, category: &'static Category) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.category == category)
    }

    /// Returns the envelope profile of the events, as far as it is known without the service.
    pub fn profile(&self) -> Profile {
        self.envelope.unwrap_or_default()
    }

    /// Returns the headers of the events among those that their profile can leave out, as far as
    /// they are known without the service.
    pub fn optional_headers(&self) -> HeaderSet {
        let set = self.headers.unwrap_or_default();
        self.profile().optional_headers().intersection(set)
    }

    /// Returns the definition of this name.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|known| known.name == name)
    }

    /// Returns the Python classes that the contract refers to.
    pub fn python_classes(&self) -> impl Iterator<Item = &PythonClass> {
        let of_operations = self.operations.iter();
        let of_operations =
            of_operations.flat_map(|one| one.input_class.iter().chain(&one.result_class));
        let of_events = self
            .declared()
            .filter_map(|(_, declared)| declared.class.as_ref());
        self.classes.iter().chain(of_operations).chain(of_events)
    }

    /// Returns the declared events.
    pub fn declared(&self) -> impl Iterator<Item = (&Event, &Declared)> {
        self.events
            .iter()
            .filter_map(|event| Some((event, event.declared.as_ref()?)))
    }
}

/// Names and versions of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name as written; `None` when the contract has none.
    pub name: Option<String>,
    /// Lowercase identifier that names generated files; made from the file's name when the contract
    /// has none.
    pub slug: String,
    /// Version of the contract.
    pub contract_version: Option<Version>,
    /// Version of the node's code.
    pub node_version: Option<Version>,
}

/// An operation of a node.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Name as written, in event types.
    pub name: String,
    /// Name in identifiers; unique in its node after resolution.
    pub ident: String,
    /// Description for people.
    pub description: Option<String>,
    /// Fields of the input that the contract declares.
    pub input: Vec<Field>,
    /// Fields of the result that the contract declares.
    pub result: Vec<Field>,
    /// Class of the input in the code of the service.
    pub input_class: Option<PythonClass>,
    /// Class of the result in the code of the service.
    pub result_class: Option<PythonClass>,
    /// Selection of the events that it publishes when it is instrumented.
    pub instrument: Instrument,
    /// Number of runs in a request, when the contract states it.
    pub per_request: Option<Range>,
    /// Share of runs that fail, when the contract states it for the operation.
    pub failure_ratio: Option<Range>,
    /// Keys of the contract that name it.
    pub sources: Vec<&'static str>,
    /// Place of its declaration.
    pub location: Location,
}

impl Operation {
    /// Returns the declared fields of its input or its result.
    pub fn fields_of(&self, part: Part) -> &[Field] {
        match part {
            Part::Input => &self.input,
            Part::Result => &self.result,
            Part::Payload => &[],
        }
    }
}

/// An event that a node publishes.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its category.
    pub category: &'static Category,
    /// Its stage in the category; `None` for declared events.
    pub stage: Option<&'static Stage>,
    /// Index of its operation in [`Node::operations`].
    pub operation: Option<usize>,
    /// Event type on the wire.
    pub event_type: String,
    /// Its version, at least 1. Event type and version together are its identity.
    pub version: u32,
    /// Its topic.
    pub topic: Topic,
    /// Name in identifiers; unique in its node, regardless of case.
    pub ident: String,
    /// Description for people.
    pub description: Option<String>,
    /// Properties of declared events.
    pub declared: Option<Declared>,
    /// Place of its declaration, or of the operation that it is generated for.
    pub location: Location,
    /// Place of its topic; [`location`](Self::location) when the contract has none.
    pub topic_location: Location,
}

impl Event {
    /// Returns its identity.
    pub fn identity(&self) -> (&str, u32) {
        (&self.event_type, self.version)
    }

    /// Returns its name for people: the quoted event type, with its version where it is not 1.
    pub fn title(&self) -> String {
        let name = quote(&self.event_type);
        match self.version {
            1 => name,
            version => format!("{name} version {version}"),
        }
    }

    /// Returns its version on the wire.
    pub fn wire_version(&self) -> String {
        format!("{}.0", self.version)
    }
}

/// Properties of a declared event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Fields of the payload; empty when the payload is open.
    pub payload: Vec<Field>,
    /// JSON Schema that payloads match besides their fields.
    pub json_schema: Option<RawSchema>,
    /// Class of the payload in the code of the service.
    pub class: Option<PythonClass>,
    /// Payload field whose value is the partition key.
    pub partition_key: Option<String>,
    /// Settings for the creation of the topic.
    pub settings: Option<TopicSettings>,
    /// Whether the topic is named by the rule of the ONEX platform.
    pub conforming: bool,
    /// Source of the event type.
    pub event_type_source: EventTypeSource,
    /// Roles of the topic: `terminal`, `success`, `failure`, `externally_consumed`.
    pub roles: Vec<&'static str>,
    /// Name of the payload's model.
    pub schema_ref: Option<String>,
    /// Number of events in a request, when the contract states it.
    pub per_request: Option<Range>,
    /// Keys of the contract that declare it.
    pub sources: Vec<&'static str>,
}

impl Declared {
    /// Whether the contract declares anything about payloads.
    pub fn has_payload(&self) -> bool {
        !self.payload.is_empty() || self.json_schema.is_some()
    }

    /// Whether a payload matches the JSON Schema of payloads, if there is one.
    pub(crate) fn is_valid(&self, payload: &Map<String, Value>) -> bool {
        let schema = self.json_schema.as_ref();
        schema.is_none_or(|schema| schema.accepts(&Value::Object(payload.clone())))
    }

    /// Validates a payload, and returns its problems as [`value::check`] does.
    pub fn check(
        &self,
        payload: &Map<String, Value>,
        definitions: &[Definition],
        place: &str,
    ) -> Vec<String> {
        self.check_borrowed(&payload.into(), definitions, place)
    }

    /// Validates a payload, and returns its problems as [`value::check`] does.
    pub fn check_borrowed(
        &self,
        payload: &BorrowedObject<'_>,
        definitions: &[Definition],
        place: &str,
    ) -> Vec<String> {
        if !self.has_payload() {
            return Vec::new();
        }
        let mut problems = if self.payload.is_empty() {
            Vec::new()
        } else {
            value::check_borrowed(&self.payload, payload, definitions, place)
        };
        if let Some(schema) = &self.json_schema {
            let violation = schema.violation(&Value::Object(payload.into()));
            problems.extend(violation.map(|violation| format!("{place} {violation}")));
        }
        problems
    }
}

/// Source of the event type of a declared event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventTypeSource {
    /// The contract states it.
    #[default]
    Declared,
    /// Producer and event name of an `onex.…` topic.
    Derived,
    /// The topic itself.
    Verbatim,
}

impl EventTypeSource {
    /// The word in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Derived => "derived",
            Self::Verbatim => "verbatim",
        }
    }
}

/// File of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path as shown to people: the path that they gave, and what was found below it.
    pub path: String,
    /// Path below the folder that was searched, with `/` between its parts.
    pub relative_path: String,
    /// Name for a contract without one: that of its file, or of the folder around it.
    pub fallback_name: String,
    /// Fingerprint of its values.
    pub fingerprint: Fingerprint,
}

/// Fingerprint of a contract: the first 16 hexadecimal digits of the SHA-256 of its values as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// Returns the fingerprint of a text.
    pub fn of(text: &[u8]) -> Self {
        let mut digits = String::with_capacity(16);
        for byte in Sha256::digest(text).iter().take(8) {
            digits.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
        Self(digits)
    }
}
