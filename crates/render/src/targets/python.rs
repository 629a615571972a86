//! Python: one module for each node, with constants and a mixin class that publishes.
//!
//! A method needs nothing but its `self` and what the imports define, so it can also be pasted
//! into another class.

mod method;

use herald_catalog::category::CATEGORIES;
use herald_catalog::ident::pascal_case;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::file::{GeneratedFile, MARKER, is_ours};
use crate::python::layout::assignment;
use crate::python::names::{Names, sort_exports};
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::{escape, regex_literal};
use crate::targets::python::method::PyMethod;
use crate::targets::{Context, Target};
use crate::template::{RenderError, Templates};

/// The row in the table of targets.
pub static TARGET: Target = Target {
    name: "python",
    title: "Python event publishers",
    extension: "py",
    render,
};

/// What a method takes, and some more.
const BYTES_OF_A_METHOD: usize = 4096;

fn render(node: &Node, context: &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError> {
    if node.events.is_empty() {
        return Ok(Vec::new());
    }
    let contents = PyModule::new(node).module(context.templates)?;
    if !is_ours(contents.as_bytes()) {
        return Err(RenderError {
            file: "python/module.py".to_owned(),
            line: None,
            message: "the module has to begin with `{{ marker }}`, by which Herald knows its own \
                      files"
                .to_owned(),
        });
    }
    Ok(vec![GeneratedFile {
        path: format!("{}.py", module_name(node)),
        contents,
    }])
}

/// What the templates of modules print. All of it is ready to stand where it stands: names and
/// texts are escaped, statements are broken into lines.
#[derive(Debug, Serialize)]
pub(crate) struct PyModule {
    marker: String,
    version: &'static str,
    fingerprint: String,
    module_summary: String,
    class_name: String,
    class_summary: String,
    exports: Vec<String>,
    events: Vec<PyConstants>,
    categories: Vec<PyCategory>,
    redact: Vec<String>,
    uses_clock: bool,
    namespaced: bool,
    default_namespace: Option<String>,
    #[serde(skip)]
    methods: Vec<PyMethod>,
}

/// What a template prints around the methods.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    module: &'a PyModule,
    /// Whether the protocol of the client is part of it.
    protocol: bool,
    methods: &'a str,
    /// Identifies the templates of the project, where it has some for Python.
    templates: Option<&'a str>,
}

/// The constants of one event.
#[derive(Debug, Serialize)]
struct PyConstants {
    event: String,
    event_assignment: String,
    topic: String,
    topic_assignment: String,
}

/// The event types of one category, by the names of their constants.
#[derive(Debug, Serialize)]
struct PyCategory {
    key: &'static str,
    constants: Vec<String>,
}

impl PyModule {
    pub(crate) fn new(node: &Node) -> Self {
        let events = constants(node);
        let categories = CATEGORIES
            .into_iter()
            .map(|category| PyCategory {
                key: category.key,
                constants: (node.events.iter())
                    .zip(&events)
                    .filter(|(event, _)| event.category == category)
                    .map(|(_, constants)| constants.event.clone())
                    .collect(),
            })
            .collect();
        let class_name = class_name(node);
        Self {
            marker: format!("# {MARKER}"),
            version: env!("CARGO_PKG_VERSION"),
            fingerprint: node.origin.fingerprint.0.clone(),
            module_summary: module_summary(node),
            class_summary: wrap(
                &format!(
                    "Publishes the events of the node `{}`.",
                    sanitize(name(node))
                ),
                4 + 3,
                4,
            ),
            exports: exports(&events, &class_name),
            class_name,
            events,
            categories,
            redact: node
                .redact
                .iter()
                .map(|pattern| regex_literal(pattern))
                .collect(),
            uses_clock: node.events.iter().any(|event| event.declared.is_none()),
            namespaced: node.events.iter().any(|event| event.topic.is_namespaced()),
            default_namespace: node.namespace.as_deref().map(default_namespace),
            methods: node
                .events
                .iter()
                .map(|event| PyMethod::new(node, event))
                .collect(),
        }
    }

    /// The whole module.
    fn module(&self, templates: &Templates) -> Result<String, RenderError> {
        self.print(
            templates,
            "python/module.py",
            true,
            &self.joined_methods(templates, |_| true)?,
        )
    }

    /// Imports and the class: what a module needs to work, without constants and header.
    /// The methods are chosen by their places in [`Node::events`].
    pub(crate) fn standalone(
        &self,
        templates: &Templates,
        is_chosen: impl Fn(usize) -> bool,
    ) -> Result<String, RenderError> {
        self.print(
            templates,
            "python/standalone.py",
            true,
            &self.joined_methods(templates, is_chosen)?,
        )
    }

    /// What the methods need around them when they stand in another class.
    pub(crate) fn imports(&self, templates: &Templates) -> Result<String, RenderError> {
        self.print(templates, "python/imports.py", false, "")
    }

    /// The chosen methods, indented as in a class, an empty line between them.
    pub(crate) fn methods(
        &self,
        templates: &Templates,
        is_chosen: impl Fn(usize) -> bool,
    ) -> Result<String, RenderError> {
        Ok(allow_long_lines(self.joined_methods(templates, is_chosen)?))
    }

    fn joined_methods(
        &self,
        templates: &Templates,
        is_chosen: impl Fn(usize) -> bool,
    ) -> Result<String, RenderError> {
        let mut methods = String::with_capacity(self.methods.len() * BYTES_OF_A_METHOD);
        for (index, method) in self.methods.iter().enumerate() {
            if !is_chosen(index) {
                continue;
            }
            if !methods.is_empty() {
                methods.push('\n');
            }
            method.render_into(&mut methods, templates)?;
        }
        Ok(methods)
    }

    /// The method of one event, by its place in [`Node::events`].
    pub(crate) fn method(
        &self,
        index: usize,
        templates: &Templates,
    ) -> Result<String, RenderError> {
        let mut method = String::new();
        self.methods[index].render_into(&mut method, templates)?;
        Ok(allow_long_lines(method))
    }

    fn print(
        &self,
        templates: &Templates,
        template: &str,
        protocol: bool,
        methods: &str,
    ) -> Result<String, RenderError> {
        let mut code = String::new();
        let view = Value::from(Serde(Printed {
            module: self,
            protocol,
            methods: methods.trim_end(),
            templates: templates.overridden(),
        }));
        templates.render_into(&mut code, template, view)?;
        Ok(allow_long_lines(code))
    }
}

/// The docstring of the module.
fn module_summary(node: &Node) -> String {
    let sentence = format!("Event publishers of the node `{}`.", sanitize(name(node)));
    // Six quotes: where the sentence is all there is, those at its end stay on its line.
    let mut parts = vec![wrap(&sentence, 6, 0)];
    if let Some(description) = &node.description {
        parts.extend(paragraphs(description, 0));
    }
    let mut summary = join(&parts, 0);
    if summary.contains('\n') {
        summary.push('\n');
    }
    summary
}

/// Constants of event types and topics, in the order of [`Node::events`].
fn constants(node: &Node) -> Vec<PyConstants> {
    let mut names = Names::new(&["EVENT_CATALOG"]);
    let mut constants = |event: &Event| {
        let ident = event.ident.to_ascii_uppercase();
        let name = names.give(format!("EVENT_{ident}"));
        let topic_name = names.give(format!("TOPIC_{ident}"));
        let topic = match &event.topic {
            Topic::Literal(name) => escape(name),
            Topic::Namespaced { before, after } => {
                format!("{}{{namespace}}{}", escape(before), escape(after))
            }
        };
        PyConstants {
            event_assignment: assignment(0, &format!("{name}: Final"), &escape(&event.event_type)),
            event: name,
            topic_assignment: assignment(0, &format!("{topic_name}: Final"), &topic),
            topic: topic_name,
        }
    };
    node.events.iter().map(&mut constants).collect()
}

/// The attribute of the class, with the contract's namespace for its value.
fn default_namespace(namespace: &str) -> String {
    assignment(4, "default_namespace: str", &escape(namespace))
}

/// What `from module import *` gives.
fn exports(constants: &[PyConstants], class_name: &str) -> Vec<String> {
    let mut exports: Vec<_> = ["EVENT_CATALOG", "TOPICS", "KafkaClient", class_name]
        .into_iter()
        .map(str::to_owned)
        .chain(
            constants
                .iter()
                .flat_map(|event| [event.event.clone(), event.topic.clone()]),
        )
        .collect();
    sort_exports(&mut exports);
    exports
}

/// As people know the node.
fn name(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}

fn class_name(node: &Node) -> String {
    let name = pascal_case(name(node));
    let prefix = if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        ""
    } else {
        "Node"
    };
    format!("{prefix}{name}EventPublisher")
}

/// What the module is called, made importable. Slugs don't begin with an underscore, so that
/// no two of them give the same name.
fn module_name(node: &Node) -> String {
    let slug = &node.identity.slug;
    if slug.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{slug}_events")
    } else {
        format!("{slug}_events")
    }
}
