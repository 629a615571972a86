//! `herald import`: writes the schemas of Python classes that contracts refer to.

mod asyncapi;
mod interpreter;
mod process;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use herald_catalog::checks::payload::NOT_IMPORTED;
use herald_catalog::imported::{IMPORTED_FILE, ImportedClasses, PythonClass};
use herald_catalog::load::Loaded;
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::Format;
use herald_project::Project;
use serde::Deserialize;
use serde_json::Value;

use crate::args::import::{Document, Import};
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, output, output_files, project};

use interpreter::Interpreter;

/// The program that the interpreter runs.
const PROGRAM: &str = include_str!("schemas.py");

/// Answer of the program.
#[derive(Debug, Deserialize)]
struct Answer {
    version: String,
    classes: BTreeMap<String, ClassAnswer>,
}

/// Answer about one class.
#[derive(Debug, Deserialize)]
struct ClassAnswer {
    schema: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    traceback: String,
    /// Places of times that may have no time zone.
    #[serde(default)]
    may_be_local: Vec<String>,
}

/// Schemas that the code has now.
#[derive(Default)]
struct Imported {
    classes: ImportedClasses,
    /// Times that may have no time zone: their class, and their place in its schema.
    may_be_local: Vec<(String, String)>,
}

/// Runs the command.
pub fn run(args: &Import) -> Result<ExitStatus, Error> {
    if let Some(Document::Asyncapi(args)) = &args.document {
        return asyncapi::run(args);
    }
    let project = project::find()?;
    let interrupt = Interrupt::watch()?;
    // Without the classes that were imported before: nothing about them matters now.
    let mut loaded = load(&project, args, &ImportedClasses::default())?;
    let is_other = |diagnostic: &Diagnostic| diagnostic.rule != &NOT_IMPORTED;
    loaded.diagnostics.retain(is_other);
    if loaded.has_errors() {
        terminal::print_errors(&mut loaded);
        return Ok(ExitStatus::Problems);
    }
    let wanted: BTreeSet<String> = classes(&loaded).map(ToString::to_string).collect();
    let root = root_of(&project);
    let path = root.join(IMPORTED_FILE);
    let earlier = ImportedClasses::read(&root);
    let imported = if wanted.is_empty() {
        Imported::default()
    } else {
        let interpreter = interpreter::find(&project, args.python.as_deref(), &root, &interrupt)?;
        terminal::status(&format!(
            "{DIM}importing {} with {}{DIM:#}",
            count(modules(&loaded).len(), "module"),
            terminal::path(&interpreter.path)
        ));
        let Some(imported) = import(
            &interpreter,
            &wanted,
            &root,
            (args.timeout, &interrupt),
            &mut loaded,
        )?
        else {
            terminal::print_diagnostics(&loaded);
            return Ok(ExitStatus::Problems);
        };
        imported
    };
    let mut read = load(&project, args, &imported.classes)?;
    if read.has_errors() {
        terminal::print_errors(&mut read);
        return Ok(ExitStatus::Problems);
    }
    let changes = report::changes(&earlier, &imported.classes);
    let is_missing = !path.exists();
    if changes.is_empty() && earlier.problem().is_none() && (!is_missing || wanted.is_empty()) {
        let schemas = count(wanted.len(), "schema");
        terminal::status(&format!(
            "{GREEN}up to date{GREEN:#}: {} with {schemas}",
            terminal::path(&path)
        ));
        return Ok(ExitStatus::Success);
    }
    if args.check {
        output::text(&report::text(&changes))?;
        terminal::stale(&path, !is_missing, "herald import");
        return Ok(ExitStatus::Problems);
    }
    output_files::write_text(&path, &imported.classes.to_text(), is_missing)?;
    output::text(&report::text(&changes))?;
    terminal::notes(&report::local_times(&imported, &earlier));
    terminal::status(&format!(
        "{GREEN}wrote{GREEN:#} {} {DIM}({}){DIM:#}",
        terminal::path(&path),
        count(wanted.len(), "schema")
    ));
    Ok(ExitStatus::Success)
}

/// Reads the contracts with these classes.
fn load(project: &Project, args: &Import, classes: &ImportedClasses) -> Result<Loaded, Error> {
    let mut project = project.clone();
    project.options.defaults.classes = Arc::new(classes.clone());
    project::load(&project, &args.paths, Format::Human)
}

/// Returns the classes that contracts refer to.
fn classes(loaded: &Loaded) -> impl Iterator<Item = &PythonClass> {
    loaded
        .catalog
        .nodes
        .iter()
        .flat_map(herald_catalog::Node::python_classes)
}

fn modules(loaded: &Loaded) -> BTreeSet<&str> {
    classes(loaded).map(|class| class.module.as_str()).collect()
}

/// Returns the folder of the project.
fn root_of(project: &Project) -> PathBuf {
    let folder = project.folder();
    if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_path_buf()
    }
}

/// Runs the interpreter. Without schemas of all classes, the reasons are added to the diagnostics.
fn import(
    interpreter: &Interpreter,
    wanted: &BTreeSet<String>,
    root: &Path,
    (timeout, interrupt): (u64, &Interrupt),
    loaded: &mut Loaded,
) -> Result<Option<Imported>, Error> {
    let folder = tempfile::tempdir()?;
    let (request, answer) = (folder.path().join("request"), folder.path().join("answer"));
    fs::write(&request, serde_json::to_string(wanted).unwrap_or_default())?;
    let root = root.canonicalize()?;
    let mut command = interpreter.command();
    command.current_dir(&root).args(["-c", PROGRAM]);
    command.arg(&request).arg(&answer);
    // Packages are beside the project's file, or below `src`.
    command.args(
        [root.join("src"), root]
            .iter()
            .filter(|folder| folder.is_dir()),
    );
    let ended = process::run(command, Duration::from_secs(timeout), interrupt)?;
    let answer = read_answer(&answer).filter(|_| !ended.was_stopped);
    let Some(answer) = answer else {
        report::no_answer(&ended, interpreter, timeout, loaded);
        return Ok(None);
    };
    let mut schemas = Vec::new();
    let mut failed = BTreeMap::new();
    let mut may_be_local = Vec::new();
    for (name, class) in answer.classes {
        let places = class.may_be_local.iter();
        may_be_local.extend(places.map(|place| (name.clone(), place.clone())));
        match class.schema {
            Some(schema) => schemas.push((name, schema)),
            None => _ = failed.insert(name, class),
        }
    }
    if failed.is_empty() {
        let classes = ImportedClasses::new(schemas);
        return Ok(Some(Imported {
            classes,
            may_be_local,
        }));
    }
    report::failed(&failed, interpreter, &answer.version, loaded);
    Ok(None)
}

fn read_answer(path: &Path) -> Option<Answer> {
    const MAX_BYTES: u64 = 64 * 1024 * 1024;
    let is_small = fs::metadata(path).ok()?.len() <= MAX_BYTES;
    let text = is_small.then(|| fs::read_to_string(path).ok())??;
    serde_json::from_str(&text).ok()
}
