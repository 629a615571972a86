//! Example events as generated publishers make them: payload, metadata, envelope.

use herald_envelope::{Envelope, Origin, Stamp, Timestamp, Uuid};
use serde_json::{Map, Value, json};

use crate::category::{PayloadType, PayloadValue, Stage};
use crate::fields::{Definition, Type};
use crate::kind::Kind;
use crate::sample::Samples;
use crate::{Declared, Event, Node};

/// Environment of examples.
pub const ENVIRONMENT: &str = "production";
/// Version of a service without one.
const VERSION: &str = "1.0.0";

/// Timestamp of examples, with all six digits of a microsecond.
const MOMENT: &str = "2025-11-05T12:00:00.123456+00:00";
const MICROSECONDS: i64 = 1_762_344_000_123_456;
const MILLISECONDS: f64 = 123.456;
const ID: &str = "0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d";
const ERROR: &str = "ValueError";
const MESSAGE: &str = "what went wrong, in a sentence of about sixty characters' length";
const REASON: &str = "example of a reason";

/// An example of an event.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its envelope.
    pub envelope: Envelope<'static, Map<String, Value>, Map<String, Value>>,
    /// Whether events can have more fields than the contract declares.
    pub is_open: bool,
    /// Whether it was cut because it exceeds Kafka's default maximum size.
    pub is_cut: bool,
}

impl Example {
    /// Creates an example of a usual size. A value that is within all limits is not always found.
    ///
    /// # Panics
    /// Never: a typical sample has a value for every type.
    pub fn typical(node: &Node, event: &Event) -> Self {
        let samples = Samples::typical(&node.definitions, type_name);
        Self::new(node, event, samples).expect("typical samples are always found")
    }

    /// Creates the smallest example whose payload is valid; `None` where no valid value was found.
    pub fn minimal(node: &Node, event: &Event) -> Option<Self> {
        let samples = Samples::minimal(&node.definitions).masked(type_name);
        Self::new(node, event, samples)
    }

    fn new(node: &Node, event: &Event, mut samples: Samples<'_>) -> Option<Self> {
        let (payload, metadata, key) = match (&event.declared, event.stage) {
            (Some(declared), _) => of_declared(node, event, declared, &mut samples)?,
            (None, Some(stage)) => of_stage(node, event, stage, &mut samples)?,
            (None, None) => (Map::new(), Map::new(), None),
        };
        let identity = &node.identity;
        let version = identity.node_version.as_ref();
        let version = version.or(identity.contract_version.as_ref());
        let version = version.map_or(VERSION, |version| &version.text);
        let origin = Origin::new(&node.service_name, version, ENVIRONMENT);
        let mut envelope = origin
            .stamped(stamp(), event.event_type.clone(), ID, payload)
            .with_correlation_id(id())
            .with_causation_id(ID)
            .with_metadata(metadata)
            .with_event_version(event.wire_version());
        envelope.partition_key = key.map(Into::into);
        Some(Self {
            envelope: owned(envelope),
            is_open: samples.is_open(),
            is_cut: samples.is_cut(),
        })
    }
}

/// Payload, metadata and partition key.
type Parts = (Map<String, Value>, Map<String, Value>, Option<String>);

/// Makes the parts of an event that Herald defines, from the row of its stage.
fn of_stage(node: &Node, event: &Event, stage: &Stage, samples: &mut Samples<'_>) -> Option<Parts> {
    let operation = event.operation.map(|index| &node.operations[index]);
    let mut payload = Map::new();
    for field in stage.payload {
        let value = match field.value {
            PayloadValue::Operation => json!(operation.map(|operation| &operation.name)),
            PayloadValue::NodeType => json!(node.kind.map(Kind::as_str)),
            PayloadValue::NodeId => json!(ID),
            PayloadValue::Now => json!(MOMENT),
            PayloadValue::Argument(name) => of_argument(node, name, field.ty),
            PayloadValue::Summary(_, part) => {
                let fields = operation.map_or(&[][..], |operation| operation.fields_of(part));
                Value::Object(samples.object(fields)?)
            }
            PayloadValue::ErrorType => json!(ERROR),
            PayloadValue::ErrorMessage => json!(MESSAGE),
            PayloadValue::Flag(flag) => json!(flag),
        };
        payload.insert(field.name.to_owned(), value);
    }
    let mut metadata = metadata(node, event);
    if let Some(operation) = operation {
        metadata.insert("operation".to_owned(), json!(operation.name));
        metadata.insert("lifecycle_stage".to_owned(), json!(stage.event_type));
    }
    for name in stage.repeated_in_metadata {
        metadata.insert((*name).to_owned(), payload[*name].clone());
    }
    let fields = operation.map_or(&[][..], |operation| &operation.instrument.fields);
    if !fields.is_empty() {
        let fields: Map<_, _> = fields.iter().cloned().collect();
        payload.insert("metadata".to_owned(), fields.into());
    }
    Some((payload, metadata, None))
}

/// Returns the example of an argument of a publishing method: the longest value that the contract names.
fn of_argument(node: &Node, name: &str, ty: PayloadType) -> Value {
    let states = node.states.as_ref().map(|machine| &machine.states[..]);
    let states = states.unwrap_or_default().iter().map(String::as_str);
    let metrics = node.metrics.iter();
    let text = match name {
        "old_state" | "new_state" => longest(states).unwrap_or("processing"),
        "metric_name" => {
            longest(metrics.map(|metric| metric.name.value.as_str())).unwrap_or("processing_time")
        }
        "metric_unit" => {
            longest(metrics.filter_map(|metric| metric.unit.as_deref())).unwrap_or("ms")
        }
        _ => REASON,
    };
    match ty {
        PayloadType::Text => json!(text),
        PayloadType::Uuid => json!(ID),
        PayloadType::Timestamp => json!(MOMENT),
        PayloadType::Number => json!(MILLISECONDS),
        PayloadType::Boolean => json!(true),
        PayloadType::Object => json!({}),
    }
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    texts.max_by_key(|text| text.len())
}

/// Returns the name of a type in Python, which is published instead of a private value.
fn type_name(ty: &Type, definitions: &[Definition]) -> String {
    let name = match ty {
        Type::String | Type::Enum(_) => "str",
        Type::Integer => "int",
        Type::Boolean => "bool",
        Type::Uuid => "UUID",
        Type::DateTime => "datetime",
        Type::Date => "date",
        Type::Decimal => "Decimal",
        Type::Bytes => "bytes",
        Type::Duration => "timedelta",
        Type::Numbers(numbers) if numbers.iter().all(|number| !number.is_f64()) => "int",
        Type::Number | Type::Numbers(_) => "float",
        Type::Scalar(scalar) if matches!(scalar.ty, Type::Enum(_) | Type::Numbers(_)) => {
            &scalar.name
        }
        Type::Scalar(scalar) => return type_name(&scalar.ty, definitions),
        Type::Null => "NoneType",
        Type::List(_) => "list",
        Type::Map(_) | Type::Any => "dict",
        Type::Model(name) => name.rsplit('.').next().unwrap_or(name),
        Type::Defined(name) => {
            let known = definitions.iter().find(|known| known.name == *name);
            known.map_or(name.as_str(), |known| &known.ident)
        }
        Type::Union(members) => {
            let member = members.iter().find(|member| **member != Type::Null);
            return member.map_or_else(
                || "NoneType".to_owned(),
                |member| type_name(member, definitions),
            );
        }
    };
    name.to_owned()
}

/// Returns the metadata that all events of a category have.
fn metadata(node: &Node, event: &Event) -> Map<String, Value> {
    let mut metadata = Map::new();
    if let Some(kind) = node.kind {
        metadata.insert("node_type".to_owned(), kind.as_str().into());
    }
    metadata.insert("service_name".to_owned(), node.service_name.clone().into());
    if let Some(category) = event.category.metadata_category {
        metadata.insert("event_category".to_owned(), category.into());
    }
    metadata
}

fn of_declared(
    node: &Node,
    event: &Event,
    declared: &Declared,
    samples: &mut Samples<'_>,
) -> Option<Parts> {
    let payload = samples.object(&declared.payload)?;
    if !declared.is_valid(&payload) && !samples.is_lenient() {
        return None;
    }
    let mut metadata = metadata(node, event);
    let key = declared.partition_key.as_ref();
    let key = key
        .and_then(|key| payload.get(key))
        .and_then(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
    if let Some(key) = &key {
        metadata.insert("partition_key".to_owned(), key.clone().into());
    }
    Some((payload, metadata, key))
}

fn id() -> Uuid {
    Uuid::try_parse(ID).unwrap_or_default()
}

fn stamp() -> Stamp {
    Stamp {
        event_id: id(),
        event_timestamp: Timestamp::from_microsecond(MICROSECONDS).unwrap_or_default(),
    }
}

type OfMaps<'a> = Envelope<'a, Map<String, Value>, Map<String, Value>>;

/// Returns the envelope without borrowed data.
fn owned(envelope: OfMaps<'_>) -> OfMaps<'static> {
    let text = |text: std::borrow::Cow<'_, str>| std::borrow::Cow::Owned(text.into_owned());
    Envelope {
        event_id: envelope.event_id,
        event_type: text(envelope.event_type),
        event_version: text(envelope.event_version),
        event_timestamp: envelope.event_timestamp,
        source_node_id: text(envelope.source_node_id),
        source_service: text(envelope.source_service),
        source_version: text(envelope.source_version),
        source_instance: None,
        correlation_id: envelope.correlation_id,
        causation_id: envelope.causation_id.map(text),
        environment: text(envelope.environment),
        region: None,
        partition_key: envelope.partition_key.map(text),
        payload: envelope.payload,
        metadata: envelope.metadata,
        extra: Vec::new(),
        trace: None,
    }
}
