//! The method of one event.

use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::python::layout::{assignment, f_assignment};
use crate::python::names::label;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;
use crate::template::{RenderError, Templates};

/// Where the docstring of a method stands.
const DOC_INDENT: usize = 8;
/// Where the statements stand that publish.
const BODY_INDENT: usize = 16;

/// What the templates of methods print; each takes what it needs.
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
}

/// A template and what it prints, ready to be printed again and again.
#[derive(Debug)]
pub(crate) struct PatternMethod {
    template: String,
    view: Value,
}

impl PatternMethod {
    pub(crate) fn new(node: &Node, event: &Event) -> Self {
        let pattern = (event.stage).map_or(event.category.key, |stage| stage.pattern);
        Self {
            template: format!("patterns/{pattern}.py"),
            view: Value::from(Serde(MethodView::new(node, event))),
        }
    }

    /// Appends the method to `out`, indented as in a class.
    pub(crate) fn render_into(&self, out: &mut String) -> Result<(), RenderError> {
        Templates::built_in().render_into(out, &self.template, self.view.clone())
    }
}

impl MethodView {
    fn new(node: &Node, event: &Event) -> Self {
        let operation = event.operation.map(|index| &node.operations[index].name);
        let label = label(node, event);
        let sentence = format!("Publish {} event.", sanitize(&label));
        Self {
            ident: event.ident.clone(),
            event_type: escape(&event.event_type),
            node_type: node.kind.map(Kind::as_str),
            service_name: escape(&node.service_name),
            operation: operation.map(|name| escape(name)).unwrap_or_default(),
            summary: wrap(&sentence, DOC_INDENT + 3, DOC_INDENT),
            label: escape(&label),
            topic_assignment: topic_assignment(&event.topic),
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
