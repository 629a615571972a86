//! The method of one event.

use herald_catalog::category::{METRIC_EVENTS, STATE_EVENTS};
use herald_catalog::fields::{Field, Privacy};
use herald_catalog::kind::Kind;
use herald_catalog::{Declared, Event, Node};
use herald_envelope::topic::Topic;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::python::layout::{assignment, call, f_assignment};
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::escape;
use crate::template::{RenderError, Templates};

/// Where the docstring of a method stands.
const DOC_INDENT: usize = 8;
/// Where the descriptions of its parameters stand, and where their further lines do.
const ARG_INDENT: usize = 12;
/// Where the statements stand that publish.
const BODY_INDENT: usize = 16;

/// What the templates of methods print; each takes what it needs. What they print most often
/// stands first, where it is found first.
#[derive(Debug, Serialize)]
struct MethodView {
    event_type: String,
    /// In log messages: `orchestration started`.
    label: String,
    operation: String,
    node_type: Option<&'static str>,
    service_name: String,
    topic_assignment: String,
    ident: String,
    summary: String,
    input_doc: String,
    public_input: Vec<String>,
    result_doc: String,
    public_result: Vec<String>,
    payload_doc: String,
    public_payload: Vec<String>,
    /// The contract declares no payload.
    open_payload: bool,
    partition_key_assignment: Option<String>,
}

/// A template and what it prints, ready to be printed again and again.
#[derive(Debug)]
pub(crate) struct PyMethod {
    template: String,
    view: Value,
}

impl PyMethod {
    pub(crate) fn new(node: &Node, event: &Event) -> Self {
        let pattern = event
            .stage
            .map_or(event.category.key, |stage| stage.pattern);
        let view = MethodView::new(node, event);
        Self {
            template: format!("python/{pattern}.py"),
            view: Value::from(Serde(view)),
        }
    }

    /// Appends the method to `out`, indented as in a class.
    pub(crate) fn render_into(
        &self,
        out: &mut String,
        templates: &Templates,
    ) -> Result<(), RenderError> {
        templates.render_into(out, &self.template, self.view.clone())
    }
}

impl MethodView {
    fn new(node: &Node, event: &Event) -> Self {
        let operation = event.operation.map(|index| &node.operations[index]);
        let label = match (operation, event.stage) {
            (Some(operation), Some(stage)) => format!("{} {}", operation.name, stage.ident),
            (None, Some(stage)) => stage.ident.replace('_', " "),
            (_, None) => event.event_type.clone(),
        };
        let input = operation.map_or(&[][..], |operation| &operation.input);
        let result = operation.map_or(&[][..], |operation| &operation.result);
        let payload = event
            .declared
            .as_ref()
            .map_or(&[][..], |declared| &declared.payload);
        Self {
            ident: event.ident.clone(),
            event_type: escape(&event.event_type),
            node_type: node.kind.map(Kind::name),
            service_name: escape(&node.service_name),
            operation: operation
                .map(|operation| escape(&operation.name))
                .unwrap_or_default(),
            summary: summary(node, event, &label),
            label: escape(&label),
            input_doc: summary_doc("input_data: Input of the operation", input),
            public_input: public(input),
            result_doc: summary_doc("result_data: Result of the operation", result),
            public_result: public(result),
            payload_doc: payload_doc(payload),
            public_payload: public(payload),
            open_payload: payload.is_empty(),
            topic_assignment: topic_assignment(&event.topic),
            partition_key_assignment: event.declared.as_ref().and_then(partition_key_assignment),
        }
    }
}

/// Where the event goes, as the methods say it.
fn topic_assignment(topic: &Topic) -> String {
    match topic {
        Topic::Literal(name) => assignment(BODY_INDENT, "topic_name", &escape(name)),
        Topic::Namespaced { before, after } => f_assignment(
            BODY_INDENT,
            "topic_name",
            (&escape(before), "self.default_namespace", &escape(after)),
        ),
    }
}

/// Takes the partition key from the payload; never from a field that is not public.
fn partition_key_assignment(declared: &Declared) -> Option<String> {
    let key = escape(declared.partition_key.as_deref()?);
    let is_published = declared.payload.is_empty() || public(&declared.payload).contains(&key);
    is_published.then(|| call(BODY_INDENT, "partition_key", "event_data.get", &key))
}

/// Names of public fields, as they stand in literals.
fn public(fields: &[Field]) -> Vec<String> {
    let public = fields
        .iter()
        .filter(|field| field.privacy == Privacy::Public);
    public.map(|field| escape(&field.name)).collect()
}

/// The docstring of a method, without what its template says of the parameters.
fn summary(node: &Node, event: &Event, label: &str) -> String {
    let sentence = format!("Publish {} event.", sanitize(label));
    let mut parts = vec![wrap(&sentence, DOC_INDENT + 3, DOC_INDENT)];
    let of_operation = event
        .operation
        .and_then(|index| node.operations[index].description.as_ref());
    if let Some(description) = event.description.as_ref().or(of_operation) {
        parts.extend(paragraphs(description, DOC_INDENT));
    }
    if event.category == &STATE_EVENTS
        && let Some(machine) = &node.states
    {
        parts.extend(listing("States", machine.states.iter().cloned()));
    }
    if event.category == &METRIC_EVENTS {
        parts.extend(listing(
            "Metrics",
            node.metrics.iter().map(|metric| match &metric.unit {
                Some(unit) => format!("{} ({unit})", metric.name.value),
                None => metric.name.value.clone(),
            }),
        ));
    }
    join(&parts, DOC_INDENT)
}

/// What the contract names, as a paragraph; nothing where it names nothing.
fn listing(title: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let names = names
        .map(|name| sanitize(&name))
        .collect::<Vec<_>>()
        .join(", ");
    (!names.is_empty()).then(|| wrap(&format!("{title}: {names}."), DOC_INDENT, DOC_INDENT))
}

/// The description of a parameter of which only a summary is published.
fn summary_doc(begin: &str, fields: &[Field]) -> String {
    let public = fields
        .iter()
        .filter(|field| field.privacy == Privacy::Public);
    let names = public
        .map(|field| sanitize(&field.name))
        .collect::<Vec<_>>()
        .join(", ");
    let text = if names.is_empty() {
        format!("{begin}; only the types of its values are published.")
    } else {
        format!("{begin}; published are the values of {names} and the types of all others.")
    };
    wrap(&text, ARG_INDENT, ARG_INDENT + 4)
}

/// The description of the payload and its fields.
fn payload_doc(fields: &[Field]) -> String {
    let text = if fields.is_empty() {
        "event_data: The payload, published as it is."
    } else {
        "event_data: The payload; of other keys than these only the types of their values are \
         published."
    };
    let mut lines = vec![wrap(text, ARG_INDENT, ARG_INDENT + 4)];
    for field in fields {
        let mut text = format!(
            "{} ({}",
            sanitize(&field.name),
            sanitize(&field.ty.to_string())
        );
        if !field.required {
            text.push_str(", optional");
        }
        if field.privacy == Privacy::Private {
            text.push_str("; private, only its type is published");
        }
        text.push(')');
        if let Some(description) = &field.description {
            text.push_str(": ");
            text.push_str(&sanitize(description));
        }
        lines.push(wrap(&text, ARG_INDENT + 4, ARG_INDENT + 8));
    }
    lines.join(&format!("\n{:1$}", "", ARG_INDENT + 4))
}
