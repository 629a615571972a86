//! `herald new`: a whole node, or what a changed contract adds to one.

mod place;
mod said;
mod unwritten;

use std::io;
use std::path::Path;

use herald_catalog::load;
use herald_diagnostics::render::Format;
use herald_render::{GeneratedFile, NodeProject};

use crate::args::New;
use crate::commands::generate;
use crate::terminal;
use crate::writing::{self, Planned, State};
use crate::{CLEAN, DIAGNOSTICS, Failure};

/// Runs the command.
pub fn run(args: &New) -> Result<u8, Failure> {
    let mut place = place::find(args)?;
    load::refuse_collisions(&mut place.loaded.diagnostics);
    if place.loaded.has_errors() {
        terminal::write_diagnostics(Format::Human, &place.loaded, io::stderr())?;
        terminal::status("nothing was written");
        return Ok(DIAGNOSTICS);
    }
    let node = place.node()?;
    if node.events.is_empty() {
        return Err(Failure::Message(format!(
            "the contract of `{}` announces nothing, so there is nothing to write; give it \
             operations",
            place.package
        )));
    }
    let whole = NodeProject::new(node, &place.package)
        .map_err(|error| Failure::Message(error.to_string()))?;
    let generated = place.generated()?;
    let mut once = whole.files;
    // Behind herald.yaml: what is begun so can be finished by another run.
    let contract = place.contract.clone().map(|contents| GeneratedFile {
        path: place.contract_path(),
        contents,
    });
    once.splice(1..1, contract);

    // Everything is compared before the first byte is written.
    let generated = writing::plan(&generated, &place.folder)?;
    generate::refuse_foreign(&generated, false)?;
    let once = writing::plan(&once, &place.folder)?;
    let is_new = |file: &&Planned<'_>| file.state == State::New;
    let code = place.folder.join(&place.package);
    let written = once
        .iter()
        .any(|file| is_new(&file) && file.path == code.join("node.py"));
    let left = if written {
        Vec::new()
    } else {
        unwritten::unwritten(&whole.operations, &code)?
    };

    for file in once.iter().filter(is_new) {
        writing::write(file)?;
        said::wrote(&file.path);
    }
    for file in &generated {
        if file.state != State::Unchanged {
            writing::write(file)?;
            said::wrote(&file.path);
        }
    }
    let left_alone = once.iter().filter(|file| !is_new(file));
    left_alone.for_each(|file| said::left_alone(&file.path));
    said::unchanged(&generated);
    if place.contract.is_some() {
        said::begin(&place, &whole.operations);
    } else {
        said::left_alone(Path::new(&node.origin.path));
    }
    said::unwritten(&left, &code);
    said::unknown(args, &place);
    Ok(CLEAN)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
