//! Loader: finds and reads contracts.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use globset::GlobMatcher;
use herald_diagnostics::{Diagnostic, Location, Severity, Source, SourceId, Sources, Span};
use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::checks;
use crate::contract::Format;
use crate::node::{Catalog, Node, Origin};
use crate::payload::Surroundings;
pub use crate::payload::referenced_files;
use crate::resolve::{Defaults, resolve};
use crate::suppress::{self, Report};
use crate::yaml::{self, Yaml};
use crate::{lock, native, onex};

/// Maximum size of a contract in bytes. The largest known one has 39 KB.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Name of the file that configures a project, which is never a contract.
pub const PROJECT_FILE: &str = "herald.yaml";

/// Name of the file of known diagnostics, which is never a contract.
pub const BASELINE_FILE: &str = "herald-baseline.yaml";

/// Minimum number of files for which several threads are started.
const MIN_PARALLEL_FILES: usize = 16;

/// Options of the loader.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Settings of the project for all contracts.
    pub defaults: Defaults,
    /// Severity by the code of a rule; `None` switches the rule off.
    pub levels: Levels,
    /// Severities for some of the contracts; later ones win.
    pub overrides: Vec<Override>,
}

/// Severity by the code of a rule; `None` switches the rule off.
pub type Levels = HashMap<String, Option<Severity>>;

/// Severities for the contracts that a glob matches.
#[derive(Clone, Debug)]
pub struct Override {
    /// Glob of paths below the folder of the project.
    pub glob: GlobMatcher,
    /// The folder of the project; the working folder if it is empty.
    pub root: PathBuf,
    /// The severities.
    pub levels: Levels,
}

impl Options {
    /// Applies severities, and removes the diagnostics of rules that are off.
    fn set_levels(&self, diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
        diagnostics.retain_mut(|diagnostic| {
            let code = diagnostic.rule.code;
            let of_path = self.overrides.iter().rev().find_map(|one| {
                let level = one.levels.get(code)?;
                let source = sources.get(diagnostic.location?.source);
                one.matches(&source.path).then_some(level)
            });
            match of_path.or_else(|| self.levels.get(code)) {
                Some(None) => false,
                Some(Some(severity)) => {
                    diagnostic.severity = *severity;
                    true
                }
                None => checks::default_level(diagnostic.rule).is_some(),
            }
        });
    }
}

impl Override {
    fn matches(&self, path: &str) -> bool {
        let mut path = PathBuf::from(path.strip_prefix("./").unwrap_or(path));
        // Below the folder of the project, its path is absolute, and those of contracts may not be.
        if self.root.is_absolute()
            && path.is_relative()
            && let Ok(here) = std::env::current_dir()
        {
            path = here.join(path);
        }
        self.glob
            .is_match(path.strip_prefix(&self.root).unwrap_or(&path))
    }
}

/// Result of a run: nodes and diagnostics.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The nodes and the texts of their contracts.
    pub catalog: Catalog,
    /// All diagnostics, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// YAML files in searched folders that are not contracts.
    pub skipped: Vec<String>,
}

impl Loaded {
    /// Whether a diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Whether the paths contain no contracts at all.
    pub fn found_no_contracts(&self) -> bool {
        let nowhere = [&checks::file::NOT_FOUND, &checks::file::NO_CONTRACTS];
        self.catalog.nodes.is_empty()
            && (self.diagnostics.iter()).all(|diagnostic| nowhere.contains(&diagnostic.rule))
    }

    /// Returns the sources with errors. Nothing is generated from them.
    pub fn sources_with_errors(&self) -> HashSet<SourceId> {
        let errors = self
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error());
        errors
            .filter_map(|error| Some(error.location?.source))
            .collect()
    }
}

/// Raises nodes of one name to errors: for most commands they are a warning, but their generated
/// files would overwrite each other.
pub fn make_collisions_errors(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics {
        if diagnostic.rule == &checks::names::output_collision::RULE {
            diagnostic.severity = Severity::Error;
        }
    }
}

/// A file to read as a contract.
#[derive(Debug)]
struct Input {
    path: PathBuf,
    shown: String,
    relative: String,
    /// Whether it was found in a searched folder, so that it may be another kind of file.
    found: bool,
}

impl Input {
    /// A file that the user named.
    fn named(path: PathBuf) -> Self {
        let shown = with_slashes(&path);
        Self {
            relative: shown.clone(),
            shown,
            path,
            found: false,
        }
    }
}

/// Finds the files that `paths` mean: files, folders that are searched, and globs.
///
/// Paths that don't exist become diagnostics, each with a source of its own in `sources`.
fn find(paths: &[String], sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut report = |path: &str, diagnostic: Diagnostic| {
        let source = sources.add(Source::new(path, ""));
        let span = Span::default();
        diagnostics.push(diagnostic.at(Location { source, span }));
    };
    for path in paths {
        let as_path = Path::new(path);
        let mut unreadable = Vec::new();
        let found = if as_path.is_dir() {
            find_in_folder(as_path, &mut unreadable)
        } else if as_path.symlink_metadata().is_ok() {
            vec![Input::named(as_path.to_path_buf())]
        } else if path.contains(WILDCARDS) {
            match find_by_glob(path, &mut unreadable) {
                Ok(found) => found,
                Err(reason) => {
                    report(path, checks::file::invalid_glob(path, &reason));
                    continue;
                }
            }
        } else {
            let similar = similar_file(as_path);
            report(path, checks::file::not_found(path, similar.as_deref()));
            continue;
        };
        if found.is_empty() && unreadable.is_empty() {
            report(path, checks::file::no_contracts(path));
        }
        for (path, reason) in unreadable {
            report(&path, checks::file::unreadable("this folder", &reason));
        }
        inputs.extend(found);
    }
    let mut seen = HashSet::new();
    let mut folders = HashMap::new();
    inputs.retain(|input| {
        let path = canonical(&input.path, &mut folders);
        seen.insert(path.unwrap_or_else(|| input.path.clone()))
    });
    inputs
}

/// The path without symbolic links. `folders` are those of the paths before.
fn canonical(path: &Path, folders: &mut HashMap<PathBuf, Option<PathBuf>>) -> Option<PathBuf> {
    let (folder, name) = (path.parent()?, path.file_name()?);
    if path.symlink_metadata().ok()?.is_symlink() {
        return path.canonicalize().ok();
    }
    if !folders.contains_key(folder) {
        let shown = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        folders.insert(folder.to_owned(), shown.canonicalize().ok());
    }
    Some(folders.get(folder)?.as_ref()?.join(name))
}

/// Characters that make a path a glob.
const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

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
    Some(with_slashes(&path.with_file_name(name)))
}

/// Folders that could not be searched, each with the reason.
pub type Unreadable = Vec<(String, String)>;

/// Returns the files below a folder that pass a test, in order, without those that belong to tools.
/// Folders that can't be read are added to `unreadable`.
pub fn files_below(
    folder: &Path,
    is_wanted: impl Fn(&Path) -> bool,
    unreadable: &mut Unreadable,
) -> impl Iterator<Item = PathBuf> {
    const SKIPPED: [&str; 4] = ["node_modules", "target", "__pycache__", "venv"];
    let entries = WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            let is_skipped = name.starts_with('.') || SKIPPED.contains(&name.as_ref());
            entry.depth() == 0 || !entry.file_type().is_dir() || !is_skipped
        });
    walked(entries, unreadable)
        .filter(move |path| is_wanted(path))
        // Broken links are reported; reading a device or pipe may never end.
        .filter(|path| path.metadata().map_or(true, |metadata| metadata.is_file()))
}

fn find_in_folder(folder: &Path, unreadable: &mut Unreadable) -> Vec<Input> {
    files_below(
        folder,
        |path| is_yaml(path) && !is_settings(path),
        unreadable,
    )
    .map(|path| Input {
        shown: with_slashes(&path),
        relative: with_slashes(path.strip_prefix(folder).unwrap_or(&path)),
        found: !names_a_contract(&path),
        path,
    })
    .collect()
}

fn find_by_glob(pattern: &str, unreadable: &mut Unreadable) -> Result<Vec<Input>, String> {
    let glob = globset::GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .map_err(|error| error.kind().to_string())?
        .compile_matcher();
    // Everything before the first part with a wildcard is a folder to begin in.
    let has_wildcard = |part: &Component| part.as_os_str().to_string_lossy().contains(WILDCARDS);
    let parts: Vec<_> = Path::new(pattern).components().collect();
    let literal: PathBuf = parts
        .iter()
        .take_while(|part| !has_wildcard(part))
        .collect();
    let levels = parts.iter().skip_while(|part| !has_wildcard(part)).count();
    let base = if literal.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &literal
    };
    let walk = WalkDir::new(base).sort_by_file_name();
    let walk = if pattern.contains("**") {
        walk
    } else {
        walk.max_depth(levels)
    };
    let found = walked(walk.into_iter(), unreadable)
        .map(|path| match path.strip_prefix(".") {
            Ok(path) => path.to_path_buf(),
            Err(_) => path,
        })
        .filter(|path| glob.is_match(path) && (!path.is_dir() || is_yaml(path)));
    Ok(found.map(Input::named).collect())
}

/// Returns the paths of a walk. Folders that can't be read are added to `unreadable`.
fn walked(
    entries: impl Iterator<Item = walkdir::Result<DirEntry>>,
    unreadable: &mut Unreadable,
) -> impl Iterator<Item = PathBuf> {
    entries.filter_map(|entry| match entry {
        Ok(entry) => Some(entry.into_path()),
        Err(error) => {
            let path = error.path().map(with_slashes).unwrap_or_default();
            let reason = error.io_error().map(ToString::to_string);
            unreadable.push((
                path,
                reason.unwrap_or_else(|| "it contains itself".to_owned()),
            ));
            None
        }
    })
}

/// Whether a file belongs to Herald itself, and is not a contract.
fn is_settings(path: &Path) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name == PROJECT_FILE || name == BASELINE_FILE)
}

fn is_yaml(path: &Path) -> bool {
    has_extension(path, &["yaml", "yml"])
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let is_one = |extension: &std::ffi::OsStr| {
        extensions
            .iter()
            .any(|one| extension.eq_ignore_ascii_case(one))
    };
    path.extension().is_some_and(is_one)
}

fn names_a_contract(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().contains("contract"))
}

fn with_slashes(path: &Path) -> String {
    let path = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        path.into_owned()
    } else {
        path.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// Reads every contract that `paths` mean. A bad part or a bad file does not stop it.
///
/// `progress` is called once for each file, from any thread.
pub fn load(paths: &[String], options: &Options, progress: &(dyn Fn() + Sync)) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let inputs = find(paths, &mut sources, &mut diagnostics);
    let first = sources.len();
    let read = |(index, input): (usize, &Input)| {
        let read = read_file(SourceId(to_u32(first + index)), input, &options.defaults);
        progress();
        read
    };
    let files: Vec<FileRead> = if inputs.len() < MIN_PARALLEL_FILES {
        inputs.iter().enumerate().map(read).collect()
    } else {
        inputs.par_iter().enumerate().map(read).collect()
    };
    let mut loaded = Loaded {
        catalog: Catalog {
            nodes: Vec::new(),
            sources,
        },
        diagnostics,
        skipped: Vec::new(),
    };
    for file in files {
        if file.skipped {
            loaded.skipped.push(file.source.path.clone());
        }
        loaded.catalog.sources.add(file.source);
        loaded.diagnostics.extend(file.diagnostics);
        loaded.catalog.nodes.extend(file.nodes);
    }
    finish(loaded, options)
}

/// Reads one contract from a text, shown as `name`.
pub fn load_text(name: &str, text: &str, options: &Options) -> Loaded {
    load_text_named(name, name, text, options)
}

/// Reads the text of a lock file, shown as `name`.
pub fn load_lock_text(name: &str, text: &str) -> Loaded {
    let mut loaded = Loaded::default();
    let source = Source::new(name, text);
    loaded.catalog.nodes = lock::read::read(SourceId(0), &source, &mut loaded.diagnostics);
    loaded.catalog.sources.add(source);
    finish(loaded, &Options::default())
}

/// Reads the text of a contract that will be written to `path`.
pub fn load_text_at(path: &str, text: &str, options: &Options) -> Loaded {
    load_text_named(path, &fallback_name(Path::new(path)), text, options)
}

fn load_text_named(name: &str, fallback: &str, text: &str, options: &Options) -> Loaded {
    let id = SourceId(0);
    let mut diagnostics = Vec::new();
    let text = if text.len() as u64 > MAX_BYTES {
        let location = Location {
            source: id,
            span: Span::default(),
        };
        diagnostics.push(checks::file::too_large(&text.len().to_string(), MAX_BYTES).at(location));
        ""
    } else {
        text
    };
    let source = Source::new(name, text);
    let tree = if diagnostics.is_empty() {
        yaml::parse(id, &source, &mut diagnostics)
    } else {
        None
    };
    let node = tree.and_then(|tree| {
        let origin = Origin {
            path: name.to_owned(),
            relative_path: name.to_owned(),
            fallback_name: fallback.to_owned(),
            fingerprint: tree.fingerprint(),
        };
        read_tree(&tree, None, origin, &options.defaults, &mut diagnostics)
    });
    let mut loaded = Loaded {
        diagnostics,
        ..Loaded::default()
    };
    loaded.catalog.sources.add(source);
    loaded.catalog.nodes.extend(node);
    finish(loaded, options)
}

/// Runs the checks of all nodes together, applies the project's severities, and sorts.
fn finish(mut loaded: Loaded, options: &Options) -> Loaded {
    checks::check_catalog(&loaded.catalog.nodes, &mut loaded.diagnostics);
    let catalog = &loaded.catalog;
    suppress::apply(&mut loaded.diagnostics, &catalog.sources, Report::Odd);
    options.set_levels(&mut loaded.diagnostics, &catalog.sources);
    herald_diagnostics::sort(&mut loaded.diagnostics);
    loaded
}

/// Adds diagnostics about the contracts, with the comments and severities that apply to them.
pub fn add_diagnostics(loaded: &mut Loaded, mut found: Vec<Diagnostic>, options: &Options) {
    let catalog = &loaded.catalog;
    suppress::apply(&mut found, &catalog.sources, Report::Nothing);
    options.set_levels(&mut found, &catalog.sources);
    loaded.diagnostics.append(&mut found);
    herald_diagnostics::sort(&mut loaded.diagnostics);
}

struct FileRead {
    source: Source,
    nodes: Vec<Node>,
    diagnostics: Vec<Diagnostic>,
    skipped: bool,
}

fn read_file(id: SourceId, input: &Input, defaults: &Defaults) -> FileRead {
    let mut diagnostics = Vec::new();
    let is_lock = has_extension(&input.path, &[lock::EXTENSION]);
    let text = if is_lock {
        // Git may check it out with other line ends, and separators are whole lines.
        read_text_up_to(&input.path, lock::MAX_BYTES).map(|text| text.replace("\r\n", "\n"))
    } else {
        read_text(&input.path)
    };
    let text = text.unwrap_or_else(|diagnostic| {
        diagnostics.push((*diagnostic).at(Location {
            source: id,
            span: Span::default(),
        }));
        String::new()
    });
    let source = Source::new(input.shown.clone(), text);
    let mut read = FileRead {
        source,
        nodes: Vec::new(),
        diagnostics,
        skipped: false,
    };
    if !read.diagnostics.is_empty() {
        return read;
    }
    if is_lock {
        read.nodes = lock::read::read(id, &read.source, &mut read.diagnostics);
        return read;
    }
    let Some(tree) = yaml::parse(id, &read.source, &mut read.diagnostics) else {
        return read;
    };
    if input.found && !looks_like_a_contract(&tree) {
        read.diagnostics.clear();
        read.skipped = true;
        return read;
    }
    let origin = Origin {
        path: input.shown.clone(),
        relative_path: input.relative.clone(),
        fallback_name: fallback_name(&input.path),
        fingerprint: tree.fingerprint(),
    };
    let folder = input.path.parent();
    let node = read_tree(&tree, folder, origin, defaults, &mut read.diagnostics);
    read.nodes.extend(node);
    read
}

/// `folder` is that of the contract, if it is a file.
fn read_tree(
    tree: &Yaml,
    folder: Option<&Path>,
    origin: Origin,
    defaults: &Defaults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Node> {
    if !tree.is_mapping() {
        diagnostics.push(checks::yaml::not_a_mapping(tree));
        return None;
    }
    let file = match format_of(tree) {
        Format::Native => native::read(tree, Surroundings::new(folder, defaults), diagnostics),
        Format::Onex => onex::read(tree, Surroundings::new(folder, defaults), diagnostics),
    };
    Some(resolve(file, origin, defaults, diagnostics))
}

/// Keys that only contracts of the ONEX platform have.
const ONEX_KEYS: [&str; 8] = [
    "contract_name",
    "contract_version",
    "node_name",
    "event_bus",
    "handler_routing",
    "io_operations",
    "publish_topics",
    "published_events",
];

/// Detects the format of a contract by its keys.
fn format_of(tree: &Yaml) -> Format {
    let is_onex = |key: &yaml::Key| key.text == "name" || ONEX_KEYS.contains(&key.text.as_str());
    let keys = || tree.entries().iter().map(|(key, _)| key);
    match (
        tree.get_or_null("service_name").is_some(),
        keys().any(is_onex),
    ) {
        (true, false) => Format::Native,
        (false, true) => Format::Onex,
        // A native contract may have typos, or keys of the other format; most of its keys still
        // resemble native ones.
        _ => {
            let resembles =
                |key: &&yaml::Key| !is_onex(key) && native::CONTRACT.resembles(&key.text);
            if keys().filter(resembles).count() * 2 >= tree.entries().len() {
                Format::Native
            } else {
                Format::Onex
            }
        }
    }
}

/// Whether a YAML file that was found in a folder is a contract, by its keys.
fn looks_like_a_contract(tree: &Yaml) -> bool {
    const NATIVE_KEYS: [&str; 3] = ["node_type", "service_name", "include_state_events"];
    tree.entries().iter().any(|(key, _)| {
        NATIVE_KEYS.contains(&key.text.as_str()) || ONEX_KEYS.contains(&key.text.as_str())
    })
}

/// Returns the name of the file without its extensions, or that of its folder for `contract.yaml`.
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

/// Reads a text file of at most [`MAX_BYTES`].
///
/// # Errors
/// A diagnostic without a place.
pub fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    read_text_up_to(path, MAX_BYTES)
}

/// Reads the file of imported classes.
pub(crate) fn read_imported(path: &Path) -> Result<String, Box<Diagnostic>> {
    read_text_up_to(path, lock::MAX_BYTES)
}

fn read_text_up_to(path: &Path, max_bytes: u64) -> Result<String, Box<Diagnostic>> {
    let unreadable =
        |error: std::io::Error| Box::new(checks::file::unreadable("the file", &error.to_string()));
    let metadata = path.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Box::new(checks::file::is_a_folder()));
    }
    if metadata.len() > max_bytes {
        return Err(Box::new(checks::file::too_large(
            &metadata.len().to_string(),
            max_bytes,
        )));
    }
    // Opening a named pipe blocks until somebody writes to it. A shell's `<(command)` is one too,
    // but has a writer already.
    let has_writer = path.starts_with("/dev/fd") || path.starts_with("/proc");
    if is_named_pipe(&metadata) && !has_writer {
        return Err(Box::new(checks::file::unreadable(
            "the file",
            "it is a named pipe",
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    // A device or pipe reports no length, and may be endless.
    let file = File::open(path).map_err(unreadable)?;
    file.take(max_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Box::new(checks::file::too_large(
            &format!("more than {max_bytes}"),
            max_bytes,
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Box::new(checks::file::not_utf8(error.as_bytes(), at))
    })
}

#[cfg(unix)]
fn is_named_pipe(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_named_pipe(_: &std::fs::Metadata) -> bool {
    false
}

fn to_u32(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than four billion files")
}
