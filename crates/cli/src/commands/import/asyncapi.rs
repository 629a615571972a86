//! `herald import asyncapi`: writes a contract from an AsyncAPI document.

mod document;

use std::fs;
use std::path::Path;

use herald_catalog::ident::slug;
use herald_catalog::load::{self, Loaded, Options};
use herald_catalog::yaml;
use herald_catalog::yaml_text::Text;
use herald_diagnostics::render::visible_line;
use herald_diagnostics::{Location, Source, SourceId, Sources, Span};
use serde_json::Value;

use crate::args::import::Asyncapi;
use crate::format::count;
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, output_files};

use document::{Document, Message};

/// Maximum number of characters of the contract's file name.
const MAX_NAME: usize = 100;

/// Runs the command.
pub fn run(args: &Asyncapi) -> Result<ExitStatus, Error> {
    let root = read(&args.file)?;
    let mut notes = Vec::new();
    let mut document = Document::read(&root, &mut notes).map_err(|problem| {
        Error::Message(format!(
            "`{}` can't be imported: {problem}",
            args.file.display()
        ))
    })?;
    if document.events.is_empty() && document.consumed.is_empty() {
        terminal::notes(&notes);
        return Err(Error::Message(format!(
            "`{}` has no message that the application sends, and no channel with the name of a topic that it \
             receives from",
            args.file.display()
        )));
    }
    // Titles have blanks, which topics can't have.
    let service = args.service.clone();
    let service = service.unwrap_or_else(|| slug(&document.title));
    let name: String = slug(&service).chars().take(MAX_NAME).collect();
    if name.is_empty() {
        return Err(Error::Message(
            "the title of the document gives no name; name the service with --service".to_owned(),
        ));
    }
    let (contract, copy) = (format!("{name}.yaml"), format!("{name}.asyncapi.json"));
    for path in [&contract, &copy].map(|name| args.out.join(name)) {
        if path.symlink_metadata().is_ok() {
            return Err(Error::Message(format!(
                "`{}` exists; nothing was written",
                path.display()
            )));
        }
    }
    // Read as a project of its own before anything is written.
    let folder = tempfile::tempdir()?;
    let schemas = format!("{root:#}\n");
    fs::write(folder.path().join(&copy), &schemas)?;
    let mut text = contract_text(&document, &service, &copy);
    let mut loaded = load_in(folder.path(), &contract, &text)?;
    let unreadable = unreadable_payloads(&loaded);
    if !unreadable.is_empty() {
        for event in &mut document.events {
            let reference = event
                .payload
                .as_ref()
                .map(|payload| format!("{copy}{payload}"));
            if let Some((_, problem)) = unreadable
                .iter()
                .find(|(it, _)| Some(it) == reference.as_ref())
            {
                notes.push(format!(
                    "the payload of `{}` is open: {problem}",
                    event.event_type
                ));
                event.payload = None;
            }
        }
        text = contract_text(&document, &service, &copy);
        loaded = load_in(folder.path(), &contract, &text)?;
    }
    if loaded.has_errors() {
        show_as(&mut loaded, &args.out.join(&contract));
        terminal::print_errors(&mut loaded);
        return Ok(ExitStatus::Problems);
    }
    output_files::write_text(&args.out.join(&copy), &schemas, true)?;
    output_files::write_text(&args.out.join(&contract), &text, true)?;
    terminal::notes(&notes);
    terminal::status(&format!(
        "{GREEN}wrote{GREEN:#} {} and {} {DIM}({}, {}){DIM:#}; review the contract, then run `herald check`",
        terminal::path(&args.out.join(&contract)),
        visible_line(&copy),
        count(document.events.len(), "event"),
        count(document.consumed.len(), "consumed topic"),
    ));
    Ok(ExitStatus::Success)
}

/// Reads a YAML or JSON file.
fn read(path: &Path) -> Result<Value, Error> {
    let shown = path.to_string_lossy().into_owned();
    let mut diagnostics = Vec::new();
    let text = load::read_text(path).unwrap_or_else(|diagnostic| {
        let (source, span) = (SourceId(0), Span::default());
        diagnostics.push(diagnostic.at(Location { source, span }));
        String::new()
    });
    let mut sources = Sources::default();
    let id = sources.add(Source::new(shown, text));
    let tree = if diagnostics.is_empty() {
        yaml::parse(id, &sources.get(id).clone(), &mut diagnostics)
    } else {
        None
    };
    tree.map(|tree| tree.to_json())
        .ok_or_else(|| terminal::report(diagnostics, sources))
}

fn load_in(folder: &Path, name: &str, text: &str) -> Result<Loaded, Error> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    let mut options = Options::default();
    options.defaults.root = Some(folder.to_path_buf());
    let path = path.to_string_lossy().into_owned();
    Ok(load::load(&[path], &options, &|| ()))
}

/// Returns the references to schemas that can't be read, each with the reason.
fn unreadable_payloads(loaded: &Loaded) -> Vec<(String, String)> {
    let found = loaded.diagnostics.iter().filter_map(|diagnostic| {
        let place = diagnostic
            .location
            .filter(|_| diagnostic.rule.code == "payload.unreadable")?;
        let text = &loaded.catalog.sources.get(place.source).text;
        let reference = text.get(place.span.start as usize..place.span.end as usize)?;
        let reference: String = serde_json::from_str(reference)
            .unwrap_or_else(|_| reference.trim_matches(['"', '\'']).to_owned());
        let (_, problem) = diagnostic.message.split_once("can't be read: ")?;
        Some((reference, problem.to_owned()))
    });
    found.collect()
}

/// Names the text of the contract as it will be written.
fn show_as(loaded: &mut Loaded, path: &Path) {
    let mut sources = Sources::default();
    for (_, source) in loaded.catalog.sources.iter() {
        sources.add(Source::new(path.to_string_lossy(), source.text.clone()));
    }
    loaded.catalog.sources = sources;
}

fn contract_text(document: &Document, service: &str, schemas: &str) -> String {
    let mut text =
        format!("# Written by `herald import asyncapi`. Payloads are those of {schemas}.\n");
    let mut entries = vec![
        ("node_type", Text::scalar("effect")),
        ("service_name", Text::scalar(service)),
    ];
    entries.extend(
        document
            .description
            .as_deref()
            .map(|it| ("description", Text::scalar(it))),
    );
    entries.extend(
        document
            .version
            .as_deref()
            .map(|it| ("version", Text::scalar(it))),
    );
    entries.push(("operations", Text::Inline("[]".to_owned())));
    for key in ["include_state_events", "include_metric_events"] {
        entries.push((key, Text::Inline("false".to_owned())));
    }
    if !document.events.is_empty() {
        let events = document.events.iter().map(|one| event(one, schemas));
        entries.push(("events", Text::List(events.collect())));
    }
    if !document.consumed.is_empty() {
        let topics = document.consumed.iter().map(|topic| Text::scalar(topic));
        entries.push(("consumes", Text::List(topics.collect())));
    }
    mapping(entries).write(0, &mut text);
    text
}

fn event(event: &Message, schemas: &str) -> Text {
    let mut entries = vec![("event_type", Text::scalar(&event.event_type))];
    entries.extend(
        event
            .topic
            .as_deref()
            .map(|topic| ("topic", Text::scalar(topic))),
    );
    entries.extend(
        event
            .description
            .as_deref()
            .map(|it| ("description", Text::scalar(it))),
    );
    let settings = &event.settings;
    let numbers = [
        ("partitions", settings.partitions),
        ("replication_factor", settings.replicas),
    ];
    let numbers = numbers.into_iter();
    let mut written: Vec<_> = numbers
        .filter_map(|(key, number)| Some((key, Text::number(number?))))
        .collect();
    if !settings.config.is_empty() {
        let config = settings.config.iter();
        let config = config.map(|(key, value)| (key.clone(), Text::scalar(value)));
        written.push(("config", Text::Mapping(config.collect())));
    }
    if !written.is_empty() {
        entries.push(("topic_settings", mapping(written)));
    }
    if let Some(payload) = &event.payload {
        let reference = Text::scalar(&format!("{schemas}{payload}"));
        entries.push(("payload", mapping(vec![("json_schema", reference)])));
    }
    mapping(entries)
}

fn mapping(entries: Vec<(&str, Text)>) -> Text {
    let entries = entries.into_iter();
    Text::Mapping(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}
