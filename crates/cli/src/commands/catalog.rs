//! `herald catalog`: lists the events that contracts publish.

use std::fmt::Write as _;

use herald_catalog::category::CATEGORIES;
use herald_catalog::load::Loaded;
use herald_catalog::{Event, Node};
use herald_diagnostics::render::visible_line;
use serde_json::{Map, Value, json};

use crate::args::{Catalog, CatalogFormat};
use crate::format::count;
use crate::terminal::{self, BOLD, DIM};
use crate::{Error, ExitStatus, output, project};

/// Runs the command.
pub fn run(args: &Catalog) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut loaded = project::load_or_describe(&project, &args.paths, &args.node)?;
    let view = View {
        topics: args.topics,
        namespace: &args.namespace,
    };
    match args.format {
        CatalogFormat::Table => output::text(&view.tables(&loaded))?,
        CatalogFormat::Markdown => output::text(&view.markdown(&loaded))?,
        CatalogFormat::Json => output::json(&view.document(&loaded))?,
        CatalogFormat::Yaml => output::yaml(&view.document(&loaded))?,
    }
    terminal::print_errors(&mut loaded);
    Ok(if loaded.has_errors() {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

struct View<'a> {
    topics: bool,
    namespace: &'a str,
}

impl View<'_> {
    fn topic(&self, node: &Node, event: &Event) -> String {
        event
            .topic
            .in_namespace(node.namespace.as_deref().unwrap_or(self.namespace))
    }

    /// One contract gives its catalog, several give a list.
    fn document(&self, loaded: &Loaded) -> Value {
        match loaded.catalog.nodes.as_slice() {
            [node] => Value::Object(self.categories(node)),
            nodes => nodes
                .iter()
                .map(|node| {
                    let mut entry = Map::new();
                    entry.insert("node".to_owned(), json!(title(node)));
                    entry.extend(self.categories(node));
                    Value::Object(entry)
                })
                .collect(),
        }
    }

    fn categories(&self, node: &Node) -> Map<String, Value> {
        CATEGORIES
            .iter()
            .map(|category| {
                let events = node.events_of(category).map(|event| {
                    if self.topics {
                        json!({"event_type": event.event_type, "topic": self.topic(node, event)})
                    } else {
                        json!(event.event_type)
                    }
                });
                (category.key.to_owned(), events.collect())
            })
            .collect()
    }

    /// Text format: a block for each node with its events by category.
    fn tables(&self, loaded: &Loaded) -> String {
        let mut text = String::new();
        for node in &loaded.catalog.nodes {
            let kind = node
                .kind
                .map_or("unknown kind", herald_catalog::kind::Kind::as_str);
            let events = count(node.events.len(), "event");
            let _ = writeln!(
                text,
                "{BOLD}{}{BOLD:#}  {DIM}{kind}, {events}{DIM:#}",
                visible_line(title(node))
            );
            let width = node
                .events
                .iter()
                .map(|e| visible_line(&e.event_type).chars().count())
                .max();
            let width = width.unwrap_or_default();
            for category in CATEGORIES {
                for (index, event) in node.events_of(category).enumerate() {
                    if index == 0 {
                        let _ = writeln!(text, "  {DIM}{}{DIM:#}", category.title);
                    }
                    let event_type = visible_line(&event.event_type);
                    if self.topics {
                        let topic = self.topic(node, event);
                        let _ = writeln!(text, "    {event_type:width$}  {}", visible_line(&topic));
                    } else {
                        let _ = writeln!(text, "    {event_type}");
                    }
                }
            }
            text.push('\n');
        }
        text
    }

    fn markdown(&self, loaded: &Loaded) -> String {
        let mut text = String::new();
        for node in &loaded.catalog.nodes {
            let _ = writeln!(text, "## {}\n", escape(title(node)));
            if let Some(description) = &node.description {
                let _ = writeln!(text, "{}\n", escape(description.trim()));
            }
            if node.events.is_empty() {
                text.push_str("No events.\n\n");
                continue;
            }
            text.push_str(if self.topics {
                "| category | event type | topic |\n| --- | --- | --- |\n"
            } else {
                "| category | event type |\n| --- | --- |\n"
            });
            for event in &node.events {
                let _ = write!(
                    text,
                    "| {} | {} |",
                    event.category.title,
                    code(&event.event_type)
                );
                if self.topics {
                    let _ = write!(text, " {} |", code(&self.topic(node, event)));
                }
                text.push('\n');
            }
            text.push('\n');
        }
        text
    }
}

/// Returns the name of a node, or a placeholder.
fn title(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}

/// Text of a contract in Markdown: never a heading, a link or a tag.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible_line(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text of a contract as code in a table's cell.
pub fn code(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '`' | '|' | '\\'));
    if plain {
        format!("`{text}`")
    } else {
        escape(text)
    }
}
