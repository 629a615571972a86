//! Events as generated publishers make them: payload, metadata, envelope.

use herald_catalog::category::{METRIC_EVENTS, STATE_EVENTS};
use herald_catalog::kind::Kind;
use herald_catalog::{Declared, Event, Node, Operation};
use herald_envelope::{Envelope, Origin, Stamp, Timestamp, Uuid};
use serde_json::{Map, Value, json};

use crate::example::Examples;
use crate::record::Size;

/// Where examples run.
pub const ENVIRONMENT: &str = "production";
/// Version of a service that says none.
const VERSION: &str = "1.0.0";

/// When examples were made; with all six digits of a microsecond.
const MOMENT: &str = "2025-11-05T12:00:00.123456+00:00";
const MICROSECONDS: i64 = 1_762_344_000_123_456;
const MILLISECONDS: f64 = 123.456;
const ID: &str = "0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d";
const ERROR: &str = "ValueError";
const MESSAGE: &str = "what went wrong, in a sentence of about sixty characters' length";
const REASON: &str = "example of a reason";

/// An event that is as one of this type might be.
#[derive(Clone, Debug)]
pub struct Example {
    /// All of it.
    pub envelope: Envelope<'static, Map<String, Value>, Map<String, Value>>,
    /// Whether events have more in them than the contract declares.
    pub is_open: bool,
    /// Whether it is larger than what Kafka takes by default, and was cut.
    pub is_cut: bool,
}

impl Example {
    /// Makes one.
    pub fn of(node: &Node, event: &Event) -> Self {
        let mut examples = Examples::new(node);
        let (payload, metadata, key) = match (&event.declared, event.operation) {
            (Some(declared), _) => of_declared(node, declared, &mut examples),
            (None, Some(operation)) => {
                let operation = &node.operations[operation];
                of_operation(node, event, operation, &mut examples)
            }
            (None, None) if event.category == &STATE_EVENTS => of_states(node),
            (None, None) if event.category == &METRIC_EVENTS => of_metrics(node),
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
            .with_metadata(metadata);
        envelope.partition_key = key.map(Into::into);
        Self {
            envelope: owned(envelope),
            is_open: examples.is_open,
            is_cut: examples.is_cut(),
        }
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        // Its type comes from a contract, which has no empty one, and its year is none to refuse.
        Size::of(&self.envelope).unwrap_or_default()
    }
}

type Parts = (Map<String, Value>, Map<String, Value>, Option<String>);

fn of_operation(
    node: &Node,
    event: &Event,
    operation: &Operation,
    examples: &mut Examples<'_>,
) -> Parts {
    let stage = event.stage.map_or("", |stage| stage.event_type);
    let mut payload = object(json!({
        "operation": operation.name,
        "correlation_id": ID,
        "node_id": ID,
        format!("{stage}_at"): MOMENT,
    }));
    let mut metadata = object(json!({
        "node_type": node.kind.map(Kind::as_str),
        "service_name": node.service_name,
        "operation": operation.name,
        "lifecycle_stage": stage,
    }));
    match stage {
        "started" => {
            let input = examples.published(&operation.input);
            payload.insert("input_summary".to_owned(), input.into());
        }
        "completed" => {
            let result = examples.published(&operation.result);
            payload.insert("execution_time_ms".to_owned(), json!(MILLISECONDS));
            payload.insert("result_summary".to_owned(), result.into());
            payload.insert("success".to_owned(), json!(true));
            metadata.insert("execution_time_ms".to_owned(), json!(MILLISECONDS));
        }
        _ => {
            payload.extend(object(json!({
                "execution_time_ms": MILLISECONDS,
                "error_type": ERROR,
                "error_message": MESSAGE,
                "success": false,
            })));
            metadata.extend(object(json!({
                "error_type": ERROR,
                "execution_time_ms": MILLISECONDS,
            })));
        }
    }
    let fields = &operation.instrument.fields;
    if !fields.is_empty() {
        let fields: Map<_, _> = fields.iter().cloned().collect();
        payload.insert("metadata".to_owned(), fields.into());
    }
    (payload, metadata, None)
}

fn of_declared(node: &Node, declared: &Declared, examples: &mut Examples<'_>) -> Parts {
    let payload = examples.published(&declared.payload);
    let mut metadata = Map::new();
    if let Some(kind) = node.kind {
        metadata.insert("node_type".to_owned(), kind.as_str().into());
    }
    metadata.insert("service_name".to_owned(), node.service_name.clone().into());
    metadata.insert("event_category".to_owned(), "declared".into());
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
    (payload, metadata, key)
}

fn of_states(node: &Node) -> Parts {
    let states = node.states.as_ref();
    let longest = states.and_then(|machine| machine.states.iter().max_by_key(|name| name.len()));
    let state = longest.map_or("processing", String::as_str);
    let payload = object(json!({
        "node_id": ID,
        "node_type": node.kind.map(Kind::as_str),
        "correlation_id": ID,
        "changed_at": MOMENT,
        "old_state": state,
        "new_state": state,
        "transition_reason": REASON,
    }));
    let metadata = object(json!({
        "node_type": node.kind.map(Kind::as_str),
        "service_name": node.service_name,
        "event_category": "state_transition",
        "old_state": state,
        "new_state": state,
    }));
    (payload, metadata, None)
}

fn of_metrics(node: &Node) -> Parts {
    let longest = |texts: &mut dyn Iterator<Item = &'_ str>| {
        texts.max_by_key(|text| text.len()).map(str::to_owned)
    };
    let name = longest(&mut node.metrics.iter().map(|metric| metric.name.value.as_str()));
    let unit = longest(
        &mut node
            .metrics
            .iter()
            .filter_map(|metric| metric.unit.as_deref()),
    );
    let (name, unit) = (
        name.as_deref().unwrap_or("processing_time"),
        unit.as_deref().unwrap_or("ms"),
    );
    let payload = object(json!({
        "node_id": ID,
        "node_type": node.kind.map(Kind::as_str),
        "recorded_at": MOMENT,
        "metric_name": name,
        "metric_value": MILLISECONDS,
        "metric_unit": unit,
        "correlation_id": ID,
    }));
    let metadata = object(json!({
        "node_type": node.kind.map(Kind::as_str),
        "service_name": node.service_name,
        "event_category": "metric",
        "metric_name": name,
        "metric_unit": unit,
    }));
    (payload, metadata, None)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
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

/// The same, free of the origin that it was made with.
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
