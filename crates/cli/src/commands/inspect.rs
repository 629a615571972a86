//! `herald inspect`: what the reader understood, as JSON.

use std::io;

use herald_catalog::document;
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::Format;

use crate::args::{Inspect, InspectFormat};
use crate::{CLEAN, FINDINGS, Failure, output, project, terminal};

/// Runs the command.
pub fn run(args: &Inspect) -> Result<u8, Failure> {
    let mut loaded = project::load(&project::find()?, &args.paths, Format::Human)?;
    let document = document::all(&loaded);
    match args.format {
        InspectFormat::Json => output::json(&document)?,
        InspectFormat::Yaml => output::yaml(&document)?,
    }
    // What could not be read at all has no place in the document.
    loaded.findings.retain(Diagnostic::is_error);
    terminal::write_findings(Format::Human, &loaded, io::stderr())?;
    Ok(if loaded.has_errors() { FINDINGS } else { CLEAN })
}
