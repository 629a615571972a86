//! `herald catalog`: lists the events that contracts publish.

mod markdown;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use herald_catalog::category::CATEGORIES;
use herald_catalog::load::Loaded;
use herald_catalog::{Event, Node};
use herald_diagnostics::render::visible_line;
use herald_render::is_ours;
use serde_json::{Map, Value, json};

use crate::args::{Catalog, CatalogFormat};
use crate::format::count;
use crate::terminal::{self, BOLD, DIM, GREEN};
use crate::{Error, ExitStatus, lock_file, output, output_files, project};

/// Runs the command.
pub fn run(args: &Catalog) -> Result<ExitStatus, Error> {
    if args.out.is_some() && args.format != CatalogFormat::Markdown {
        return Err(Error::Message(
            "--out writes the page of `--format markdown`; redirect other formats with `>`"
                .to_owned(),
        ));
    }
    let project = project::find()?;
    let mut loaded = project::load_or_describe(&project, &args.paths, &args.node)?;
    let view = View {
        topics: args.topics,
        namespace: &args.namespace,
    };
    match args.format {
        CatalogFormat::Table => output::text(&view.tables(&loaded))?,
        CatalogFormat::Markdown => {
            if args.node.node_type.is_none() {
                lock_file::name_by_project(&mut loaded.catalog, &project)?;
            }
            let page = markdown::page(&loaded.catalog, &args.namespace);
            match &args.out {
                Some(path) => return write(path, &page, args.check, loaded),
                None => output::text(&page)?,
            }
        }
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

/// Writes the page, or compares it with the file.
fn write(path: &Path, page: &str, check: bool, mut loaded: Loaded) -> Result<ExitStatus, Error> {
    if loaded.has_errors() {
        terminal::print_errors(&mut loaded);
        return Ok(ExitStatus::Problems);
    }
    let old = match fs::read_to_string(path) {
        Ok(text) => Some(text.replace("\r\n", "\n")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("can't read `{}`: {error}", path.display());
            return Err(Error::Message(message));
        }
    };
    let shown = terminal::path(path);
    if old.as_deref() == Some(page) {
        terminal::status(&format!("{GREEN}up to date{GREEN:#}: {shown}"));
        return Ok(ExitStatus::Success);
    }
    if check {
        output::text_diff(path, old.as_deref(), page)?;
        terminal::status(&format!(
            "{shown} is stale; run the command without --check"
        ));
        return Ok(ExitStatus::Problems);
    }
    if old.as_deref().is_some_and(|old| !is_ours(old.as_bytes())) {
        return Err(Error::Message(format!(
            "`{}` was not written by Herald; name another file, or remove it",
            path.display()
        )));
    }
    output_files::write_text(path, page, old.is_none())?;
    terminal::status(&format!("{GREEN}wrote{GREEN:#} {shown}"));
    Ok(ExitStatus::Success)
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
}

/// Returns the name of a node, or a placeholder.
fn title(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}

/// Text of a contract in Markdown: never a heading, a link or a tag.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = visible_line(text);
    let mut before = "";
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        // Addresses become links without any brackets.
        let is_address = rest.starts_with("://") || (c == '.' && before.ends_with("www"));
        let is_syntax = "\\`*_[]<>|#~&!@".contains(c);
        if is_syntax || is_address {
            escaped.push('\\');
        }
        escaped.push(c);
        before = &text[..at + c.len_utf8()];
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
