//! The method of one event.

use herald_catalog::category::{
    Argument, ArgumentType, PayloadField, PayloadType, PayloadValue, Stage,
};
use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::patterns::parts::render_into;
use crate::python::layout::WIDTH;
use crate::python::names::label;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;

/// Indentation of the docstring of a method.
const DOC_INDENT: usize = 8;
/// Indentation of the statements that publish.
const BODY_INDENT: usize = 16;

/// Values that all templates of methods print.
#[derive(Debug, Serialize)]
struct MethodView {
    event_type: String,
    /// Name of the event in log messages: `orchestration started`.
    label: String,
    operation: String,
    node_type: Option<&'static str>,
    service_name: String,
    topic_assignment: String,
    ident: String,
    summary: String,
    #[serde(flatten)]
    stage: Option<StageView>,
}

/// Values from the row of a stage.
#[derive(Debug, Serialize)]
struct StageView {
    stage: &'static str,
    log_level: &'static str,
    /// Parameters with their annotations and defaults.
    parameters: Vec<String>,
    /// Their descriptions in the docstring.
    descriptions: Vec<String>,
    payload: Vec<FieldView>,
    repeated_in_metadata: &'static [&'static str],
    has_error: bool,
    has_execution_time: bool,
}

/// A field of the payload: its name and the expression that is its value.
#[derive(Debug, Serialize)]
struct FieldView {
    name: &'static str,
    value: String,
}

/// A template and what it prints, ready to be printed again and again.
#[derive(Debug)]
pub(crate) struct PatternMethod {
    template: String,
    view: Value,
}

impl PatternMethod {
    pub(crate) fn new(node: &Node, event: &Event) -> Self {
        let template = if event.operation.is_some() {
            "operation"
        } else {
            (event.stage).map_or(event.category.key, |stage| stage.pattern)
        };
        Self {
            template: format!("patterns/event_publishing/{template}.py"),
            view: Value::from(Serde(MethodView::new(node, event))),
        }
    }

    /// Appends the method to `out`, indented as in a class.
    pub(crate) fn render_into(&self, out: &mut String) {
        render_into(out, &self.template, self.view.clone());
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
            stage: event
                .stage
                .map(|stage| StageView::new(stage, operation.map_or("", String::as_str))),
        }
    }
}

impl StageView {
    fn new(stage: &'static Stage, operation: &str) -> Self {
        let has = |name: &str| stage.arguments.iter().any(|argument| argument.name == name);
        let description = |argument: &Argument| {
            let text = format!("{}: {}", argument.name, argument.description);
            wrap(&text, DOC_INDENT + 4, DOC_INDENT + 8)
        };
        let field = |field: &PayloadField| FieldView {
            name: field.name,
            value: expression(field, operation),
        };
        Self {
            stage: stage.event_type,
            log_level: stage.log_level.as_str(),
            parameters: stage.arguments.iter().map(parameter).collect(),
            descriptions: stage.arguments.iter().map(description).collect(),
            payload: stage.payload.iter().map(field).collect(),
            repeated_in_metadata: stage.repeated_in_metadata,
            has_error: has("error"),
            has_execution_time: has("execution_time_ms"),
        }
    }
}

/// Returns a parameter with its annotation and default.
fn parameter(argument: &Argument) -> String {
    let annotation = match argument.ty {
        ArgumentType::Uuid => "UUID",
        ArgumentType::OptionalUuid => "Optional[UUID] = None",
        ArgumentType::Text => "str",
        ArgumentType::Number => "float",
        ArgumentType::Error => "Exception",
        ArgumentType::Data(_) => "dict[str, Any]",
        ArgumentType::Metadata => "Optional[dict[str, Any]] = None",
    };
    format!("{}: {annotation}", argument.name)
}

/// Returns the expression that is the value of a field.
fn expression(field: &PayloadField, operation: &str) -> String {
    match field.value {
        PayloadValue::Operation => format!("\"{}\"", escape(operation)),
        PayloadValue::NodeType => "self.node_type".to_owned(),
        PayloadValue::NodeId => "self.node_id".to_owned(),
        PayloadValue::Now => "datetime.now(UTC).isoformat()".to_owned(),
        PayloadValue::Argument(name) if field.ty == PayloadType::Uuid => format!("str({name})"),
        PayloadValue::Argument(name) => name.to_owned(),
        PayloadValue::Summary(name, _) => {
            format!("{{k: type(v).__name__ for k, v in {name}.items()}}")
        }
        PayloadValue::ErrorType => "type(error).__name__".to_owned(),
        PayloadValue::ErrorMessage => "error_message".to_owned(),
        PayloadValue::Flag(true) => "True".to_owned(),
        PayloadValue::Flag(false) => "False".to_owned(),
    }
}

/// Returns the statement that assigns the topic, on one line whatever its length.
fn topic_assignment(topic: &Topic) -> String {
    let statement = match topic {
        Topic::Literal(name) => format!("topic_name = \"{}\"", escape(name)),
        Topic::Namespaced { before, after } => format!(
            "topic_name = f\"{}{{self.default_namespace}}{}\"",
            escape(before),
            escape(after)
        ),
    };
    let fits = BODY_INDENT + statement.len() <= WIDTH;
    statement + if fits { "" } else { "  # fmt: skip" }
}
