//! `herald.yaml`: what a project sets for all of its contracts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use herald_diagnostics::{Diagnostic, Location, Severity, Source, Sources, Span};
use herald_envelope::topic::{self, TopicPattern};

use crate::load::{Options, PROJECT_FILE};
use crate::resolve::Defaults;
use crate::rules;
use crate::shape::{Key, MapShape, Shape};
use crate::text::{did_you_mean, quote};
use crate::yaml::{self, Yaml};

/// The keys of `herald.yaml`.
pub(crate) static CONFIG: MapShape = MapShape {
    name: "config",
    doc: "What a Herald project sets for all of its contracts.",
    keys: &[
        Key::new("contracts", Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text)]), "Files, folders and globs, relative to this file. Commands without a PATH read them.").default("[\".\"]"),
        Key::new("targets", Shape::List(&Shape::Text), "What `herald generate` writes: names of targets, or folders with a `target.yaml`, relative to this file (`./targets/docs`).").default("[\"python\"]"),
        Key::new("templates", Shape::Text, "Folder with templates and targets of your own, relative to this file.").default("\"herald/templates\""),
        Key::new("output", Shape::Text, "Folder for generated files, relative to this file.").default("\"generated\""),
        Key::new("python", Shape::Map(&PYTHON), "How generated Python should be."),
        Key::new("namespace", Shape::Text, "Namespace of topics where the contract sets none."),
        Key::new("topic_pattern", Shape::Text, "How topics of generated events are named, with `{namespace}`, `{service_name}`, `{event_type}` and `{major}`.").default("\"{namespace}.{service_name}.{event_type}.v{major}\""),
        Key::new("rules", Shape::Dict(&Shape::Word(&["off", "info", "warning", "error"])), "Severity of diagnostics by code."),
        Key::new("kafka", Shape::Map(&KAFKA), "The cluster that commands talk to, unless the command line or the environment names another."),
        Key::new("spool", Shape::Text, "File of the durable local queue, relative to this file."),
    ],
};

static PYTHON: MapShape = MapShape {
    name: "python",
    doc: "How generated Python should be.",
    keys: &[
        Key::new(
            "models",
            Shape::Word(&["pydantic", "dataclass"]),
            "What typed models are made of: models of pydantic 2, or dataclasses of the standard library.",
        )
        .default("\"pydantic\""),
        Key::new(
            "standalone",
            Shape::Bool,
            "Whether modules have the runtime in them, so that they need no Herald.",
        )
        .default("false"),
    ],
};

static KAFKA: MapShape = MapShape {
    name: "kafka",
    doc: "How to reach a cluster.",
    keys: &[
        Key::new(
            "bootstrap_servers",
            Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Some of its brokers, each `host:port`.",
        ),
        Key::new(
            "properties",
            Shape::Dict(&Shape::Scalar),
            "Properties of librdkafka, such as `security.protocol`. A secret is `env:NAME` or `file:PATH`, the path relative to this file.",
        ),
    ],
};

/// A project: its folder and what it sets.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The folder that `herald.yaml` lies in; `None` without one.
    pub root: Option<PathBuf>,
    /// Files, folders and globs, as written.
    pub contracts: Vec<String>,
    /// Names of targets, or folders of them; empty when not set.
    pub targets: Vec<String>,
    /// Folder with the project's own templates, as written.
    pub templates: Option<String>,
    /// Folder for generated files, as written.
    pub output: Option<String>,
    /// How generated Python should be.
    pub python: Python,
    /// How contracts are read.
    pub options: Options,
    /// The cluster that commands talk to.
    pub kafka: Kafka,
    /// File of the durable local queue, as written.
    pub spool: Option<String>,
}

impl Project {
    /// Where its contracts are, as seen from the working folder, which is all there is without a
    /// project.
    pub fn paths(&self) -> Vec<String> {
        let Some(root) = &self.root else {
            return vec![".".to_owned()];
        };
        if self.contracts.is_empty() {
            return vec![shown(root)];
        }
        let contracts = self.contracts.iter();
        contracts.map(|path| shown(&root.join(path))).collect()
    }
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() {
        ".".to_owned()
    } else {
        text.into_owned()
    }
}

/// How a project wants its generated Python.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Python {
    /// What models are made of; `None` when not set.
    pub models: Option<String>,
    /// Whether modules have the runtime in them.
    pub standalone: bool,
}

/// How a project reaches its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kafka {
    /// Some of its brokers, each `host:port`; empty when not set.
    pub bootstrap_servers: Vec<String>,
    /// Properties of librdkafka in the order written, as written.
    pub properties: Vec<(String, String)>,
}

/// Finds `herald.yaml` in `start` or the nearest folder above it.
pub fn find(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|path| path.is_file())
}

/// Reads the `herald.yaml` that [`find`] finds; without one, nothing is set.
///
/// # Errors
/// As [`read`].
pub fn nearest(start: &Path) -> Result<Project, (Vec<Diagnostic>, Sources)> {
    let Some(path) = find(start) else {
        return Ok(Project::default());
    };
    // In messages a path is short where it can be.
    read(path.strip_prefix(start).unwrap_or(&path))
}

/// Reads a `herald.yaml`.
///
/// # Errors
/// What is wrong with it, and the text it is wrong in.
pub fn read(path: &Path) -> Result<Project, (Vec<Diagnostic>, Sources)> {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let shown = path.to_string_lossy().into_owned();
    let text = crate::load::read_text(path).unwrap_or_else(|diagnostic| {
        diagnostics.push(*diagnostic);
        String::new()
    });
    let id = sources.add(Source::new(shown, text));
    for diagnostic in &mut diagnostics {
        diagnostic.location = Some(Location {
            source: id,
            span: Span::default(),
        });
    }
    let mut project = Project {
        root: path.parent().map(Path::to_path_buf),
        ..Project::default()
    };
    let source = sources.get(id).clone();
    if diagnostics.is_empty()
        && !has_only_comments(&source.text)
        && let Some(tree) = yaml::parse(id, &source, &mut diagnostics)
    {
        read_tree(&tree, &mut project, &mut diagnostics);
    }
    if diagnostics.is_empty() {
        return Ok(project);
    }
    // Nothing of a project is read by halves: what is a warning in a contract is an error here.
    for diagnostic in &mut diagnostics {
        diagnostic.severity = Severity::Error;
    }
    Err((diagnostics, sources))
}

/// Every key has a default, so a file that sets nothing is a project too.
fn has_only_comments(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn read_tree(tree: &Yaml, project: &mut Project, diagnostics: &mut Vec<Diagnostic>) {
    Shape::Map(&CONFIG).check(tree, &format!("`{PROJECT_FILE}`"), diagnostics);
    let text = |key: &str| tree.get(key).and_then(Yaml::as_str).map(str::to_owned);
    project.contracts = texts(tree, "contracts");
    project.targets = texts(tree, "targets");
    project.templates = text("templates");
    project.output = text("output");
    project.python = tree.get("python").map(read_python).unwrap_or_default();
    project.kafka = tree.get("kafka").map(read_kafka).unwrap_or_default();
    project.spool = text("spool");
    project.options = Options {
        defaults: Defaults {
            namespace: read_namespace(tree, diagnostics),
            topic_pattern: read_pattern(tree, diagnostics),
        },
        levels: read_levels(tree, diagnostics),
    };
}

/// One text, or a list of them.
fn texts(tree: &Yaml, key: &str) -> Vec<String> {
    let Some(value) = tree.get(key) else {
        return Vec::new();
    };
    let items = if value.is_sequence() {
        value.items()
    } else {
        std::slice::from_ref(value)
    };
    items
        .iter()
        .filter_map(Yaml::as_str)
        .map(str::to_owned)
        .collect()
}

fn read_python(python: &Yaml) -> Python {
    let models = python.get("models").and_then(Yaml::as_str);
    Python {
        models: models.map(str::to_owned),
        standalone: python.get("standalone").and_then(Yaml::as_bool) == Some(true),
    }
}

fn read_kafka(kafka: &Yaml) -> Kafka {
    let properties = kafka.get("properties").map(Yaml::entries);
    Kafka {
        bootstrap_servers: texts(kafka, "bootstrap_servers"),
        properties: properties
            .unwrap_or_default()
            .iter()
            .filter_map(|(name, value)| Some((name.text.clone(), value.as_text()?.to_owned())))
            .collect(),
    }
}

fn read_namespace(tree: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let value = tree.get("namespace")?;
    let namespace = value.as_str()?;
    if let Err(reason) = topic::validate(namespace) {
        diagnostics.push(
            Diagnostic::new(
                &rules::CONFIG_INVALID,
                format!("`namespace` can't begin a topic: {reason}"),
            )
            .at(value.location)
            .help("topics consist of letters, digits, `.`, `_` and `-`"),
        );
    }
    Some(namespace.to_owned())
}

fn read_pattern(tree: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> TopicPattern {
    let Some(value) = tree.get("topic_pattern") else {
        return TopicPattern::default();
    };
    let Some(text) = value.as_str() else {
        return TopicPattern::default();
    };
    TopicPattern::parse(text).unwrap_or_else(|reason| {
        diagnostics.push(
            Diagnostic::new(
                &rules::CONFIG_INVALID,
                format!("`topic_pattern` can't be used: {reason}"),
            )
            .at(value.location)
            .help(format!("the default is \"{}\"", topic::DEFAULT_PATTERN)),
        );
        TopicPattern::default()
    })
}

fn read_levels(
    tree: &Yaml,
    diagnostics: &mut Vec<Diagnostic>,
) -> HashMap<String, Option<Severity>> {
    let mut levels = HashMap::new();
    for (code, level) in tree.get("rules").map(Yaml::entries).unwrap_or_default() {
        if rules::by_code(&code.text).is_none() {
            let codes = rules::RULES.iter().map(|rule| rule.code);
            let help = did_you_mean(&code.text, codes, diagnostics);
            diagnostics.push(
                Diagnostic::new(
                    &rules::CONFIG_INVALID,
                    format!("there is no rule {}", quote(&code.text)),
                )
                .at(code.location)
                .help(help.unwrap_or_else(|| "`herald explain` lists every code".to_owned())),
            );
        }
        if let Some(rule) =
            rules::by_code(&code.text).filter(|rule| rules::has_fixed_severity(rule))
        {
            diagnostics.push(
                Diagnostic::new(
                    &rules::CONFIG_INVALID,
                    format!("the level of `{}` can't be set", rule.code),
                )
                .at(code.location)
                .help("without it, something would be lost in silence"),
            );
        }
        let severity = match level.as_str() {
            Some("off") => None,
            Some("info") => Some(Severity::Info),
            Some("warning") => Some(Severity::Warning),
            Some("error") => Some(Severity::Error),
            _ => continue,
        };
        levels.insert(code.text.clone(), severity);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(PROJECT_FILE);
        std::fs::write(&path, text).expect("written");
        read(&path).unwrap_or_else(|(diagnostics, _)| panic!("{diagnostics:?}"))
    }

    #[test]
    fn the_cluster_is_text_or_a_list_and_its_properties_keep_their_order() {
        let one = project("kafka: {bootstrap_servers: 'a:9092,b:9092'}");
        assert_eq!(one.kafka.bootstrap_servers, ["a:9092,b:9092"]);
        let project = project(
            "\
kafka:
  bootstrap_servers: [a:9092, b:9092]
  properties:
    security.protocol: sasl_ssl
    sasl.password: env:ORDERS_KAFKA_PASSWORD
    socket.timeout.ms: 5000
spool: var/orders.spool
",
        );
        assert_eq!(project.kafka.bootstrap_servers, ["a:9092", "b:9092"]);
        let properties: Vec<_> = project
            .kafka
            .properties
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            properties,
            [
                "security.protocol=sasl_ssl",
                "sasl.password=env:ORDERS_KAFKA_PASSWORD",
                "socket.timeout.ms=5000",
            ]
        );
        assert_eq!(project.spool.as_deref(), Some("var/orders.spool"));
    }

    #[test]
    fn a_project_need_not_know_a_cluster() {
        let project = project("namespace: dev");
        assert_eq!((project.kafka, project.spool), (Kafka::default(), None));
    }
}
