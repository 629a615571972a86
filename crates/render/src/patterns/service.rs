//! Complete module: a class that publishes, with the methods of several generators.

use herald_catalog::category::{Category, METRIC_EVENTS, STATE_EVENTS};
use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use serde::Serialize;

use crate::patterns::lifecycle::{self, LifecyclePatternGenerator};
use crate::patterns::metrics::{self, MetricsPatternGenerator};
use crate::patterns::parts::{add_imports, render};
use crate::python::imports::Imports;
use crate::python::names::class_name;
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;

/// Parts of a module.
pub(crate) struct Service<'a> {
    /// Ending of the name of the class; no import has it.
    pub(crate) suffix: &'static str,
    /// Beginning of the docstring of the class, before the name of the node.
    pub(crate) summary: &'static str,
    pub(crate) metrics: Option<&'a MetricsPatternGenerator>,
    pub(crate) lifecycle: Option<&'a LifecyclePatternGenerator>,
}

#[derive(Serialize)]
struct ServiceView {
    imports: String,
    class_name: String,
    class_summary: String,
    node_type: Option<&'static str>,
    service_name: String,
    state_changed: EventView,
    metric_recorded: EventView,
    decorator: Option<String>,
    metrics: bool,
    lifecycle: bool,
    parts: String,
}

#[derive(Serialize)]
struct EventView {
    event_type: String,
    topic: String,
}

impl Service<'_> {
    /// The module.
    pub(crate) fn print(&self, node: &Node) -> String {
        let mut imports = Imports::default();
        let mut parts = Vec::new();
        add_imports(&mut imports, &IMPORTS);
        if let Some(generator) = self.metrics {
            add_imports(&mut imports, &metrics::IMPORTS);
            parts.extend(generator.parts());
        }
        if let Some(generator) = self.lifecycle {
            add_imports(&mut imports, &lifecycle::IMPORTS);
            imports.name("herald.runtime", "StateEvent");
            parts.extend(generator.parts());
        }
        let name = node.identity.name.as_deref();
        let name = name.unwrap_or(&node.identity.slug);
        let summary = format!("{} `{}`.", self.summary, sanitize(name));
        let decorator = self.metrics.map(MetricsPatternGenerator::decorator);
        let view = ServiceView {
            imports: imports.print(),
            class_name: class_name(name, "Node") + self.suffix,
            class_summary: wrap(&summary, 4 + 3, 4),
            node_type: node.kind.map(Kind::as_str),
            service_name: escape(&node.service_name),
            state_changed: event(node, &STATE_EVENTS),
            metric_recorded: event(node, &METRIC_EVENTS),
            decorator: decorator.map(|code| code.trim_end().to_owned()),
            metrics: self.metrics.is_some(),
            lifecycle: self.lifecycle.is_some(),
            parts: parts.join("\n").trim_end().to_owned(),
        };
        allow_long_lines(render("patterns/service.py", view))
    }
}

/// Imports of every module.
const IMPORTS: [(&str, &str); 7] = [
    ("herald.runtime", "EventPublisher"),
    ("herald.runtime", "EventClient"),
    ("herald.runtime", "EventSource"),
    ("herald.runtime", "logged_method"),
    ("herald.runtime", "MetricEvent"),
    ("typing", "Final"),
    ("uuid", "UUID"),
];

fn event(node: &Node, category: &'static Category) -> EventView {
    let mut events = node.events.iter();
    let event = events.find(|event: &&Event| event.category == category);
    let event = event.expect("a node has all events");
    EventView {
        event_type: escape(&event.event_type),
        topic: match &event.topic {
            Topic::Literal(name) => escape(name),
            Topic::Namespaced { before, after } => {
                format!("{}{{namespace}}{}", escape(before), escape(after))
            }
        },
    }
}
