//! Reader of `target.yaml`, the manifest of a project's own target.

use herald_catalog::schema;
use herald_catalog::shape::{Key, MapShape, Shape};
use herald_catalog::yaml::{self, Yaml};
use herald_diagnostics::{Diagnostic, Severity, Source, Sources};

/// Name of the file that makes a folder a target.
pub const MANIFEST_FILE: &str = "target.yaml";

/// The keys of `target.yaml`.
static MANIFEST: MapShape = MapShape {
    name: "target",
    doc: "A target of the project: its templates, and the files that they become.",
    keys: &[
        Key::new(
            "description",
            Shape::Text,
            "Description in one line, for `herald templates list`.",
        )
        .required(),
        Key::new(
            "files",
            Shape::List(&Shape::Map(&FILE)),
            "The files that it writes.",
        )
        .required(),
    ],
};

static FILE: MapShape = MapShape {
    name: "file",
    doc: "A template, and the files that it becomes.",
    keys: &[
        Key::new(
            "template",
            Shape::Text,
            "Name of the template in the target's folder, without `.jinja`.",
        )
        .required(),
        Key::new(
            "each",
            Shape::Word(&["catalog", "node", "event", "topic"]),
            "The things that get a file each.",
        )
        .required(),
        Key::new(
            "path",
            Shape::Text,
            "Path of the file below the output folder; a template itself, such as `{{ node.slug }}.md`.",
        )
        .required(),
    ],
};

/// Returns the JSON Schema of `target.yaml`.
pub fn json_schema() -> serde_json::Value {
    schema::of(&MANIFEST, "Herald target")
}

/// Contents of a `target.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Description in one line.
    pub description: String,
    /// Rules of the files that it writes.
    pub files: Vec<FileRule>,
}

/// A template, and the files that it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    /// Name of the template in the target's folder, without `.jinja`.
    pub template: String,
    /// The things that get a file each.
    pub each: Each,
    /// Template of the path below the output folder.
    pub path: String,
}

/// Things that get a file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// All contracts together.
    Catalog,
    /// A contract.
    Node,
    /// An event of a contract.
    Event,
    /// A topic that contracts publish to.
    Topic,
}

impl Each {
    const ALL: [Self; 4] = [Self::Catalog, Self::Node, Self::Event, Self::Topic];

    /// The word in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Node => "node",
            Self::Event => "event",
            Self::Topic => "topic",
        }
    }

    /// Whether the file depends on all contracts.
    pub fn is_per_catalog(self) -> bool {
        matches!(self, Self::Catalog | Self::Topic)
    }
}

/// Reads a `target.yaml`; `shown` is its path in messages.
///
/// # Errors
/// Returns the diagnostics of an invalid manifest, and its text.
pub fn parse(shown: String, text: String) -> Result<Manifest, (Vec<Diagnostic>, Sources)> {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let id = sources.add(Source::new(shown, text));
    let source = sources.get(id).clone();
    let tree = yaml::parse(id, &source, &mut diagnostics);
    if let Some(tree) = &tree {
        Shape::Map(&MANIFEST).check(tree, &format!("`{MANIFEST_FILE}`"), &mut diagnostics);
    }
    match tree.as_ref().and_then(read) {
        Some(manifest) if diagnostics.is_empty() => Ok(manifest),
        _ => {
            // A manifest is not read in part: warnings of contracts are errors here.
            for diagnostic in &mut diagnostics {
                diagnostic.severity = Severity::Error;
            }
            Err((diagnostics, sources))
        }
    }
}

fn read(tree: &Yaml) -> Option<Manifest> {
    let files = tree.get("files")?.items();
    Some(Manifest {
        description: tree.get("description")?.as_str()?.to_owned(),
        files: files.iter().map(read_file).collect::<Option<_>>()?,
    })
}

fn read_file(file: &Yaml) -> Option<FileRule> {
    let text = |key: &str| file.get(key)?.as_str().map(str::to_owned);
    let each = text("each")?;
    Some(FileRule {
        template: text("template")?,
        each: Each::ALL.into_iter().find(|known| known.as_str() == each)?,
        path: text("path")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
description: Topics
files:
  - {template: topics.tf, each: topic, path: '{{ topic.name }}.tf'}
";

    #[test]
    fn reads_a_manifest() {
        let manifest = parse("target.yaml".into(), GOOD.into()).expect("it is right");
        assert_eq!(manifest.description, "Topics");
        assert_eq!(manifest.files[0].each, Each::Topic);
        assert_eq!(manifest.files[0].path, "{{ topic.name }}.tf");
    }

    #[test]
    fn reports_every_mistake_with_its_place() {
        let bad = GOOD.replace("each: topic", "each: topics, mode: x");
        let (diagnostics, _) = parse("target.yaml".into(), bad).expect_err("it is wrong");
        let messages: Vec<_> = diagnostics.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].contains("one of catalog, node, event, topic"));
        assert!(messages[1].contains("unknown key `mode`"));
        assert!(diagnostics.iter().all(|f| f.location.is_some()));
    }

    #[test]
    fn rejects_empty_manifests() {
        for text in ["", "# only a comment\n", "[]", "files: []"] {
            let (diagnostics, _) =
                parse("target.yaml".into(), text.into()).expect_err("it is wrong");
            assert!(!diagnostics.is_empty(), "{text:?}");
        }
    }
}
