//! `herald inspect`: prints the parsed contracts as JSON.

use herald_catalog::document;
use herald_catalog::load::Loaded;
use herald_diagnostics::render::Format;
use herald_project::Project;

use serde_json::{Value, json};

use crate::args::{Inspect, InspectFormat};
use crate::commands::generate;
use crate::templates;
use crate::{Error, ExitStatus, output, project, terminal};

/// Runs the command.
pub fn run(args: &Inspect) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    let document = match &args.view {
        Some(target) => view(target, &project, &loaded)?,
        None => document::all(&loaded),
    };
    match args.format {
        InspectFormat::Json => output::json(&document)?,
        InspectFormat::Yaml => output::yaml(&document)?,
    }
    // Files that could not be parsed are missing from the document, so their errors go here.
    terminal::print_errors(&mut loaded);
    Ok(if loaded.has_errors() {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

/// Returns the data that the templates of a target receive, file by file.
fn view(target: &str, project: &Project, loaded: &Loaded) -> Result<Value, Error> {
    let asked = [target.to_owned()];
    let own = templates::read(project, &asked)?;
    let target = own.find(target)?;
    let compiled = generate::compile(&own)?;
    let broken = loaded.sources_with_errors();
    let nodes = loaded.catalog.nodes.iter();
    let good: Vec<_> = nodes
        .filter(|node| !broken.contains(&node.location.source))
        .collect();
    let views = target
        .views(&good, &compiled)
        .map_err(|error| generate::reported(error.messages()))?;
    let Some(views) = views else {
        return Err(Error::Message(format!(
            "`{}` is a built-in target; --view takes a custom target of the project",
            target.name()
        )));
    };
    let files = views
        .into_iter()
        .map(|view| json!({"template": view.template, "path": view.path, "data": view.data}));
    Ok(json!({"target": target.name(), "files": files.collect::<Vec<_>>()}))
}
