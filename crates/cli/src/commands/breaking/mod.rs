//! `herald breaking`: compares contracts with an older version of them.

mod document;
mod git;

use std::io;

use herald_breaking::{Change, Direction, Directions, compare, report};
use herald_catalog::load::{self, Loaded};
use herald_diagnostics::render::Format;
use herald_project::Project;

use crate::args::breaking::Breaking;
use crate::format::count;
use crate::terminal::{self, GREEN};
use crate::{Error, ExitStatus, output, project};

/// The older version of the contracts.
struct Old {
    loaded: Loaded,
    /// Its name in messages, such as `git:main`.
    name: String,
}

/// Runs the command.
pub fn run(args: &Breaking) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let new = project::load(&project, &args.paths, args.format)?;
    refuse_errors(&new)?;
    let old = read_old(args, &project)?;
    refuse_errors(&old.loaded)?;
    let wanted = if args.directions.is_empty() {
        Directions::ALL
    } else {
        args.directions.iter().copied().collect()
    };
    let mut changes = compare(&old.loaded.catalog, &new.catalog);
    changes.retain(|change| !change.breaks.within(wanted).is_empty());
    write(args.format, &changes, &old, &new)?;
    if args.format == Format::Human {
        terminal::status(&summary(&changes, &old, &new));
    }
    Ok(if changes.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

fn read_old(args: &Breaking, project: &Project) -> Result<Old, Error> {
    let name = args.against.clone();
    if let Some(reference) = args.against.strip_prefix("git:") {
        let loaded = git::load(reference, &args.paths, project)?;
        return Ok(Old { loaded, name });
    }
    let paths = [args.against.clone()];
    let loaded = load::load(&paths, &project.options, &|| ());
    if loaded.found_no_contracts() {
        terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
        return Err(Error::Message(format!(
            "there are no contracts in `{name}` to compare with"
        )));
    }
    Ok(Old { loaded, name })
}

/// A contract with errors is only partly understood: what is missing from it would be taken for
/// removed.
fn refuse_errors(loaded: &Loaded) -> Result<(), Error> {
    if !loaded.has_errors() {
        return Ok(());
    }
    let mut broken = Loaded {
        diagnostics: (loaded.diagnostics.iter())
            .filter(|diagnostic| diagnostic.is_error())
            .cloned()
            .collect(),
        ..Loaded::default()
    };
    broken.catalog.sources = loaded.catalog.sources.clone();
    terminal::write_diagnostics(Format::Human, &broken, io::stderr())?;
    Err(Error::Message(
        "contracts with errors can't be compared; fix them first".to_owned(),
    ))
}

fn write(format: Format, changes: &[Change], old: &Old, new: &Loaded) -> Result<(), Error> {
    if format == Format::Json {
        output::json(&document::document(changes, &old.name, &old.loaded, new))?;
        return Ok(());
    }
    let old_name = |path: &str| match old.name.strip_prefix("git:") {
        Some(_) => path.to_owned(),
        None => format!("{path} (before)"),
    };
    let (diagnostics, sources) = report::diagnostics(
        changes,
        &old.loaded.catalog.sources,
        &new.catalog.sources,
        old_name,
    );
    let mut shown = Loaded {
        diagnostics,
        ..Loaded::default()
    };
    shown.catalog.sources = sources;
    terminal::write_diagnostics(format, &shown, io::stdout())?;
    Ok(())
}

fn summary(changes: &[Change], old: &Old, new: &Loaded) -> String {
    let contracts = count(new.catalog.nodes.len(), "contract");
    let compared = format!("{contracts} compared with {}", old.name);
    if changes.is_empty() {
        return format!("{GREEN}nothing breaks{GREEN:#}: {compared}");
    }
    let of = |direction| {
        let broken = changes
            .iter()
            .filter(|change| change.breaks.contains(direction));
        format!("{direction} {}", broken.count())
    };
    let directions: Vec<_> = Direction::ALL.into_iter().map(of).collect();
    format!(
        "{} ({}; {compared})",
        count(changes.len(), "breaking change"),
        directions.join(", ")
    )
}
