//! Contracts of the ONEX platform.
//!
//! The platform's own strict models accept almost none of the files that it runs on, so nothing is
//! required here: unknown keys are fine, and a bad part is a diagnostic while the rest is read.
//! Each fact has many spellings; the tables of `operations`, `topics` and `states` list them.

use herald_diagnostics::Diagnostic;

use crate::checks;
use crate::contract::{Format, Located};
use crate::contract_file::ContractFile;
use crate::field_reader::FieldReader;
use crate::fields::{Field, Privacy};
use crate::imported::PythonClass;
use crate::kind::Kind;
use crate::node::{Identity, Node};
use crate::payload::{Payload, Surroundings};
use crate::version::Version;
use crate::yaml::Yaml;

mod operations;
mod states;
pub(crate) mod topics;

/// Keys of the node's name; the first one with a text counts.
const NAME_KEYS: &[&str] = &["name", "contract_name", "node_name"];

/// Keys of the contract's version; the first one with a version counts.
const CONTRACT_VERSION_KEYS: &[&str] = &["contract_version", "version"];

/// Reads an ONEX contract.
pub(crate) fn read<'a>(
    yaml: &'a Yaml,
    surroundings: Surroundings<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> ContractFile {
    let reader = FieldReader::new(yaml, Format::Onex).within(surroundings);
    let events = topics::read_published(yaml, &reader, diagnostics);
    let input = read_model(yaml, "input_model", "Input", &reader, diagnostics);
    let output = read_model(yaml, "output_model", "Output", &reader, diagnostics);
    ContractFile {
        name: yaml.first_str(NAME_KEYS).and_then(Located::read),
        topic_version: crate::native::read_number(yaml, "topic_version"),
        state_events: true,
        metric_events: true,
        events,
        terminal_topics: topics::read_terminal(yaml),
        routes: operations::read_routes(yaml),
        node: Node {
            format: Format::Onex,
            identity: Identity {
                contract_version: CONTRACT_VERSION_KEYS
                    .iter()
                    .find_map(|key| yaml.get(key).and_then(read_version)),
                node_version: yaml.get("node_version").and_then(read_version),
                ..Identity::default()
            },
            kind: read_kind(yaml, diagnostics),
            description: text(yaml, "description"),
            operations: operations::read(yaml),
            states: states::read(yaml, diagnostics),
            consumed: topics::read_consumed(yaml),
            inputs: read_fields(yaml, "inputs", input.fields, &reader, diagnostics),
            outputs: read_fields(yaml, "outputs", output.fields, &reader, diagnostics),
            classes: input.class.into_iter().chain(output.class).collect(),
            definitions: reader.definitions(yaml, diagnostics),
            scalars: reader.scalars(diagnostics),
            location: yaml.head(),
            ..Node::default()
        },
        ..ContractFile::default()
    }
}

fn read_kind(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Kind> {
    if let Some(node_type) = yaml.get("node_type")
        && let Some(word) = node_type.as_text()
    {
        let kind = Kind::from_onex(word);
        if kind.is_none() {
            diagnostics.push(checks::kind::unknown_in_onex(word, node_type.location));
        }
        return kind;
    }
    let archetype = yaml.at(&["descriptor", "node_archetype"]);
    let kind = archetype.and_then(Yaml::as_str).and_then(Kind::from_onex);
    diagnostics.push(match (archetype, kind) {
        (Some(archetype), Some(kind)) => {
            checks::kind::taken_from_archetype(kind, archetype.location)
        }
        _ => checks::kind::missing_in_onex(yaml.head()),
    });
    kind
}

fn read_fields(
    yaml: &Yaml,
    key: &str,
    of_model: Vec<Field>,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Field> {
    yaml.get(key).map_or(of_model, |fields| {
        reader.fields(fields, Privacy::Private, diagnostics)
    })
}

/// Reads the fields of the model of the node's input or output, if it was imported.
fn read_model(
    yaml: &Yaml,
    key: &str,
    owner: &str,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Payload {
    let class = yaml.get(key).and_then(python_class);
    class.map_or_else(Payload::default, |class| {
        reader.class(owner, class, Privacy::Private, diagnostics)
    })
}

/// Returns the class of a model that is written as `{name, module}`.
fn python_class(yaml: &Yaml) -> Option<PythonClass> {
    let text = |key: &str| yaml.get(key).and_then(Yaml::as_str);
    PythonClass::new(text("module")?, text("name")?, yaml.head())
}

/// Reads anything that begins with a number; other versions are left out.
fn read_version(yaml: &Yaml) -> Option<Version> {
    if yaml.is_mapping() {
        Version::read_parts(yaml)
    } else {
        yaml.as_text()?.parse().ok()
    }
}

fn text(yaml: &Yaml, key: &str) -> Option<String> {
    yaml.get(key).and_then(Yaml::as_text).map(str::to_owned)
}

fn items<'a>(yaml: &'a Yaml, path: &[&str]) -> &'a [Yaml] {
    yaml.at(path).map(Yaml::items).unwrap_or_default()
}

fn texts(yaml: Option<&Yaml>) -> Vec<Located<String>> {
    let items = yaml.map(Yaml::items).unwrap_or_default();
    items.iter().filter_map(Located::read).collect()
}
