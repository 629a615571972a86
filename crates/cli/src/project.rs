//! The project that a command works in, and the contracts that it reads.

use std::env;
use std::path::{Path, PathBuf};

use herald_catalog::load::{self, Loaded, Options};
use herald_diagnostics::render::Format;
use herald_project::Project;

use crate::Error;
use crate::args::NodeArgs;
use crate::format::count;
use crate::terminal::{self, Progress};

/// Finds and reads `herald.yaml` in the working folder or above it. Without one, nothing is set.
pub fn find() -> Result<Project, Error> {
    let here = env::current_dir().map_err(|error| {
        Error::Message(format!("can't determine the current directory: {error}"))
    })?;
    herald_project::nearest(&here)
        .map_err(|(diagnostics, sources)| terminal::report(diagnostics, sources))
}

/// Reads the contracts at `paths`, or those of the project.
///
/// Fails when there is nothing to read: a check that saw no contract must not pass. The reasons are
/// written in `format`; the human format goes to standard error.
pub fn load(project: &Project, paths: &[String], format: Format) -> Result<Loaded, Error> {
    let progress = Progress::new("reading");
    let paths = if paths.is_empty() {
        project.paths()
    } else {
        paths.to_vec()
    };
    let loaded = load::load(&paths, &project.options, &|| progress.tick());
    drop(progress);
    if !loaded.found_no_contracts() {
        return Ok(loaded);
    }
    if format == Format::Human {
        terminal::print_diagnostics(&loaded);
    } else {
        terminal::write_diagnostics(format, &loaded, std::io::stdout())?;
    }
    match loaded.skipped.first() {
        None => Err(Error::Reported),
        Some(skipped) => Err(Error::Message(format!(
            "no contracts found in `{}`; skipped {} without a contract, such as `{skipped}`",
            paths.join("`, `"),
            count(loaded.skipped.len(), "YAML file"),
        ))),
    }
}

/// Reads the contracts at `paths`, or the node that the command line describes.
pub fn load_or_describe(
    project: &Project,
    paths: &[String],
    node: &NodeArgs,
) -> Result<Loaded, Error> {
    match contract_text(node) {
        Some(text) => Ok(describe(&text, &project.options)),
        None => load(project, paths, Format::Human),
    }
}

fn describe(text: &str, options: &Options) -> Loaded {
    load::load_text("<command line>", text, options)
}

/// Returns a contract with the content of the arguments, so that the same rules apply to them and
/// diagnostics can point at a line.
fn contract_text(node: &NodeArgs) -> Option<String> {
    let (kind, service) = (node.node_type.as_ref()?, node.service_name.as_ref()?);
    // JSON strings are YAML strings.
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "node_type: {}\nservice_name: {}\n",
        quote(kind),
        quote(service)
    );
    text.push_str("operations:");
    if node.operations.is_empty() {
        text.push_str(" []");
    }
    for operation in &node.operations {
        text.push_str("\n  - ");
        text.push_str(&quote(operation));
    }
    text.push('\n');
    if node.no_state_events {
        text.push_str("include_state_events: false\n");
    }
    if node.no_metric_events {
        text.push_str("include_metric_events: false\n");
    }
    Some(text)
}

/// Returns the folder for generated files.
pub fn output_folder(project: &Project, out: Option<PathBuf>) -> PathBuf {
    out.unwrap_or_else(|| {
        let folder = Path::new(project.output.as_deref().unwrap_or("generated"));
        project
            .root
            .as_ref()
            .map_or_else(|| folder.to_path_buf(), |root| root.join(folder))
    })
}
