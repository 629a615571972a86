//! Finding and reading contracts.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use herald_diagnostics::{Diagnostic, Location, Severity, Source, SourceId, Sources, Span};
use herald_envelope::topic;
use rayon::prelude::*;

use crate::contract::Format;
use crate::node::{Catalog, Fingerprint, Node, Origin};
use crate::resolve::{Defaults, resolve};
use crate::yaml::{self, Yaml};
use crate::{lint, native, onex, rules};

/// Bytes that a contract may have. The largest known one has 39 KB.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Name of the file that configures a project, which is never a contract.
pub const PROJECT_FILE: &str = "herald.yaml";

/// From how many files on several threads are worth starting.
const PARALLEL_FROM: usize = 16;

/// How contracts are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the project sets for all contracts.
    pub defaults: Defaults,
    /// Severity by the code of a rule; `None` switches the rule off.
    pub levels: HashMap<String, Option<Severity>>,
}

/// What a run has read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What the contracts mean, and their texts.
    pub catalog: Catalog,
    /// Everything that was noticed, by file and place.
    pub findings: Vec<Diagnostic>,
    /// YAML files in searched folders that are no contracts.
    pub skipped: Vec<String>,
}

impl Loaded {
    /// Whether a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    /// Whether a finding about this node's contract is an error.
    pub fn is_broken(&self, node: &Node) -> bool {
        self.findings.iter().any(|finding| {
            finding.is_error()
                && finding
                    .location
                    .is_some_and(|at| at.source == node.location.source)
        })
    }
}

/// A text to read as a contract.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    shown: String,
    relative: String,
    /// Found while searching a folder, so it may be something else.
    found: bool,
}

/// Finds the files that `paths` mean: files, folders that are searched, and globs.
///
/// Paths that lead nowhere become findings, each with a source of its own in `sources`.
pub fn find(paths: &[String], sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Vec<Input> {
    let mut inputs = Vec::new();
    for path in paths {
        let found = if Path::new(path).is_dir() {
            find_in_folder(Path::new(path))
        } else if Path::new(path).symlink_metadata().is_ok() {
            vec![Input {
                path: PathBuf::from(path),
                shown: slashes(Path::new(path)),
                relative: slashes(Path::new(path)),
                found: false,
            }]
        } else if path.contains(['*', '?', '[', '{']) {
            match find_by_glob(path) {
                Ok(found) => found,
                Err(reason) => {
                    let finding = Diagnostic::new(
                        &rules::FILE_NOT_FOUND,
                        format!("`{path}` is no glob: {reason}"),
                    );
                    findings.push(finding.at(nowhere(path, sources)));
                    continue;
                }
            }
        } else {
            let finding = Diagnostic::new(&rules::FILE_NOT_FOUND, format!("there is no `{path}`"));
            let finding = match similar_file(Path::new(path)) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None => finding.help("give a file, a folder or a glob"),
            };
            findings.push(finding.at(nowhere(path, sources)));
            continue;
        };
        if found.is_empty() {
            findings.push(
                Diagnostic::new(
                    &rules::FILE_NO_CONTRACTS,
                    format!("there are no contracts in `{path}`"),
                )
                .at(nowhere(path, sources))
                .help("contracts are `.yaml` or `.yml` files; `herald init` writes a first one"),
            );
        }
        inputs.extend(found);
    }
    let mut seen = HashSet::new();
    inputs.retain(|input| {
        seen.insert(
            input
                .path
                .canonicalize()
                .unwrap_or_else(|_| input.path.clone()),
        )
    });
    inputs
}

fn nowhere(path: &str, sources: &mut Sources) -> Location {
    Location {
        source: sources.add(Source::new(path, "")),
        span: Span::default(),
    }
}

fn similar_file(path: &Path) -> Option<String> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let name = herald_diagnostics::did_you_mean(
        path.file_name()?.to_str()?,
        names.iter().map(String::as_str),
    )?;
    Some(slashes(&path.with_file_name(name)))
}

fn find_in_folder(folder: &Path) -> Vec<Input> {
    walk(folder)
        .filter(|path| is_yaml(path) && path.file_name().is_none_or(|name| name != PROJECT_FILE))
        .map(|path| Input {
            shown: slashes(&path),
            relative: slashes(path.strip_prefix(folder).unwrap_or(&path)),
            found: !names_a_contract(&path),
            path,
        })
        .collect()
}

fn find_by_glob(pattern: &str) -> Result<Vec<Input>, String> {
    let glob = globset::GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .map_err(|error| error.kind().to_string())?
        .compile_matcher();
    // Everything before the first segment with a wildcard is a folder to begin in.
    let literal: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| {
            !part
                .as_os_str()
                .to_string_lossy()
                .contains(['*', '?', '[', '{'])
        })
        .collect();
    let base = if literal.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &literal
    };
    let mut found: Vec<_> = walkdir::WalkDir::new(base)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .map(|entry| {
            let path = entry.into_path();
            path.strip_prefix(".")
                .map(Path::to_path_buf)
                .unwrap_or(path)
        })
        .filter(|path| glob.is_match(path))
        .map(|path| Input {
            shown: slashes(&path),
            relative: slashes(&path),
            found: false,
            path,
        })
        .collect();
    found.retain(|input| !input.path.is_dir() || is_yaml(&input.path));
    Ok(found)
}

/// Files below a folder in a stable order, without hidden folders and those of tools.
fn walk(folder: &Path) -> impl Iterator<Item = PathBuf> {
    const SKIPPED: [&str; 4] = ["node_modules", "target", "__pycache__", "venv"];
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0
                || !(entry.file_type().is_dir()
                    && (name.starts_with('.') || SKIPPED.contains(&name.as_ref())))
        })
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
        .map(walkdir::DirEntry::into_path)
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"))
}

fn names_a_contract(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().contains("contract"))
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Reads every contract that `paths` mean. Goes on past a bad part and a bad file.
///
/// `progress` is called once for each file, from any thread.
pub fn load(paths: &[String], options: &Options, progress: &(dyn Fn() + Sync)) -> Loaded {
    let mut sources = Sources::default();
    let mut findings = Vec::new();
    let inputs = find(paths, &mut sources, &mut findings);
    let first = sources.len();
    let read = |(index, input): (usize, &Input)| {
        let read = read_file(SourceId(to_u32(first + index)), input, &options.defaults);
        progress();
        read
    };
    let files: Vec<FileRead> = if inputs.len() < PARALLEL_FROM {
        inputs.iter().enumerate().map(read).collect()
    } else {
        inputs.par_iter().enumerate().map(read).collect()
    };
    let mut loaded = Loaded {
        catalog: Catalog {
            nodes: Vec::new(),
            sources,
        },
        findings,
        skipped: Vec::new(),
    };
    for file in files {
        if file.skipped {
            loaded.skipped.push(file.source.path.clone());
        }
        loaded.catalog.sources.add(file.source);
        loaded.findings.extend(file.findings);
        loaded.catalog.nodes.extend(file.node);
    }
    finish(loaded, options)
}

/// Reads one contract from a text, shown as `name`.
pub fn load_text(name: &str, text: &str, options: &Options) -> Loaded {
    let mut loaded = Loaded::default();
    let id = loaded.catalog.sources.add(Source::new(name, text));
    let origin = Origin {
        path: name.to_owned(),
        relative_path: name.to_owned(),
        fallback_name: name.to_owned(),
        fingerprint: Fingerprint::of(text.as_bytes()),
    };
    let source = loaded.catalog.sources.get(id).clone();
    if let Some(tree) = yaml::parse(id, &source, &mut loaded.findings) {
        loaded.catalog.nodes.extend(read_tree(
            &tree,
            origin,
            &options.defaults,
            &mut loaded.findings,
        ));
    }
    finish(loaded, options)
}

/// What can only be said once everything is read.
fn finish(mut loaded: Loaded, options: &Options) -> Loaded {
    check_topic_collisions(&loaded.catalog.nodes, &mut loaded.findings);
    lint::run(&loaded.catalog.nodes, &mut loaded.findings);
    loaded
        .findings
        .retain_mut(|finding| match options.levels.get(finding.rule.code) {
            Some(None) => false,
            Some(Some(severity)) => {
                finding.severity = *severity;
                true
            }
            None => true,
        });
    herald_diagnostics::sort(&mut loaded.findings);
    loaded
}

struct FileRead {
    source: Source,
    node: Option<Node>,
    findings: Vec<Diagnostic>,
    skipped: bool,
}

fn read_file(id: SourceId, input: &Input, defaults: &Defaults) -> FileRead {
    let mut findings = Vec::new();
    let text = read_text(&input.path).unwrap_or_else(|finding| {
        findings.push(finding.at(Location {
            source: id,
            span: Span::default(),
        }));
        String::new()
    });
    let source = Source::new(input.shown.clone(), text);
    let mut read = FileRead {
        source,
        node: None,
        findings,
        skipped: false,
    };
    if !read.findings.is_empty() {
        return read;
    }
    let Some(tree) = yaml::parse(id, &read.source, &mut read.findings) else {
        return read;
    };
    if input.found && !looks_like_a_contract(&tree) {
        read.findings.clear();
        read.skipped = true;
        return read;
    }
    let origin = Origin {
        path: input.shown.clone(),
        relative_path: input.relative.clone(),
        fallback_name: fallback_name(&input.path),
        fingerprint: Fingerprint::of(read.source.text.as_bytes()),
    };
    read.node = read_tree(&tree, origin, defaults, &mut read.findings);
    read
}

fn read_tree(
    tree: &Yaml,
    origin: Origin,
    defaults: &Defaults,
    findings: &mut Vec<Diagnostic>,
) -> Option<Node> {
    if !tree.is_mapping() {
        findings.push(
            Diagnostic::new(
                &rules::YAML_NOT_A_MAPPING,
                format!("a contract is a mapping, this is {}", tree.describe()),
            )
            .at(tree.location)
            .help("begin with `node_type: …` and `service_name: …`"),
        );
        return None;
    }
    let file = match format_of(tree) {
        Format::Native => native::read(tree, findings),
        Format::Onex => onex::read(tree, findings),
    };
    Some(resolve(file, origin, defaults, findings))
}

/// Which format a contract is written in, by its keys.
fn format_of(tree: &Yaml) -> Format {
    let has = |key: &str| {
        tree.entries()
            .iter()
            .any(|(written, _)| written.text == key)
    };
    if has("service_name") {
        return Format::Native;
    }
    if ["name", "contract_name", "node_name", "contract_version"]
        .into_iter()
        .any(has)
    {
        return Format::Onex;
    }
    // Neither says who it is: a native contract with a typo resembles one in most of its keys.
    let keys = tree.entries();
    let native = keys
        .iter()
        .filter(|(key, _)| native::CONTRACT.resembles(&key.text))
        .count();
    if native * 2 >= keys.len() {
        Format::Native
    } else {
        Format::Onex
    }
}

/// Whether a YAML file that was found in a folder is meant as a contract.
fn looks_like_a_contract(tree: &Yaml) -> bool {
    const MARKS: [&str; 11] = [
        "node_type",
        "service_name",
        "contract_name",
        "contract_version",
        "node_name",
        "event_bus",
        "handler_routing",
        "published_events",
        "publish_topics",
        "io_operations",
        "include_state_events",
    ];
    tree.entries()
        .iter()
        .any(|(key, _)| MARKS.contains(&key.text.as_str()))
}

/// The file's name without its endings, or its folder's where the file is just `contract.yaml`.
fn fallback_name(path: &Path) -> String {
    let stem = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default().to_owned();
    match path.parent().and_then(Path::file_name) {
        Some(folder) if stem == "contract" => folder.to_string_lossy().into_owned(),
        _ => stem,
    }
}

pub(crate) fn read_text(path: &Path) -> Result<String, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::new(
            &rules::FILE_UNREADABLE,
            format!("the file can't be read: {error}"),
        )
    };
    let too_large = |bytes: String| {
        Diagnostic::new(
            &rules::FILE_TOO_LARGE,
            format!("the file has {bytes} bytes; a contract has at most {MAX_BYTES}"),
        )
        .help("the largest known contract has 39 KB; is this the right file?")
    };
    let metadata = path.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(
            Diagnostic::new(&rules::FILE_IS_A_FOLDER, "this is a folder, not a file")
                .help("name the folder itself to search it for contracts"),
        );
    }
    if metadata.len() > MAX_BYTES {
        return Err(too_large(metadata.len().to_string()));
    }
    let mut bytes = Vec::new();
    // A device or pipe has no length; it may not be endless either.
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(format!("more than {MAX_BYTES}")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let finding = Diagnostic::new(
            &rules::FILE_NOT_UTF8,
            format!(
                "the file is not UTF-8: byte {at}, in line {line}, is {:#04x}",
                bytes[at]
            ),
        );
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            finding.help("it is UTF-16; save it as UTF-8")
        } else {
            finding.help("save it as UTF-8")
        }
    })
}

/// Topics that Kafka's metrics take for one, within a contract and between contracts.
fn check_topic_collisions(nodes: &[Node], findings: &mut Vec<Diagnostic>) {
    let mut known: HashMap<String, (String, Location)> = HashMap::new();
    for node in nodes {
        let namespace = node
            .namespace
            .as_deref()
            .unwrap_or(topic::DEFAULT_NAMESPACE);
        for event in &node.events {
            let name = event.topic.in_namespace(namespace);
            match known.get(&topic::collision_key(&name)) {
                Some((other, location)) if *other != name => findings.push(
                    Diagnostic::new(
                        &rules::TOPIC_COLLISION,
                        format!("the topics `{other}` and `{name}` differ only in `.` and `_`"),
                    )
                    .at(event.location)
                    .label(*location, "the other one is here")
                    .help("Kafka's metrics take the two for one; rename one"),
                ),
                Some(_) => {}
                None => {
                    known.insert(topic::collision_key(&name), (name, event.location));
                }
            }
        }
    }
}

fn to_u32(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than four billion files")
}
