//! What the generators of metrics and lifecycles have in common.

use std::collections::HashMap;

use herald_catalog::category::Category;
use herald_catalog::ident::{ident, is_meaningful};
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::patterns::InvalidArgument;
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;
use crate::template::Templates;

/// Characters of a name that becomes an identifier: so much leaves room in a line for the rest.
const LONGEST: usize = 50;

/// The identifiers of names that stand in one class.
pub(crate) fn identifiers<'a>(
    parameter: &'static str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, InvalidArgument> {
    let refused = |reason| InvalidArgument::Part { parameter, reason };
    let mut owners: HashMap<String, &str> = HashMap::new();
    let mut identifiers = Vec::new();
    for name in names {
        let identifier = ident(name).to_ascii_lowercase();
        if name.trim().is_empty() {
            return Err(refused("all names must be non-empty strings".to_owned()));
        }
        if !is_meaningful(&identifier) {
            return Err(refused(format!(
                "{name:?} can't be made an identifier; use at least one ASCII letter or digit"
            )));
        }
        if name.chars().count() > LONGEST {
            return Err(refused(format!(
                "a name has at most {LONGEST} characters, {name:?} has {}",
                name.chars().count()
            )));
        }
        if let Some(owner) = owners.insert(identifier.clone(), name) {
            return Err(refused(format!(
                "{owner:?} and {name:?} are both `{identifier}`; rename one of them"
            )));
        }
        identifiers.push(identifier);
    }
    Ok(identifiers)
}

/// A node's own event, as `herald.runtime` publishes it.
#[derive(Debug, Serialize)]
pub(crate) struct Announced {
    event_type: String,
    topic: String,
}

impl Announced {
    pub(crate) fn of(node: &Node, category: &'static Category) -> Self {
        let mut events = node.events.iter();
        let event: &Event = events
            .find(|event| event.category == category)
            .expect("a node has all events");
        let topic = match &event.topic {
            Topic::Literal(name) => escape(name),
            Topic::Namespaced { before, after } => {
                format!("{}{{namespace}}{}", escape(before), escape(after))
            }
        };
        Self {
            event_type: format!("\"{}\"", escape(&event.event_type)),
            topic: format!("\"{topic}\""),
        }
    }
}

/// The first line of a docstring at some indentation.
pub(crate) fn sentence(text: &str, indent: usize) -> String {
    wrap(&sanitize(text), indent + 3, indent)
}

/// Prints one part, as it stands in a file or in a class.
pub(crate) fn print(template: &str, view: &impl Serialize, part: &str) -> String {
    #[derive(Serialize)]
    struct Printed<'a, V> {
        part: &'a str,
        #[serde(flatten)]
        view: &'a V,
    }
    let view = Value::from(Serde(Printed { part, view }));
    let mut code = String::new();
    Templates::built_in()
        .render_into(&mut code, template, view)
        .expect("the built-in templates print every node");
    allow_long_lines(format!("{}\n", code.trim_matches('\n')))
}
