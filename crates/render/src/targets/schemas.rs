//! JSON Schemas: one file for each event whose payload the contract declares, and for the input
//! and the result of each operation, or of the node, where the contract declares them.

use herald_catalog::fields::Field;
use herald_catalog::version::Version;
use herald_catalog::{Fingerprint, Node};
use serde_json::Value;

use crate::file::{GeneratedFile, UsedNames};
use crate::json_schema::{View, document, payload_document};
use crate::targets::{BuiltInTarget, Context, Render};
use crate::template::RenderError;

/// The row in the table of targets.
pub static TARGET: BuiltInTarget = BuiltInTarget {
    name: "schemas",
    title: "JSON Schemas of payloads",
    extension: "json",
    render: Render::PerNode(render),
};

/// Maximum bytes of a name before its version and extension: file systems allow 255 in all.
const MAX_NAME_BYTES: usize = 200;

#[expect(clippy::unnecessary_wraps, reason = "targets with templates can fail")]
fn render(node: &Node, _: &Context<'_>) -> Result<Vec<GeneratedFile>, RenderError> {
    let mut files = Files {
        node,
        names: UsedNames::default(),
        written: Vec::new(),
    };
    for (event, declared) in node.declared() {
        let name = format!("{}.v{}", file_name(&event.event_type), event.version);
        let description = event.description.as_deref();
        if declared.has_payload() {
            let (title, definitions) = (&event.event_type, &node.definitions);
            let schema = payload_document(title, description, declared, definitions);
            files.add(&name, &schema);
        }
    }
    for operation in &node.operations {
        for (part, fields) in [("input", &operation.input), ("result", &operation.result)] {
            let name = format!("{}.{part}.v{}", file_name(&operation.name), version(node));
            let title = format!("{} {part}", operation.name);
            let description = operation.description.as_deref();
            files.add_fields(&name, &title, description, fields);
        }
    }
    for (part, fields) in [("input", &node.inputs), ("output", &node.outputs)] {
        let name = format!("{part}.v{}", version(node));
        let title = format!("{} {part}", node.service_name);
        files.add_fields(&name, &title, None, fields);
    }
    Ok(files.written)
}

struct Files<'a> {
    node: &'a Node,
    names: UsedNames,
    written: Vec<GeneratedFile>,
}

impl Files<'_> {
    /// Adds the schema of these fields. Without fields anything is valid, which needs no file.
    fn add_fields(&mut self, name: &str, title: &str, description: Option<&str>, fields: &[Field]) {
        if !fields.is_empty() {
            let definitions = &self.node.definitions;
            let schema = document(title, description, fields, definitions, View::Process);
            self.add(name, &schema);
        }
    }

    fn add(&mut self, name: &str, schema: &Value) {
        let path = format!(
            "{}/{}.schema.json",
            self.node.identity.slug,
            self.names.add(name)
        );
        let contents = format!("{schema:#}\n");
        self.written.push(GeneratedFile { path, contents });
    }
}

/// Converts a name to the characters that every file system accepts. A name that is too long is cut and
/// gets its fingerprint, so that it stays unique.
fn file_name(name: &str) -> String {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let usual = name.replace(|c| !is_usual(c), "_");
    let usual = usual.trim_start_matches('.');
    if usual.is_empty() {
        return "_".to_owned();
    }
    match usual
        .get(..MAX_NAME_BYTES)
        .filter(|_| usual.len() > MAX_NAME_BYTES)
    {
        Some(cut) => format!("{cut}-{}", Fingerprint::of(name.as_bytes()).0),
        None => usual.to_owned(),
    }
}

fn version(node: &Node) -> u64 {
    let version = node.identity.contract_version.as_ref();
    version.map_or(1, Version::topic_major)
}
