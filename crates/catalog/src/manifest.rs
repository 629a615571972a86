//! `target.yaml`: what a project's own target writes.

use herald_diagnostics::{Diagnostic, Severity, Source, Sources};

use crate::shape::{Key, MapShape, Shape};
use crate::yaml::{self, Yaml};

/// Name of the file that makes a folder a target.
pub const MANIFEST_FILE: &str = "target.yaml";

/// The keys of `target.yaml`.
pub(crate) static MANIFEST: MapShape = MapShape {
    name: "target",
    doc: "A target of a project's own: which files its templates become.",
    keys: &[
        Key::new(
            "description",
            Shape::Text,
            "What one gets, in a line. `herald templates list` shows it.",
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
    doc: "One template, and what it becomes.",
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
            "What there is one file for.",
        )
        .required(),
        Key::new(
            "path",
            Shape::Text,
            "Where the file goes below the output folder; a template like any other, such as `{{ node.slug }}.md`.",
        )
        .required(),
    ],
};

/// What a `target.yaml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// For people, in a line.
    pub description: String,
    /// What it writes.
    pub files: Vec<FileRule>,
}

/// One template, and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    /// In the target's folder, without `.jinja`.
    pub template: String,
    /// What there is one file for.
    pub each: Each,
    /// Template of the path below the output folder.
    pub path: String,
}

/// What a template is rendered once for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// All contracts together.
    Catalog,
    /// A contract.
    Node,
    /// An event of a contract.
    Event,
    /// A topic that is published to, whichever contracts do.
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

    /// Whether it takes all contracts to know what the file says.
    pub fn is_per_catalog(self) -> bool {
        matches!(self, Self::Catalog | Self::Topic)
    }
}

/// Reads a `target.yaml`; `shown` is its path in messages.
///
/// # Errors
/// What is wrong with it, and the text it is wrong in.
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
            // Nothing of it is read by halves, as with a project.
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
    fn a_manifest_says_what_becomes_of_templates() {
        let manifest = parse("target.yaml".into(), GOOD.into()).expect("it is right");
        assert_eq!(manifest.description, "Topics");
        assert_eq!(manifest.files[0].each, Each::Topic);
        assert_eq!(manifest.files[0].path, "{{ topic.name }}.tf");
    }

    #[test]
    fn every_mistake_is_found_with_its_place() {
        let bad = GOOD.replace("each: topic", "each: topics, mode: x");
        let (diagnostics, _) = parse("target.yaml".into(), bad).expect_err("it is wrong");
        let messages: Vec<_> = diagnostics.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].contains("one of catalog, node, event, topic"));
        assert!(messages[1].contains("unknown key `mode`"));
        assert!(diagnostics.iter().all(|f| f.location.is_some()));
    }

    #[test]
    fn nothing_is_no_manifest() {
        for text in ["", "# only a comment\n", "[]", "files: []"] {
            let (diagnostics, _) =
                parse("target.yaml".into(), text.into()).expect_err("it is wrong");
            assert!(!diagnostics.is_empty(), "{text:?}");
        }
    }
}
