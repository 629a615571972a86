//! `herald lock`: writes the lock file of the published contracts.

use std::fs;
use std::io;
use std::path::Path;

use herald_breaking::{Directions, compare, compare_except};
use herald_catalog::load::{self, Loaded, Options};
use herald_catalog::lock;
use herald_diagnostics::render::Format;
use herald_project::Project;

use super::breaking::{self, Exceptions, Old};
use crate::args::lock::Lock;
use crate::format::count;
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, lock_file, output, output_files, project};

/// Runs the command.
pub fn run(args: &Lock) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let path = args.out.clone().unwrap_or_else(|| project.lock_path());
    if !lock_file::is_lock(&path) {
        return Err(Error::Message(format!(
            "`{}` can't be a lock file: its name has to end with `.{}`",
            path.display(),
            lock::EXTENSION
        )));
    }
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    breaking::refuse_errors(&loaded)?;
    lock_file::name_by_project(&mut loaded.catalog, &project)?;
    let text = lock::write(&loaded.catalog.nodes);
    verify(&text, &loaded)?;
    let current = read(&path)?;
    if current.as_deref() == Some(text.as_str()) {
        terminal::status(&format!(
            "{GREEN}up to date{GREEN:#}: {} with {}",
            terminal::path(&path),
            count(loaded.catalog.nodes.len(), "contract")
        ));
        return Ok(ExitStatus::Success);
    }
    if args.check {
        output::text_diff(&path, current.as_deref(), &text)?;
        terminal::stale(&path, current.is_some(), "herald lock");
        return Ok(ExitStatus::Problems);
    }
    let broken = match &current {
        Some(_) => breaking_changes(&path, &project, &loaded)?,
        None => 0,
    };
    if broken > 0 && !args.force {
        terminal::status(&format!(
            "{} since {}; nothing was written. --force writes it, and consumers break",
            count(broken, "breaking change"),
            terminal::path(&path)
        ));
        return Ok(ExitStatus::Problems);
    }
    output_files::write_text(&path, &text, current.is_none())?;
    terminal::status(&format!(
        "{GREEN}wrote{GREEN:#} {} {DIM}({}){DIM:#}",
        terminal::path(&path),
        count(loaded.catalog.nodes.len(), "contract")
    ));
    Ok(ExitStatus::Success)
}

/// The text of the current lock file, if there is one.
fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Reading a named pipe or a device could block forever.
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::Message(format!(
                "`{}` exists and is not a regular file; nothing was written",
                path.display()
            )));
        }
        _ => {}
    }
    let text = fs::read_to_string(path)
        .map_err(|error| Error::Message(format!("can't read `{}`: {error}", path.display())))?;
    Ok(Some(text.replace("\r\n", "\n")))
}

/// Prints the breaking changes since the current lock file, and returns their number.
fn breaking_changes(path: &Path, project: &Project, new: &Loaded) -> Result<usize, Error> {
    let name = path.to_string_lossy().into_owned();
    let mut loaded = load::load(std::slice::from_ref(&name), &Options::default(), &|| ());
    lock_file::locate(&mut loaded.catalog, project);
    breaking::refuse_errors(&loaded)?;
    let wanted = match project.breaking.directions {
        Directions::NONE => Directions::ALL,
        wanted => wanted,
    };
    let mut exceptions = Exceptions::new(project, wanted)?;
    let changes = compare_except(&loaded.catalog, &new.catalog, &mut |change| {
        exceptions.allow(change)
    });
    breaking::write(Format::Human, &changes, &Old { loaded, name }, new)?;
    Ok(changes.len())
}

/// Makes sure that the text means the contracts that it was made from.
fn verify(text: &str, loaded: &Loaded) -> Result<(), Error> {
    let again = load::load_lock_text("herald.lock", text);
    let catalog = &loaded.catalog;
    let is_same = !again.has_errors()
        && again.catalog.nodes.len() == catalog.nodes.len()
        && compare(&again.catalog, catalog).is_empty()
        && compare(catalog, &again.catalog).is_empty();
    if is_same {
        return Ok(());
    }
    Err(Error::Message(
        "the lock file would not mean the same as the contracts; please report this, with the \
         contracts, as a bug of Herald"
            .to_owned(),
    ))
}
