//! `herald check`: diagnostics, and an exit code.

use std::io;

use herald_diagnostics::render::{Format, summary};

use crate::args::Check;
use crate::terminal::{self, GREEN, count};
use crate::{CLEAN, DIAGNOSTICS, Failure, project};

/// Runs the command.
pub fn run(args: &Check) -> Result<u8, Failure> {
    let loaded = project::load(&project::find()?, &args.paths, args.format)?;
    terminal::write_diagnostics(args.format, &loaded, io::stdout())?;
    if args.format == Format::Human {
        let contracts = count(loaded.catalog.nodes.len(), "contract");
        terminal::status(&match summary(&loaded.diagnostics) {
            Some(summary) => format!("{summary} ({contracts} read)"),
            None => format!("{GREEN}clean{GREEN:#}: {contracts}"),
        });
        if !loaded.skipped.is_empty() {
            let files = count(loaded.skipped.len(), "YAML file");
            terminal::status(&format!("{files} skipped that are no contracts"));
        }
    }
    Ok(if loaded.has_errors() {
        DIAGNOSTICS
    } else {
        CLEAN
    })
}
