//! Page of all events in Markdown, which a team commits beside its code.
//!
//! It depends on the contracts only, so that it changes when they do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use herald_catalog::contract::TopicSettings;
use herald_catalog::fields::{Field, Limits, Privacy, Type};
use herald_catalog::kind::Kind;
use herald_catalog::topics::namespace_of;
use herald_catalog::{Catalog, Declared, Event, Node};
use herald_graph::Graph;
use herald_render::MARKER;

use super::{code, escape, title};

/// Returns the page.
pub(super) fn page(catalog: &Catalog, namespace: &str) -> String {
    let page = Page {
        graph: Graph::new(catalog),
        namespace,
    };
    let mut text = format!("<!-- {MARKER} -->\n\n# Events\n\n");
    page.topics(&mut text);
    for node in &catalog.nodes {
        page.node(&mut text, node);
    }
    text
}

struct Page<'a> {
    graph: Graph<'a>,
    namespace: &'a str,
}

impl Page<'_> {
    /// The topics that contracts name, with those who publish and consume them.
    fn topics(&self, text: &mut String) {
        let topics = self.graph.topics.iter().filter(|topic| topic.is_declared());
        let rows = topics.map(|topic| {
            let types = topic.event_types().into_iter().map(code);
            let types = types.collect::<Vec<_>>().join(", ");
            let cells = [
                code(&topic.name),
                types,
                self.names(&topic.producers()),
                self.names(&topic.consumers()),
            ];
            cells.map(or_dash)
        });
        table(
            text,
            ["topic", "event types", "published by", "consumed by"],
            rows,
        );
    }

    fn names(&self, nodes: &BTreeSet<usize>) -> String {
        let names = nodes.iter().map(|node| escape(&self.graph.names[*node]));
        names.collect::<Vec<_>>().join(", ")
    }

    fn node(&self, text: &mut String, node: &Node) {
        let _ = writeln!(text, "## {}\n", escape(title(node)));
        description(text, node.description.as_deref());
        let kind = node.kind.map_or("node of an unknown kind", Kind::as_str);
        let version = node.identity.contract_version.as_ref();
        let version =
            version.map_or_else(String::new, |it| format!(", version {}", escape(&it.text)));
        let contract = code(&node.origin.relative_path);
        let _ = writeln!(text, "{kind}, contract {contract}{version}\n");
        for (event, declared) in node.declared() {
            self.event(text, node, event, declared);
        }
        let others: Vec<_> = node
            .events
            .iter()
            .filter(|it| it.declared.is_none())
            .collect();
        if !others.is_empty() {
            let _ = writeln!(text, "### Events of operations, states and metrics\n");
            let rows = others.into_iter().map(|event| {
                let topic = code(&self.topic(node, event));
                [
                    event.category.title.to_owned(),
                    code(&event.event_type),
                    topic,
                ]
            });
            table(text, ["category", "event type", "topic"], rows);
        }
        for operation in &node.operations {
            for (part, fields) in [("Input", &operation.input), ("Result", &operation.result)] {
                if !fields.is_empty() {
                    let _ = writeln!(text, "### {part} of {}\n", escape(&operation.name));
                    fields_table(text, fields);
                }
            }
        }
        for definition in &node.definitions {
            let _ = writeln!(text, "### Type {}\n", escape(&definition.name));
            description(text, definition.description.as_deref());
            fields_table(text, &definition.fields);
        }
        if !node.scalars.is_empty() {
            let _ = writeln!(text, "### Types of single values\n");
            let rows = node.scalars.iter().map(|scalar| {
                let open = if scalar.is_open {
                    ", more may come"
                } else {
                    ""
                };
                let ty = ty(&scalar.ty, &scalar.limits) + open;
                let about = scalar
                    .description
                    .as_deref()
                    .map_or_else(String::new, one_line);
                [code(&scalar.name), ty, about]
            });
            table(text, ["type", "values", "description"], rows);
        }
    }

    fn event(&self, text: &mut String, node: &Node, event: &Event, declared: &Declared) {
        let version = if event.version == 1 {
            String::new()
        } else {
            format!(", version {}", event.version)
        };
        let _ = writeln!(text, "### {}{version}\n", escape(&event.event_type));
        description(text, event.description.as_deref());
        let topic = self.topic(node, event);
        let _ = writeln!(text, "- topic: {}", code(&topic));
        let key = match &declared.partition_key {
            Some(field) => format!("{} of the payload", code(field)),
            None => "the correlation id".to_owned(),
        };
        let _ = writeln!(text, "- key: {key}");
        let name = event.topic.in_namespace(namespace_of(node, None));
        let found = self.graph.topics.iter().find(|it| it.name == name);
        let consumers = found
            .map(|it| self.names(&it.consumers()))
            .unwrap_or_default();
        let _ = writeln!(text, "- consumed by: {}", or_dash(consumers));
        if let Some(settings) = declared.settings.as_ref().map(settings) {
            let _ = writeln!(text, "- topic settings: {settings}");
        }
        if let Some(class) = &declared.class {
            let _ = writeln!(text, "- class: {}", code(&class.to_string()));
        }
        text.push('\n');
        if declared.payload.is_empty() {
            let open = if declared.json_schema.is_some() {
                "The payload matches a JSON Schema that is not one object with properties.\n"
            } else {
                "The payload is open.\n"
            };
            let _ = writeln!(text, "{open}");
        } else {
            fields_table(text, &declared.payload);
        }
    }

    fn topic(&self, node: &Node, event: &Event) -> String {
        let namespace = namespace_of(node, None);
        match node.namespace {
            Some(_) => event.topic.in_namespace(namespace),
            None => event.topic.in_namespace(self.namespace),
        }
    }
}

fn fields_table(text: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        text.push_str("It has no fields.\n\n");
        return;
    }
    let rows = fields.iter().map(|field| {
        let private = match field.privacy {
            Privacy::Public => "",
            Privacy::Private => ", private",
        };
        let need = match (&field.default, field.required) {
            (_, true) => "yes".to_owned(),
            (Some(default), false) if !default.is_null() => {
                format!("no, {}", code(&default.to_string()))
            }
            _ => "no".to_owned(),
        };
        let about = field
            .description
            .as_deref()
            .map_or_else(String::new, one_line);
        let ty = ty(&field.ty, &field.limits) + private;
        [code(&field.name), ty, need, about]
    });
    table(text, ["field", "type", "required", "description"], rows);
}

/// A type with its limits.
fn ty(ty: &Type, limits: &Limits) -> String {
    let number = |word: &str, limit: &Option<serde_json::Number>| {
        limit.as_ref().map(|limit| format!("{word} {limit}"))
    };
    let size = |word: &str, limit: Option<u32>, unit: &str| {
        limit.map(|limit| format!("{word} {limit} {unit}"))
    };
    let parts = [
        Some(code(&ty.to_string())),
        number("at least", &limits.minimum),
        number("more than", &limits.exclusive_minimum),
        number("at most", &limits.maximum),
        number("less than", &limits.exclusive_maximum),
        number("a multiple of", &limits.multiple_of),
        size("at least", limits.min_length, "characters"),
        size("at most", limits.max_length, "characters"),
        limits
            .pattern
            .as_deref()
            .map(|pattern| format!("matches {}", code(pattern))),
        size("at least", limits.min_items, "items"),
        size("at most", limits.max_items, "items"),
        limits.unique_items.map(|_| "no item twice".to_owned()),
        limits
            .json_schema
            .as_ref()
            .map(|_| "matches a JSON Schema".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn settings(settings: &TopicSettings) -> String {
    let number = |number: Option<u32>, unit: &str| number.map(|number| format!("{number} {unit}"));
    let counts = [
        number(settings.partitions, "partitions"),
        number(settings.replication_factor, "replicas"),
    ];
    let config = settings.config.iter();
    let config = config.map(|(key, value)| code(&format!("{key}={value}")));
    let parts: Vec<_> = counts.into_iter().flatten().chain(config).collect();
    or_dash(parts.join(", "))
}

fn description(text: &mut String, description: Option<&str>) {
    let line = description.map_or_else(String::new, one_line);
    if !line.is_empty() {
        let _ = writeln!(text, "{line}\n");
    }
}

/// A text of several lines as one line of prose.
fn one_line(text: &str) -> String {
    escape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn or_dash(cell: String) -> String {
    if cell.is_empty() {
        "–".to_owned()
    } else {
        cell
    }
}

fn table<const N: usize>(
    text: &mut String,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), " --- |".repeat(N));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
}
