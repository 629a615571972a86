//! Which project a command works in, and which contracts it reads.

use std::env;
use std::path::{Path, PathBuf};

use herald_catalog::config::{self, Project};
use herald_catalog::load::{self, Loaded, Options};
use herald_diagnostics::render::Format;

use crate::Failure;
use crate::args::NodeArgs;
use crate::terminal::{self, Progress};

/// Finds and reads `herald.yaml`, upwards from the working folder; without one, nothing is set.
pub fn find() -> Result<Project, Failure> {
    let here = env::current_dir()?;
    config::nearest(&here).map_err(|(diagnostics, sources)| {
        let mut loaded = Loaded {
            diagnostics,
            ..Loaded::default()
        };
        loaded.catalog.sources = sources;
        match terminal::write_diagnostics(Format::Human, &loaded, std::io::stderr()) {
            Ok(()) => Failure::Reported,
            Err(error) => Failure::Io(error),
        }
    })
}

/// Reads the contracts at `paths`, or those of the project.
///
/// Fails when there was nothing to read at all: a check that saw no data must not pass. The
/// diagnostics that say so are written in `format`, for people on standard error.
pub fn load(project: &Project, paths: &[String], format: Format) -> Result<Loaded, Failure> {
    let progress = Progress::new("reading");
    let paths = if paths.is_empty() {
        project.paths()
    } else {
        paths.to_vec()
    };
    let loaded = load::load(&paths, &project.options, &|| progress.tick());
    drop(progress);
    if !loaded.found_nothing() {
        return Ok(loaded);
    }
    if format == Format::Human {
        terminal::write_diagnostics(format, &loaded, std::io::stderr())?;
    } else {
        terminal::write_diagnostics(format, &loaded, std::io::stdout())?;
    }
    match loaded.skipped.first() {
        None => Err(Failure::Reported),
        Some(skipped) => Err(Failure::Message(format!(
            "there are no contracts in `{}`: {} skipped, such as `{skipped}`",
            paths.join("`, `"),
            terminal::count(loaded.skipped.len(), "YAML file"),
        ))),
    }
}

/// Reads the contracts at `paths`, or the node that is described on the command line.
pub fn load_or_describe(
    project: &Project,
    paths: &[String],
    node: &NodeArgs,
) -> Result<Loaded, Failure> {
    match contract_text(node) {
        Some(text) => Ok(describe(&text, &project.options)),
        None => load(project, paths, Format::Human),
    }
}

fn describe(text: &str, options: &Options) -> Loaded {
    load::load_text("<command line>", text, options)
}

/// The contract that the arguments stand for, so that they are held against the same rules and
/// diagnostics can show where.
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

/// The folder for generated files.
pub fn output_folder(project: &Project, out: Option<PathBuf>) -> PathBuf {
    out.unwrap_or_else(|| {
        let folder = Path::new(project.output.as_deref().unwrap_or("generated"));
        project
            .root
            .as_ref()
            .map_or_else(|| folder.to_path_buf(), |root| root.join(folder))
    })
}
