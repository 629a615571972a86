//! Reader of lock files.

use herald_diagnostics::{Diagnostic, Source, SourceId};
use rayon::prelude::*;

use crate::category::{self, CATEGORIES, DECLARED};
use crate::checks;
use crate::contract::{Format, Located};
use crate::contract_file::version_of;
use crate::field_reader::FieldReader;
use crate::ident::ident;
use crate::instrument::Instrument;
use crate::native;
use crate::node::{Event, EventTypeSource, Fingerprint, Identity, Node, Origin};
use crate::resolve::{declared_topic, name_versions};
use crate::yaml::{self, Yaml};

use super::{SEPARATOR, VERSION, VERSION_KEY};

/// Reads the nodes of a lock file. Parts that can't be used are reported.
pub(crate) fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<Node> {
    let mut documents = documents(&source.text).into_iter();
    let (offset, head) = documents.next().unwrap_or_default();
    let Some(head) = parse(id, offset, head, diagnostics) else {
        return Vec::new();
    };
    let version = head.get(VERSION_KEY).and_then(Yaml::as_u64);
    if version != Some(u64::from(VERSION)) {
        diagnostics.push(checks::lock::not_a_lock(version, head.head()));
        return Vec::new();
    }
    let documents: Vec<_> = documents.collect();
    let read = |(offset, text): &(usize, &str)| {
        let mut diagnostics = Vec::new();
        let tree = parse(id, *offset, text, &mut diagnostics);
        (
            tree.and_then(|tree| node(&tree, &mut diagnostics)),
            diagnostics,
        )
    };
    let nodes: Vec<_> = documents.par_iter().map(read).collect();
    let mut found = Vec::with_capacity(nodes.len());
    for (node, reported) in nodes {
        found.extend(node);
        diagnostics.extend(reported);
    }
    found
}

/// The documents of the file, each with its place: one contract each, so that no limit of a file of
/// YAML applies to all of them together.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut documents = Vec::new();
    let mut start = 0;
    // A separator is a line of its own; texts that contain one are escaped by the writer.
    while let Some(at) = text[start..].find(&format!("\n{SEPARATOR}")) {
        documents.push((start, &text[start..=start + at]));
        start += at + 1 + SEPARATOR.len();
    }
    documents.push((start, &text[start..]));
    documents
}

fn parse(
    id: SourceId,
    offset: usize,
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Yaml> {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    let source = Source::new("", text);
    let mut found = Vec::new();
    let tree = yaml::parse(id, &source, &mut found);
    for mut diagnostic in found {
        let labels = diagnostic
            .labels
            .iter_mut()
            .map(|label| &mut label.location);
        for location in diagnostic.location.iter_mut().chain(labels) {
            location.span = location.span.moved(offset);
        }
        diagnostics.push(diagnostic);
    }
    let mut tree = tree?;
    tree.move_by(offset);
    Some(tree)
}

fn node(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let text = |key: &str| yaml.get(key).and_then(Yaml::as_text).map(str::to_owned);
    let (Some(slug), Some(path)) = (text("node"), text("path")) else {
        diagnostics.push(checks::lock::incomplete(
            "a contract",
            "`node` and `path`",
            yaml.head(),
        ));
        return None;
    };
    // The tolerant reader: a lock file has the fields of both formats.
    let reader = FieldReader::new(yaml, Format::Onex);
    let publishes_all = Instrument::default();
    let operations = yaml.get("operations").map(Yaml::items).unwrap_or_default();
    let metrics = yaml.get("metrics").map(Yaml::items).unwrap_or_default();
    let mut node = Node {
        identity: Identity {
            name: Some(slug.clone()),
            slug,
            contract_version: text("version").and_then(|version| version.parse().ok()),
            node_version: None,
        },
        kind: text("node_type").and_then(|word| word.parse().ok()),
        service_name: text("service_name").unwrap_or_default(),
        namespace: text("namespace"),
        envelope: text("envelope").and_then(|name| name.parse().ok()),
        headers: yaml.get("headers").and_then(native::read_headers),
        operations: operations
            .iter()
            .filter_map(|one| native::read_operation(one, &reader, &publishes_all, diagnostics))
            .collect(),
        // What is odd about them was reported when the file was written.
        states: (yaml.get("states")).map(|states| native::read_states(states, &mut Vec::new())),
        metrics: metrics
            .iter()
            .filter_map(|metric| native::read_metric(metric, diagnostics))
            .collect(),
        definitions: reader.definitions(yaml, diagnostics),
        scalars: reader.scalars(diagnostics),
        location: yaml.head(),
        origin: Origin {
            path: path.clone(),
            relative_path: path.clone(),
            fallback_name: String::new(),
            fingerprint: Fingerprint::default(),
        },
        ..Node::default()
    };
    let events = yaml.get("events").map(Yaml::items).unwrap_or_default();
    node.events = events
        .iter()
        .filter_map(|one| event(one, &node, &reader, diagnostics))
        .collect();
    name_versions(&mut node.events);
    let consumed = yaml.get("consumed").map(Yaml::items).unwrap_or_default();
    node.consumed = consumed.iter().filter_map(native::read_consumed).collect();
    Some(node)
}

fn event(
    yaml: &Yaml,
    node: &Node,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Event> {
    let text = |key: &str| yaml.get(key).and_then(Located::read);
    let (Some(event_type), Some(topic)) = (text("event_type"), text("topic")) else {
        let what = "`event_type` and `topic`";
        diagnostics.push(checks::lock::incomplete("an event", what, yaml.head()));
        return None;
    };
    let mut event = Event {
        category: &DECLARED,
        stage: None,
        operation: None,
        ident: ident(&event_type.value),
        version: native::read_number(yaml, "version").unwrap_or_else(|| version_of(&topic.value)),
        topic: declared_topic(&topic.value),
        description: None,
        declared: None,
        location: event_type.location,
        topic_location: topic.location,
        event_type: event_type.value,
    };
    let Some(stage) = text("stage") else {
        let written = native::read_event(yaml, reader, diagnostics)?;
        let mut declared = written.declared;
        let source = text("event_type_source");
        declared.event_type_source = match source.as_ref().map(|source| source.value.as_str()) {
            Some("derived") => EventTypeSource::Derived,
            Some("verbatim") => EventTypeSource::Verbatim,
            _ => EventTypeSource::Declared,
        };
        declared.partition_key = written.partition_key.map(|key| key.value);
        event.declared = Some(declared);
        return Some(event);
    };
    let Some(known) = category::stages().find(|known| known.pattern == stage.value) else {
        diagnostics.push(checks::lock::unknown_stage(&stage));
        return None;
    };
    let of_stage = CATEGORIES
        .into_iter()
        .find(|one| one.stages.contains(&known));
    let operation = text("operation").map(|name| name.value);
    event.category = of_stage?;
    event.stage = Some(known);
    event.operation = node
        .operations
        .iter()
        .position(|one| Some(&one.name) == operation.as_ref());
    event.ident = known.ident_of(event.operation.map(|at| node.operations[at].ident.as_str()));
    Some(event)
}
