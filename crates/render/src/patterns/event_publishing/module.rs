//! Module and methods of the generators without a contract. Each method is self-contained, so that it
//! can be copied to another class.

use herald_catalog::Node;
use serde::Serialize;

use crate::patterns::event_publishing::method::PatternMethod;
use crate::patterns::parts::render;
use crate::python::names::publisher_class;
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{sanitize, wrap};

/// Capacity for the text of a method.
const BYTES_OF_A_METHOD: usize = 4096;

/// Values that the templates print. All of it is valid Python in its place.
#[derive(Debug, Serialize)]
pub(crate) struct PatternModule {
    class_name: String,
    class_summary: String,
    #[serde(skip)]
    methods: Vec<PatternMethod>,
}

/// Values that a template prints around the methods.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    module: &'a PatternModule,
    /// Whether the protocol of the client is part of it.
    protocol: bool,
    methods: &'a str,
}

impl PatternModule {
    pub(crate) fn new(node: &Node) -> Self {
        let slug = &node.identity.slug;
        let name = node.identity.name.as_deref().unwrap_or(slug);
        let sentence = format!("Publishes the events of the node `{}`.", sanitize(name));
        Self {
            class_name: publisher_class(name),
            class_summary: wrap(&sentence, 4 + 3, 4),
            methods: (node.events.iter())
                .map(|event| PatternMethod::new(node, event))
                .collect(),
        }
    }

    /// Imports and the class. The methods are chosen by their places in [`Node::events`].
    pub(crate) fn standalone(&self, is_chosen: impl Fn(usize) -> bool) -> String {
        let methods = self.joined_methods(is_chosen);
        self.print("standalone", true, &methods)
    }

    /// Returns the imports and functions that the methods need in another class.
    pub(crate) fn imports(&self) -> String {
        self.print("imports", false, "")
    }

    /// The chosen methods, indented as in a class, an empty line between them.
    pub(crate) fn methods(&self, is_chosen: impl Fn(usize) -> bool) -> String {
        allow_long_lines(self.joined_methods(is_chosen))
    }

    /// The method of one event, by its place in [`Node::events`].
    pub(crate) fn method(&self, index: usize) -> String {
        self.methods(|chosen| chosen == index)
    }

    fn joined_methods(&self, is_chosen: impl Fn(usize) -> bool) -> String {
        let mut methods = String::with_capacity(self.methods.len() * BYTES_OF_A_METHOD);
        for (index, method) in self.methods.iter().enumerate() {
            if !is_chosen(index) {
                continue;
            }
            if !methods.is_empty() {
                methods.push('\n');
            }
            method.render_into(&mut methods);
        }
        methods
    }

    fn print(&self, template: &str, protocol: bool, methods: &str) -> String {
        let view = Printed {
            module: self,
            protocol,
            methods: methods.trim_end(),
        };
        let template = format!("patterns/event_publishing/{template}.py");
        allow_long_lines(render(&template, view))
    }
}
