//! What templates of a project's own targets are given: the meaning of contracts, as data.
//!
//! `schema/view.schema.json` documents each name; a test holds both against each other. A name
//! that is there stays there with its meaning; [`VERSION`] counts what breaks that.

use std::collections::HashMap;

use herald_catalog::fields::{Field, Limits, Type};
use herald_catalog::kind::Kind;
use herald_catalog::topics::{self, namespace_of};
use herald_catalog::{Event, Node, Operation};
use herald_envelope::topic::Topic;
use serde_json::{Map, Value, json};

use crate::file::MARKER;

/// Version of the data, in it as `view_version`.
pub const VERSION: u32 = 1;

/// JSON Schema (draft 2020-12) of the data.
pub fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/view.schema.json"))
        .unwrap_or_else(|error| unreachable!("a test reads it: {error}"))
}

/// What is said of contracts, each thing once.
#[derive(Debug)]
pub struct CatalogView {
    pub(crate) nodes: Vec<Value>,
    pub(crate) topics: Vec<Value>,
}

impl CatalogView {
    /// The data of these nodes.
    ///
    /// # Errors
    /// What the contracts disagree about, each a sentence.
    pub fn new(nodes: &[&Node]) -> Result<Self, Vec<String>> {
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
        let topic = |published: &topics::Published| {
            let events = by_topic.get(&published.name).map_or(&[][..], Vec::as_slice);
            let parts = events.first().map(|(_, event)| parts(&event.topic));
            let (before, after) = parts.unwrap_or_default();
            json!({
                "name": published.name,
                "before": before,
                "after": after,
                "namespaced": after.is_some(),
                "partitions": published.partitions,
                "replication_factor": published.replication_factor,
                "config": published.config,
                "contracts": published.contracts,
                "events": events.iter().map(|(node, event)| json!({
                    "node": node.identity.slug,
                    "event_type": event.event_type,
                    "ident": event.ident,
                })).collect::<Vec<_>>(),
            })
        };
        Ok(Self {
            nodes: nodes.iter().map(|node| node_view(node)).collect(),
            topics: published.iter().map(topic).collect(),
        })
    }
}

/// A view of something: what is in every view, and `more`.
pub(crate) fn of(each: &str, more: Value) -> Value {
    let mut view = json!({
        "view_version": VERSION,
        "herald_version": env!("CARGO_PKG_VERSION"),
        "marker": MARKER,
        "each": each,
    });
    if let (Value::Object(view), Value::Object(more)) = (&mut view, more) {
        view.extend(more);
    }
    view
}

/// The text of a topic before and after its namespace; without one, all of it is before.
fn parts(topic: &Topic) -> (String, Option<String>) {
    match topic {
        Topic::Literal(name) => (name.clone(), None),
        Topic::Namespaced { before, after } => (before.clone(), Some(after.clone())),
    }
}

fn node_view(node: &Node) -> Value {
    let identity = &node.identity;
    let version = |version: &Option<herald_catalog::version::Version>| {
        version.as_ref().map(|version| version.text.clone())
    };
    json!({
        "name": identity.name.as_deref().unwrap_or(&identity.slug),
        "slug": identity.slug,
        "kind": node.kind.map(Kind::as_str),
        "service_name": node.service_name,
        "namespace": node.namespace,
        "description": node.description,
        "contract_version": version(&identity.contract_version),
        "node_version": version(&identity.node_version),
        "format": node.format.as_str(),
        "path": node.origin.relative_path,
        "fingerprint": node.origin.fingerprint.0,
        "operations": node.operations.iter().map(operation_view).collect::<Vec<_>>(),
        "states": node.states.as_ref().map(|machine| json!({
            "names": machine.states,
            "initial": machine.initial,
            "terminal": machine.terminal,
            "transitions": machine.transitions.iter().map(|transition| json!({
                "from": transition.from.value,
                "to": transition.to.value,
                "trigger": transition.trigger,
            })).collect::<Vec<_>>(),
        })),
        "metrics": node.metrics.iter().map(|metric| json!({
            "name": metric.name.value,
            "unit": metric.unit,
            "description": metric.description,
        })).collect::<Vec<_>>(),
        "events": node.events.iter().map(|event| event_view(node, event)).collect::<Vec<_>>(),
        "consumed": node.consumed.iter().map(|consumed| json!({
            "topic": consumed.topic,
            "event_type": consumed.event_type,
        })).collect::<Vec<_>>(),
        "inputs": fields(&node.inputs),
        "outputs": fields(&node.outputs),
        "definitions": node.definitions.iter().map(|definition| json!({
            "name": definition.name,
            "ident": definition.ident,
            "description": definition.description,
            "fields": fields(&definition.fields),
        })).collect::<Vec<_>>(),
    })
}

fn operation_view(operation: &Operation) -> Value {
    json!({
        "name": operation.name,
        "ident": operation.ident,
        "description": operation.description,
        "input": fields(&operation.input),
        "result": fields(&operation.result),
        "instrument": {
            "events": operation.instrument.events.as_str(),
            "sample_started": operation.instrument.sample_started,
            "fields": operation.instrument.fields.iter().cloned().collect::<Map<_, _>>(),
        },
    })
}

fn event_view(node: &Node, event: &Event) -> Value {
    let declared = event.declared.as_ref();
    let (before, after) = parts(&event.topic);
    json!({
        "event_type": event.event_type,
        "ident": event.ident,
        "category": event.category.key,
        "stage": event.stage.map(|stage| stage.pattern),
        "operation": event.operation.map(|index| &node.operations[index].name),
        "description": event.description,
        "topic": {
            "name": event.topic.in_namespace(namespace_of(node, None)),
            "before": before,
            "after": after,
            "namespaced": after.is_some(),
        },
        "payload": declared.map(|declared| fields(&declared.payload)).unwrap_or_default(),
        "partition_key": declared.and_then(|declared| declared.partition_key.as_ref()),
    })
}

fn fields(fields: &[Field]) -> Vec<Value> {
    let field = |field: &Field| {
        json!({
            "name": field.name,
            "type": type_view(&field.ty),
            "required": field.required,
            "limits": limits_view(&field.limits),
            "default": field.default,
            "description": field.description,
            "privacy": field.privacy.as_str(),
        })
    };
    fields.iter().map(field).collect()
}

/// Every limit, null where it is not set.
fn limits_view(limits: &Limits) -> Value {
    json!({
        "minimum": limits.minimum,
        "maximum": limits.maximum,
        "exclusive_minimum": limits.exclusive_minimum,
        "exclusive_maximum": limits.exclusive_maximum,
        "min_length": limits.min_length,
        "max_length": limits.max_length,
        "pattern": limits.pattern,
        "min_items": limits.min_items,
        "max_items": limits.max_items,
        "items": limits.items.as_deref().map(limits_view),
    })
}

fn type_view(ty: &Type) -> Value {
    let kind = match ty {
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Enum(_) => "enum".to_owned(),
        Type::Defined(_) => "defined".to_owned(),
        Type::Model(_) => "model".to_owned(),
        Type::Union(_) => "union".to_owned(),
        simple => simple.to_string(),
    };
    let (mut items, mut values, mut members) = (Value::Null, Vec::new(), Vec::new());
    let mut model = None;
    match ty {
        Type::List(item) | Type::Map(item) => items = type_view(item),
        Type::Enum(texts) => values.clone_from(texts),
        Type::Defined(name) | Type::Model(name) => model = Some(name),
        Type::Union(types) => members = types.iter().map(type_view).collect(),
        _ => {}
    }
    json!({
        "kind": kind,
        "text": ty.to_string(),
        "items": items,
        "values": values,
        "model": model,
        "members": members,
    })
}
