//! `herald check`: lints contracts.

use std::io;

use herald_diagnostics::render::{Format, summary};

use crate::args::Check;
use crate::format::count;
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, project};

/// Runs the command.
pub fn run(args: &Check) -> Result<ExitStatus, Error> {
    let loaded = project::load(&project::find()?, &args.paths, args.format)?;
    terminal::write_diagnostics(args.format, &loaded, io::stdout())?;
    if args.format == Format::Human {
        let contracts = count(loaded.catalog.nodes.len(), "contract");
        terminal::status(&match summary(&loaded.diagnostics) {
            Some(summary) => format!("{summary}, {contracts} read"),
            None => format!("{GREEN}no problems{GREEN:#} in {contracts}"),
        });
        if !loaded.skipped.is_empty() {
            let files = count(loaded.skipped.len(), "YAML file");
            terminal::status(&format!(
                "{DIM}skipped {files} that are not contracts{DIM:#}"
            ));
        }
    }
    Ok(if loaded.has_errors() {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}
