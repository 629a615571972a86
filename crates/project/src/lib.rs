//! Reader of `herald.yaml`: settings of a project for all of its contracts.

pub mod baseline;
pub mod breaking;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use herald_catalog::imported::ImportedClasses;
use herald_catalog::load::{self, Levels, Options, Override, PROJECT_FILE};
use herald_catalog::shape::{Key, MapShape, Shape};
use herald_catalog::yaml::{self, Yaml};
use herald_catalog::{Defaults, checks, lock, read_headers, schema};
use herald_diagnostics::{Diagnostic, Location, Severity, Source, Sources, Span};
use herald_envelope::PROFILE_NAMES;
use herald_envelope::headers::NAMES as HEADER_NAMES;
use herald_envelope::schema_id::{FRAMING_NAMES, Framing, SUBJECT_STRATEGIES, SubjectStrategy};
use herald_envelope::topic::{self, TopicPattern};
use jiff::civil::Date;

use crate::breaking::{BREAKING, Breaking};

/// The keys of `herald.yaml`.
static CONFIG: MapShape = MapShape {
    name: "config",
    doc: "Settings of a Herald project for all of its contracts.",
    keys: &[
        Key::new("contracts", Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text)]), "Files, folders and globs, relative to this file. Commands without a PATH read them.").default("[\".\"]"),
        Key::new("targets", Shape::List(&Shape::Text), "Targets of `herald generate`: names, or folders with a `target.yaml`, relative to this file (`./targets/docs`).").default("[\"python\"]"),
        Key::new("templates", Shape::Text, "Folder with the project's own templates and targets, relative to this file.").default("\"herald/templates\""),
        Key::new("output", Shape::Text, "Folder for generated files, relative to this file.").default("\"generated\""),
        Key::new("python", Shape::Map(&PYTHON), "Options of generated Python."),
        Key::new("namespace", Shape::Text, "Namespace of topics of contracts that set none."),
        Key::new("topic_pattern", Shape::Text, "Pattern of topics of generated events, with `{namespace}`, `{service_name}`, `{event_type}` and `{major}`. Left out, that of the envelope profile.").default("\"{namespace}.{service_name}.{event_type}.v{major}\""),
        Key::new("envelope", Shape::Word(&PROFILE_NAMES), "Envelope profile of events of contracts that set none.").default("\"onex-v1\""),
        Key::new("headers", Shape::List(&Shape::Word(&HEADER_NAMES)), "Headers of events of contracts that set none, among those whose content is in the envelope too. Left out, all."),
        Key::new("rules", Shape::Dict(&LEVEL), "Severity of diagnostics by code."),
        Key::new("overrides", Shape::List(&Shape::Map(&OVERRIDE)), "Severity of diagnostics of some contracts; later entries win."),
        Key::new("baseline", Shape::Text, "File of known diagnostics, written by `herald check --write-baseline`, relative to this file.").default("\"herald-baseline.yaml\""),
        Key::new("workspace", Shape::List(&Shape::Text), "Contracts of the whole system, for `herald graph`: files, folders, globs and lock files, relative to this file, and `git:REF[:PATH]`, or of another repository `git:FOLDER@REF[:PATH]`."),
        Key::new("breaking", Shape::Map(&BREAKING), "What `herald breaking` reports, and exceptions from it."),
        Key::new("strict", Shape::Bool, "Whether warnings fail `herald check`.").default("false"),
        Key::new("kafka", Shape::Map(&KAFKA), "The cluster that commands connect to, unless the command line or the environment names another."),
        Key::new("schema_registry", Shape::Map(&SCHEMA_REGISTRY), "The schema registry of commands and clients, unless the command line, the program or the environment names another."),
        Key::new("lock", Shape::Text, "Lock file of the published contracts, written by `herald lock`, relative to this file; its name ends with `.lock`.").default("\"herald.lock\""),
        Key::new("spool", Shape::Text, "File of the durable local queue, relative to this file."),
    ],
};

static OVERRIDE: MapShape = MapShape {
    name: "override",
    doc: "Severity of diagnostics of some contracts.",
    keys: &[
        Key::new(
            "path",
            Shape::Text,
            "Glob of contracts, relative to this file.",
        )
        .required(),
        Key::new(
            "rules",
            Shape::Dict(&LEVEL),
            "Severity of diagnostics by code.",
        )
        .required(),
    ],
};

static LEVEL: Shape = Shape::Word(&["off", "info", "warning", "error"]);

static PYTHON: MapShape = MapShape {
    name: "python",
    doc: "Options of generated Python.",
    keys: &[
        Key::new(
            "models",
            Shape::Word(&["pydantic", "dataclass"]),
            "Base of typed models: pydantic 2, or dataclasses of the standard library.",
        )
        .default("\"pydantic\""),
        Key::new(
            "interpreter",
            Shape::Text,
            "Python interpreter of `herald import`, or its virtual environment, relative to this file. Left out, that of the active virtual environment, of `.venv` or `venv`, of Poetry, or of the system.",
        ),
        Key::new(
            "standalone",
            Shape::Bool,
            "Whether the runtime is copied beside the modules, so that they don't depend on Herald.",
        )
        .default("false"),
    ],
};

static KAFKA: MapShape = MapShape {
    name: "kafka",
    doc: "Connection to a cluster.",
    keys: &[
        Key::new(
            "bootstrap_servers",
            Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Bootstrap brokers, each `host:port`.",
        ),
        Key::new(
            "properties",
            Shape::Dict(&Shape::Scalar),
            "Properties of librdkafka, such as `security.protocol`. A secret is `env:NAME` or `file:PATH`, the path relative to this file.",
        ),
    ],
};

static SCHEMA_REGISTRY: MapShape = MapShape {
    name: "schema_registry",
    doc: "A schema registry with the interface of Confluent's. Credentials are in the environment.",
    keys: &[
        Key::new(
            "url",
            Shape::Text,
            "Address, such as `https://registry.example:8081`; that of Apicurio Registry ends with `/apis/ccompat/v7`.",
        ),
        Key::new(
            "ca",
            Shape::Text,
            "File with the certificates (PEM) that sign that of the registry, relative to this file. Left out, those that the system trusts.",
        ),
        Key::new(
            "subjects",
            Shape::Word(&SUBJECT_STRATEGIES),
            "Names of subjects: `TOPIC-value`, the record name `SERVICE.EVENT_TYPE.vMAJOR`, or `TOPIC-RECORD_NAME`.",
        )
        .default("\"topic_name\""),
        Key::new(
            "content_model",
            Shape::Word(&CONTENT_MODELS),
            "Whether registered payloads may have undeclared fields. `auto` chooses the form that the compatibility level of the subject lets grow.",
        )
        .default("\"auto\""),
        Key::new(
            "references",
            Shape::Bool,
            "Whether the schema of a topic with several events refers to subjects of the events, by their record names, instead of repeating their schemas.",
        )
        .default("false"),
        Key::new(
            "framing",
            Shape::Word(&FRAMING_NAMES),
            "Place of the schema id in published records: before the value, in the header `__value_schema_id`, or nowhere.",
        )
        .default("\"none\""),
    ],
};

/// Names of content models.
pub static CONTENT_MODELS: [&str; 3] = ["auto", "open", "closed"];

/// Returns the JSON Schema of `herald.yaml`.
pub fn json_schema() -> serde_json::Value {
    schema::of(&CONFIG, "Herald project")
}

/// A project: its folder and its settings.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The folder of `herald.yaml`; `None` without one.
    pub root: Option<PathBuf>,
    /// Files, folders and globs, as written.
    pub contracts: Vec<String>,
    /// Names of targets, or folders of them; empty when not set.
    pub targets: Vec<String>,
    /// Folder with the project's own templates, as written.
    pub templates: Option<String>,
    /// Folder for generated files, as written.
    pub output: Option<String>,
    /// Options of generated Python.
    pub python: Python,
    /// Options of the loader.
    pub options: Options,
    /// Settings of `herald breaking`.
    pub breaking: Breaking,
    /// Whether warnings fail `herald check`.
    pub strict: bool,
    /// The cluster that commands connect to.
    pub kafka: Kafka,
    /// The schema registry of commands and clients.
    pub schema_registry: SchemaRegistry,
    /// File of the durable local queue, as written.
    pub spool: Option<String>,
    /// Lock file of the published contracts, as written.
    pub lock: Option<String>,
    /// File of known diagnostics, as written.
    pub baseline: Option<String>,
    /// Contracts of the whole system, as written.
    pub workspace: Vec<String>,
    /// Text of `herald.yaml`, for diagnostics about its settings; empty without one.
    pub sources: Sources,
}

impl Project {
    /// Returns the paths of its contracts, relative to the working folder. Without a project that is
    /// the working folder itself.
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

impl Project {
    /// Returns the folder of the project, relative to the working folder; empty without a project.
    pub fn folder(&self) -> &Path {
        self.root.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns the path of the baseline.
    pub fn baseline_path(&self) -> PathBuf {
        let file = self.baseline.as_deref().unwrap_or(baseline::DEFAULT_FILE);
        self.folder().join(file)
    }

    /// Returns the path of the lock file.
    pub fn lock_path(&self) -> PathBuf {
        let file = self.lock.as_deref().unwrap_or(lock::DEFAULT_FILE);
        self.folder().join(file)
    }

    /// Returns the paths of the whole system, relative to the working folder.
    pub fn workspace_paths(&self) -> Vec<String> {
        let below = |path: &String| {
            if path.starts_with("git:") {
                path.clone()
            } else {
                shown(&self.folder().join(path))
            }
        };
        self.workspace.iter().map(below).collect()
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

/// Options of generated Python.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Python {
    /// Base of typed models; `None` when not set.
    pub models: Option<String>,
    /// Interpreter of `herald import`, as written.
    pub interpreter: Option<String>,
    /// Whether the runtime is copied beside the modules.
    pub standalone: bool,
}

/// Connection to a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kafka {
    /// Bootstrap brokers, each `host:port`; empty when not set.
    pub bootstrap_servers: Vec<String>,
    /// Properties of librdkafka in the order written, as written.
    pub properties: Vec<(String, String)>,
}

/// Settings of a schema registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaRegistry {
    /// Address, as written.
    pub url: Option<String>,
    /// File with certificates.
    pub ca: Option<PathBuf>,
    /// Names of subjects; `None` when not set.
    pub subjects: Option<SubjectStrategy>,
    /// One of [`CONTENT_MODELS`]; `None` when not set.
    pub content_model: Option<String>,
    /// Whether the schema of a topic with several events refers to subjects of the events.
    pub references: bool,
    /// Place of the schema id in published records; `None` when not set.
    pub framing: Option<Framing>,
}

/// Finds `herald.yaml` in `start` or the nearest folder above it.
pub fn find(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|path| path.is_file())
}

/// Reads the `herald.yaml` that [`find`] returns; without one, all settings are the defaults.
///
/// # Errors
/// Returns the diagnostics of an invalid file, and its text.
pub fn nearest(start: &Path) -> Result<Project, (Vec<Diagnostic>, Sources)> {
    let Some(path) = find(start) else {
        let mut project = Project::default();
        project.options.defaults.classes = Arc::new(ImportedClasses::read(start));
        return Ok(project);
    };
    // Messages show the path relative to the working folder, where that is possible.
    read(path.strip_prefix(start).unwrap_or(&path))
}

/// Reads a `herald.yaml`.
///
/// # Errors
/// Returns the diagnostics of an invalid file, and its text.
pub fn read(path: &Path) -> Result<Project, (Vec<Diagnostic>, Sources)> {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let shown = path.to_string_lossy().into_owned();
    let text = load::read_text(path).unwrap_or_else(|diagnostic| {
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
    project.options.defaults.root.clone_from(&project.root);
    project.options.defaults.classes = Arc::new(ImportedClasses::read(project.folder()));
    if diagnostics.is_empty() {
        project.sources = sources;
        return Ok(project);
    }
    // A project is not read in part: warnings of contracts are errors here.
    for diagnostic in &mut diagnostics {
        diagnostic.severity = Severity::Error;
    }
    Err((diagnostics, sources))
}

/// Whether a file sets nothing. Every key has a default, so that is a valid project.
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
    project.breaking = (tree.get("breaking"))
        .map(|breaking| Breaking::read(breaking, diagnostics))
        .unwrap_or_default();
    project.kafka = tree.get("kafka").map(read_kafka).unwrap_or_default();
    project.schema_registry = (tree.get("schema_registry"))
        .map(|registry| read_schema_registry(registry, project.folder()))
        .unwrap_or_default();
    project.spool = text("spool");
    project.lock = text("lock");
    project.baseline = text("baseline");
    project.workspace = texts(tree, "workspace");
    project.strict = tree.get("strict").and_then(Yaml::as_bool) == Some(true);
    project.options = Options {
        defaults: Defaults {
            namespace: read_namespace(tree, diagnostics),
            topic_pattern: read_pattern(tree, diagnostics),
            envelope: text("envelope").and_then(|name| name.parse().ok()),
            headers: tree.get("headers").and_then(read_headers),
            root: None,
            classes: Arc::default(),
        },
        levels: read_levels(tree, diagnostics),
        overrides: read_overrides(tree, project.root.as_deref(), diagnostics),
    };
}

/// Reads a text, or a list of texts.
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
        interpreter: (python.get("interpreter").and_then(Yaml::as_str)).map(str::to_owned),
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

fn read_schema_registry(registry: &Yaml, folder: &Path) -> SchemaRegistry {
    let text = |key: &str| registry.get(key).and_then(Yaml::as_str);
    SchemaRegistry {
        url: text("url").map(str::to_owned),
        ca: text("ca").map(|path| folder.join(path)),
        subjects: text("subjects").and_then(|name| name.parse().ok()),
        content_model: text("content_model").map(str::to_owned),
        references: registry.get("references").and_then(Yaml::as_bool) == Some(true),
        framing: text("framing").and_then(|name| name.parse().ok()),
    }
}

/// Reports a text that is not a valid glob.
fn check_glob(glob: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(text) = glob.as_str()
        && let Err(error) = globset::Glob::new(text)
    {
        let reason = error.kind().to_string();
        diagnostics.push(checks::config::invalid_glob(text, &reason, glob.location));
    }
}

/// Reads a day. Its form is checked already.
fn read_date(day: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Date> {
    let text = day.as_str()?;
    let date = text.parse().ok();
    if date.is_none() && Shape::Date.accepts(day) {
        diagnostics.push(checks::config::invalid_date(text, day.location));
    }
    date
}

fn read_namespace(tree: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let value = tree.get("namespace")?;
    let namespace = value.as_str()?;
    if let Err(reason) = topic::validate(namespace) {
        diagnostics.push(checks::config::invalid_namespace(
            &reason.to_string(),
            value.location,
        ));
    }
    Some(namespace.to_owned())
}

fn read_pattern(tree: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<TopicPattern> {
    let value = tree.get("topic_pattern")?;
    let pattern = TopicPattern::parse(value.as_str()?);
    if let Err(reason) = &pattern {
        diagnostics.push(checks::config::invalid_topic_pattern(
            &reason.to_string(),
            topic::DEFAULT_PATTERN,
            value.location,
        ));
    }
    pattern.ok()
}

fn read_overrides(
    tree: &Yaml,
    root: Option<&Path>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Override> {
    let written = tree.get("overrides").map(Yaml::items).unwrap_or_default();
    let mut overrides = Vec::new();
    for one in written {
        let levels = read_levels(one, diagnostics);
        let Some(glob) = one.get("path") else {
            continue;
        };
        check_glob(glob, diagnostics);
        let mut built = globset::GlobBuilder::new(glob.as_str().unwrap_or_default());
        if let Ok(glob) = built.literal_separator(true).build() {
            overrides.push(Override {
                glob: glob.compile_matcher(),
                root: root.map(Path::to_path_buf).unwrap_or_default(),
                levels,
            });
        }
    }
    overrides
}

fn read_levels(tree: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Levels {
    let mut levels = Levels::new();
    for (code, level) in tree.get("rules").map(Yaml::entries).unwrap_or_default() {
        match checks::by_code(&code.text) {
            None => {
                let diagnostic =
                    checks::config::unknown_rule(&code.text, code.location, diagnostics);
                diagnostics.push(diagnostic);
            }
            Some(rule) if checks::has_fixed_severity(rule) => {
                diagnostics.push(checks::config::fixed_severity(rule, code.location));
            }
            Some(_) => {}
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
    use herald_envelope::headers::HeaderSet;

    use super::*;

    fn project(text: &str) -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(PROJECT_FILE);
        std::fs::write(&path, text).expect("written");
        read(&path).unwrap_or_else(|(diagnostics, _)| panic!("{diagnostics:?}"))
    }

    #[test]
    fn a_schema_registry_has_its_files_below_the_project() {
        let registry = project(
            "schema_registry: {url: 'https://r', ca: tls/ca.pem, subjects: record_name, framing: header}",
        )
        .schema_registry;
        assert_eq!(registry.url.as_deref(), Some("https://r"));
        assert!(registry.ca.unwrap().ends_with("tls/ca.pem"));
        assert_eq!(registry.subjects, Some(SubjectStrategy::RecordName));
        assert_eq!(registry.framing, Some(Framing::Header));
        assert_eq!(registry.content_model, None);
    }

    #[test]
    fn headers_are_all_unless_some_are_named() {
        let headers = |text: &str| project(text).options.defaults.headers;
        assert_eq!(headers("strict: true"), None);
        assert_eq!(headers("headers: []"), Some(HeaderSet::NONE));
        let named = HeaderSet::of(["event_id", "event_type"]).unwrap();
        assert_eq!(headers("headers: [event_type, event_id]"), Some(named));
    }

    #[test]
    fn reads_brokers_as_text_or_list_and_keeps_order_of_properties() {
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
    fn the_cluster_is_optional() {
        let project = project("namespace: dev");
        assert_eq!((project.kafka, project.spool), (Kafka::default(), None));
    }
}
