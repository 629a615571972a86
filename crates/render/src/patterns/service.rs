//! Complete module: a class that publishes, with the methods of several generators.

use herald_catalog::category::{Category, METRIC_EVENTS, STATE_EVENTS};
use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use serde::Serialize;

use crate::patterns::parts::part;
use crate::python::imports::Imports;
use crate::python::names::class_name;
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;

/// Parts of a module.
pub(crate) struct Service<'a> {
    pub(crate) node: &'a Node,
    /// Ending of the name of the class; no import has it.
    pub(crate) suffix: &'static str,
    /// Beginning of the docstring of the class, before the name of the node.
    pub(crate) does: &'static str,
    pub(crate) imports: Imports,
    pub(crate) decorator: String,
    pub(crate) metrics: bool,
    pub(crate) lifecycle: bool,
    pub(crate) parts: Vec<String>,
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
    decorator: String,
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
    pub(crate) fn print(mut self) -> String {
        for (module, name) in [
            ("herald.runtime", "EventPublisher"),
            ("herald.runtime", "EventClient"),
            ("herald.runtime", "EventSource"),
            ("herald.runtime", "logged_method"),
            ("herald.runtime", "MetricEvent"),
            ("typing", "Final"),
            ("uuid", "UUID"),
        ] {
            self.imports.name(module, name);
        }
        if self.lifecycle {
            self.imports.name("herald.runtime", "StateEvent");
        }
        let node = self.node;
        let name = node.identity.name.as_deref();
        let name = name.unwrap_or(&node.identity.slug);
        let sentence = format!("{} `{}`.", self.does, sanitize(name));
        let view = ServiceView {
            imports: self.imports.print(),
            class_name: class_name(name, "Node") + self.suffix,
            class_summary: wrap(&sentence, 4 + 3, 4),
            node_type: node.kind.map(Kind::as_str),
            service_name: escape(&node.service_name),
            state_changed: event(node, &STATE_EVENTS),
            metric_recorded: event(node, &METRIC_EVENTS),
            decorator: self.decorator.trim_end().to_owned(),
            metrics: self.metrics,
            lifecycle: self.lifecycle,
            parts: self.parts.join("\n").trim_end().to_owned(),
        };
        allow_long_lines(part("patterns/service.py", view))
    }
}

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
