//! What contracts mean, as JSON: for programs in other languages.

use std::collections::{HashMap, HashSet};

use herald_diagnostics::SourceId;
use serde_json::{Map, Value, json};

use crate::contract::StateMachine;
use crate::fields::{Definition, Field, Limits};
use crate::instrument::Instrument;
use crate::kind::Kind;
use crate::load::Loaded;
use crate::rules::OUTPUT_COLLISION;
use crate::version::Version;
use crate::{Consumed, Declared, Event, Node, Operation};

/// What the reader understood of each contract: `{"contracts": [ … ]}`.
pub fn all(loaded: &Loaded) -> Value {
    let diagnostics = diagnostics(loaded);
    let contract = |node: &Node| {
        let diagnostics = diagnostics.get(&node.location.source);
        contract(node, diagnostics.map_or(&[], Vec::as_slice))
    };
    let contracts: Vec<_> = loaded.catalog.nodes.iter().map(contract).collect();
    json!({ "contracts": contracts })
}

/// What the reader understood of one contract, with the codes of its diagnostics.
pub fn contract(node: &Node, diagnostics: &[String]) -> Value {
    json!({
        "path": node.origin.relative_path,
        "format": node.format.as_str(),
        "fingerprint": node.origin.fingerprint.0,
        "identity": {
            "name": node.identity.name,
            "slug": node.identity.slug,
            "contract_version": version(node.identity.contract_version.as_ref()),
            "node_version": version(node.identity.node_version.as_ref()),
        },
        "kind": node.kind.map(Kind::as_str),
        "service_name": node.service_name,
        "namespace": node.namespace,
        "description": node.description,
        "operations": node.operations.iter().map(operation).collect::<Vec<_>>(),
        "published": node.declared().map(|(event, declared)| published(event, declared)).collect::<Vec<_>>(),
        "generated": node.events.iter().filter(|e| e.declared.is_none()).map(|event| generated(node, event)).collect::<Vec<_>>(),
        "consumed": node.consumed.iter().map(consumed).collect::<Vec<_>>(),
        "states": node.states.as_ref().map_or(&[][..], |machine| &machine.states),
        "fsm": node.states.as_ref().map(state_machine),
        "metrics": node.metrics.iter().map(|metric| json!({
            "name": metric.name.value,
            "unit": metric.unit,
            "description": metric.description,
        })).collect::<Vec<_>>(),
        "definitions": node.definitions.iter().map(definition).collect::<Vec<_>>(),
        "fields": fields_of_node(node),
        "diagnostics": diagnostics,
    })
}

fn version(version: Option<&Version>) -> Option<&str> {
    version.map(|version| version.text.as_str())
}

fn operation(operation: &Operation) -> Value {
    json!({
        "name": operation.name,
        "ident": operation.ident,
        "description": operation.description,
        "input": fields(&operation.input),
        "result": fields(&operation.result),
        "instrument": instrument(&operation.instrument),
        "sources": operation.sources,
    })
}

fn instrument(instrument: &Instrument) -> Value {
    json!({
        "events": instrument.events.as_str(),
        "sample_started": instrument.sample_started,
        "fields": instrument.fields.iter().cloned().collect::<Map<_, _>>(),
    })
}

fn definition(definition: &Definition) -> Value {
    json!({
        "name": definition.name,
        "ident": definition.ident,
        "description": definition.description,
        "fields": fields(&definition.fields),
    })
}

fn published(event: &Event, declared: &Declared) -> Value {
    json!({
        "topic": event.topic.as_template(),
        "event_type": event.event_type,
        "event_type_source": declared.event_type_source.as_str(),
        "ident": event.ident,
        "conforming": declared.conforming,
        "description": event.description,
        "roles": declared.roles,
        "schema_ref": declared.schema_ref,
        "partition_key": declared.partition_key,
        "topic_config": declared.settings.as_ref().map(|settings| json!({
            "partitions": settings.partitions,
            "replication_factor": settings.replication_factor,
            "kafka_config": settings.config,
        })),
        "payload_fields": (!declared.payload.is_empty()).then(|| fields(&declared.payload)),
        "sources": declared.sources,
    })
}

fn generated(node: &Node, event: &Event) -> Value {
    let operation = event.operation.map(|index| &node.operations[index].name);
    json!({
        "topic": event.topic.as_template(),
        "event_type": event.event_type,
        "category": event.category.key,
        "operation": operation,
        "ident": event.ident,
    })
}

fn consumed(topic: &Consumed) -> Value {
    json!({
        "topic": topic.topic,
        "event_type": topic.event_type,
        "conforming": topic.conforming,
        "sources": topic.sources,
    })
}

fn state_machine(machine: &StateMachine) -> Value {
    let transitions: Vec<_> = machine
        .transitions
        .iter()
        .map(|t| json!({"from": t.from.value, "to": t.to.value, "trigger": t.trigger}))
        .collect();
    json!({
        "source": machine.source,
        "initial": machine.initial,
        "terminal": machine.terminal,
        "transitions": transitions,
    })
}

fn fields(fields: &[Field]) -> Value {
    let field = |field: &Field| {
        let value = json!({
            "type": field.ty.to_string(),
            "spelling": field.spelling,
            "required": field.required,
            "limits": limits(&field.limits),
            "default": field.default,
            "description": field.description,
            "privacy": field.privacy.as_str(),
        });
        (field.name.clone(), value)
    };
    Value::Object(fields.iter().map(field).collect())
}

/// The limits that are set, by their keys in contracts.
pub fn limits(limits: &Limits) -> Value {
    let numbers = [
        ("minimum", &limits.minimum),
        ("maximum", &limits.maximum),
        ("exclusive_minimum", &limits.exclusive_minimum),
        ("exclusive_maximum", &limits.exclusive_maximum),
    ];
    let sizes = [
        ("min_length", limits.min_length),
        ("max_length", limits.max_length),
        ("min_items", limits.min_items),
        ("max_items", limits.max_items),
    ];
    let mut set = Map::new();
    let mut insert = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            set.insert(key.to_owned(), value);
        }
    };
    for (key, number) in numbers {
        insert(key, number.clone().map(Value::Number));
    }
    for (key, size) in sizes {
        insert(key, size.map(Value::from));
    }
    insert("pattern", limits.pattern.clone().map(Value::String));
    insert("items", limits.items.as_deref().map(self::limits));
    Value::Object(set)
}

/// Inputs and outputs of ONEX contracts, each with its type as spelled.
fn fields_of_node(node: &Node) -> Value {
    let mut sections = Map::new();
    for (name, fields) in [("inputs", &node.inputs), ("outputs", &node.outputs)] {
        if !fields.is_empty() {
            let spelled = fields
                .iter()
                .map(|f| (f.name.clone(), json!(f.spelling)))
                .collect();
            sections.insert(name.to_owned(), Value::Object(spelled));
        }
    }
    Value::Object(sections)
}

/// Codes of the diagnostics about each source, with their subjects; each once.
///
/// What is only said of several contracts together, or only a matter of taste, is no property of
/// what was read.
fn diagnostics(loaded: &Loaded) -> HashMap<SourceId, Vec<String>> {
    let mut keys: HashMap<SourceId, Vec<String>> = HashMap::new();
    let mut seen = HashSet::new();
    for diagnostic in &loaded.diagnostics {
        let Some(location) = diagnostic.location else {
            continue;
        };
        let reading =
            !diagnostic.rule.code.starts_with("lint.") && diagnostic.rule != &OUTPUT_COLLISION;
        if reading && seen.insert((location.source, diagnostic.key())) {
            keys.entry(location.source)
                .or_default()
                .push(diagnostic.key());
        }
    }
    keys
}
