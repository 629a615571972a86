//! `herald new`: creates the project of a node, or updates it after a change of its contract.

mod layout;
mod messages;
mod missing_operations;

use std::path::Path;

use herald_catalog::load;
use herald_render::{GeneratedFile, NodeProject};

use crate::args::New;
use crate::commands::generate;
use crate::output_files::{self, Planned, State};
use crate::terminal;
use crate::{Error, ExitStatus};

/// Runs the command.
pub fn run(args: &New) -> Result<ExitStatus, Error> {
    let mut layout = layout::find(args)?;
    load::make_collisions_errors(&mut layout.loaded.diagnostics);
    if layout.loaded.has_errors() {
        terminal::print_diagnostics(&layout.loaded);
        terminal::status("nothing was written");
        return Ok(ExitStatus::Problems);
    }
    let node = layout.node()?;
    if node.events.is_empty() {
        return Err(Error::Message(format!(
            "the contract of `{}` has no events, so there is nothing to generate; add operations \
             to it",
            layout.package
        )));
    }
    let whole = NodeProject::new(node, &layout.package)
        .map_err(|error| Error::Message(error.to_string()))?;
    let generated = layout.generated()?;
    let mut once = whole.files;
    // After herald.yaml, so that a run that was interrupted in between can be repeated.
    let contract = layout.contract.clone().map(|contents| GeneratedFile {
        path: layout.contract_path(),
        contents,
    });
    once.splice(1..1, contract);

    // All files are compared before the first one is written.
    let generated = output_files::plan(&generated, &layout.folder)?;
    generate::refuse_foreign(&generated, false)?;
    let once = output_files::plan(&once, &layout.folder)?;
    let is_new = |file: &&Planned<'_>| file.state == State::New;
    let code = layout.folder.join(&layout.package);
    let written = once
        .iter()
        .any(|file| is_new(&file) && file.path == code.join("node.py"));
    let left = if written {
        Vec::new()
    } else {
        missing_operations::find(&whole.operations, &code)?
    };

    for file in once.iter().filter(is_new) {
        output_files::write(file)?;
        messages::wrote(&file.path);
    }
    for file in &generated {
        if file.state != State::Unchanged {
            output_files::write(file)?;
            messages::wrote(&file.path);
        }
    }
    let left_alone = once.iter().filter(|file| !is_new(file));
    left_alone.for_each(|file| messages::kept(&file.path));
    messages::unchanged(&generated);
    if layout.contract.is_some() {
        messages::next_steps(&layout, &whole.operations);
    } else {
        messages::kept(Path::new(&node.origin.path));
    }
    messages::missing_operations(&left, &code);
    messages::unknown_operations(args, &layout);
    Ok(ExitStatus::Success)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
