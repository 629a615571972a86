//! `herald breaking`: compares contracts with an older version of them.

mod document;
mod exceptions;

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use herald_breaking::{
    Change, Direction, Directions, Proposal, add_consumers, compare_except, proposals, report,
};
use herald_catalog::load::{self, Loaded};
use herald_diagnostics::render::{Format, visible_line};
use herald_diagnostics::{Diagnostic, Sources};
use herald_project::Project;

pub use self::exceptions::Exceptions;
use crate::args::breaking::Breaking;
use crate::format::count;
use crate::terminal::{self, BOLD, DIM, GREEN};
use crate::{Error, ExitStatus, git, lock_file, output, project, system};

/// The older version of the contracts.
pub struct Old {
    /// Its contracts.
    pub loaded: Loaded,
    /// Its name in messages, such as `git:main`.
    pub name: String,
}

/// Changes of contracts since an older version.
pub struct Comparison<'a> {
    /// Changes that break a wanted direction, and that the project does not allow.
    pub changes: Vec<Change>,
    /// Exceptions of the project, and their use.
    pub exceptions: Exceptions<'a>,
}

/// Runs the command.
pub fn run(args: &Breaking) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut new = project::load(&project, &args.paths, args.format)?;
    refuse_errors(&new)?;
    let old = read_old(&args.against, &args.paths, &project)?;
    refuse_errors(&old.loaded)?;
    let Comparison {
        changes,
        exceptions,
    } = compare(&old, &mut new, &args.directions, &project)?;
    write(args.format, &changes, &old, &new)?;
    let is_whole = args.paths.is_empty() && args.directions.is_empty();
    exceptions.report(is_whole);
    if args.format == Format::Human {
        let compared = summary(&changes, &old, &new);
        terminal::status(&if changes.is_empty() {
            compared.replacen(
                NOTHING_BREAKS,
                &format!("{GREEN}{NOTHING_BREAKS}{GREEN:#}"),
                1,
            )
        } else {
            compared
        });
        exceptions.summarize();
    }
    Ok(if changes.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

/// Compares contracts without errors with an older version without errors.
pub fn compare<'a>(
    old: &Old,
    new: &mut Loaded,
    directions: &[Direction],
    project: &'a Project,
) -> Result<Comparison<'a>, Error> {
    if lock_file::is_lock(Path::new(&old.name)) {
        lock_file::name_by_project(&mut new.catalog, project)?;
    }
    let wanted = match (directions.is_empty(), project.breaking.directions) {
        (false, _) => directions.iter().copied().collect(),
        (true, Directions::NONE) => Directions::ALL,
        (true, of_project) => of_project,
    };
    let mut exceptions = Exceptions::new(project, wanted)?;
    let mut changes = compare_except(&old.loaded.catalog, &new.catalog, &mut |change| {
        exceptions.allow(change)
    });
    if !changes.is_empty() && !project.workspace.is_empty() {
        name_consumers(&mut changes, old, new, project);
    }
    Ok(Comparison {
        changes,
        exceptions,
    })
}

/// Adds the consumers in the workspace to the changes. They are a help only, so a part of the workspace that
/// may be missing, as in CI.
fn name_consumers(changes: &mut [Change], old: &Old, new: &Loaded, project: &Project) {
    let missing = match system::read_workspace(project) {
        Ok(system) => {
            add_consumers(changes, &old.loaded.catalog, &new.catalog, &system.catalog);
            let errors = system.diagnostics.iter().filter(|one| one.is_error());
            errors.map(|error| error.message.clone()).next()
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(reason) = missing {
        let reason = visible_line(&reason);
        terminal::status(&format!(
            "{DIM}the workspace was not read completely, so consumers may be missing: {reason}{DIM:#}"
        ));
    }
}

/// Reads the older version of the contracts at `paths`.
pub fn read_old(against: &str, paths: &[String], project: &Project) -> Result<Old, Error> {
    let name = if against == "lock" {
        project.lock_path().to_string_lossy().into_owned()
    } else {
        against.to_owned()
    };
    if let Some(reference) = against.strip_prefix("git:") {
        let loaded = git::load(reference, paths, project)?;
        return Ok(Old { loaded, name });
    }
    let mut loaded = load::load(std::slice::from_ref(&name), &project.options, &|| ());
    if loaded.found_no_contracts() {
        terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
        return Err(Error::NoContracts(format!(
            "there are no contracts in `{name}` to compare with{}",
            if against == "lock" {
                "; `herald lock` writes the lock file"
            } else {
                ""
            }
        )));
    }
    if lock_file::is_lock(Path::new(&name)) {
        lock_file::keep(&mut loaded, paths, project)?;
        lock_file::locate(&mut loaded.catalog, project);
    }
    Ok(Old { loaded, name })
}

/// A contract with errors is only partly understood: what is missing from it would be taken for
/// removed.
pub fn refuse_errors(loaded: &Loaded) -> Result<(), Error> {
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

pub fn write(format: Format, changes: &[Change], old: &Old, new: &Loaded) -> Result<(), Error> {
    if format == Format::Json {
        let proposals = proposals(changes, &old.loaded.catalog, &new.catalog);
        let document = document::document(changes, &proposals, &old.name, &old.loaded, new);
        output::json(&document)?;
        return Ok(());
    }
    let (diagnostics, sources) = diagnostics(changes, old, new);
    let mut shown = Loaded {
        diagnostics,
        ..Loaded::default()
    };
    shown.catalog.sources = sources;
    terminal::write_diagnostics(format, &shown, io::stdout())?;
    if format == Format::Human {
        for proposal in proposals(changes, &old.loaded.catalog, &new.catalog) {
            output::text(&advice(&proposal))?;
        }
    }
    Ok(())
}

/// Returns the changes as diagnostics, and the texts that they are about: those of the new version, then
/// those of the old one.
pub fn diagnostics(changes: &[Change], old: &Old, new: &Loaded) -> (Vec<Diagnostic>, Sources) {
    let old_name = |path: &str| match old.name.strip_prefix("git:") {
        Some(_) => path.to_owned(),
        None => format!("{path} (before)"),
    };
    report::diagnostics(
        changes,
        &old.loaded.catalog.sources,
        &new.catalog.sources,
        old_name,
    )
}

/// A proposal for people, with the part of the contract to copy.
fn advice(proposal: &Proposal) -> String {
    let path = visible_line(&proposal.path);
    let mut text = format!(
        "{BOLD}proposal{BOLD:#}: publish both versions until all consumers read the new one. In {path}, \
         with `version: {}`:\n\n",
        visible_line(&proposal.version)
    );
    for line in proposal.fragment.lines() {
        text.push_str("    ");
        text.push_str(&visible_line(line));
        text.push('\n');
    }
    let names: Vec<_> = (proposal.events.iter())
        .map(|event| visible_line(&event.event_type))
        .collect();
    let _ = writeln!(
        text,
        "\nIn generated code, the names of `{}` get the version: `publish_…_v1`, `…V1`.",
        names.join("`, `")
    );
    if !proposal.definitions.is_empty() {
        let names = visible_line(&proposal.definitions.join("`, `"));
        let _ = writeln!(
            text,
            "\nKeep `{names}` as it was for the old version, and give the changed definition another name."
        );
    }
    text.push('\n');
    text
}

/// Begin of a summary without changes.
const NOTHING_BREAKS: &str = "nothing breaks";

/// Returns the number of changes for each direction, or that nothing breaks.
pub fn summary(changes: &[Change], old: &Old, new: &Loaded) -> String {
    let contracts = count(new.catalog.nodes.len(), "contract");
    let compared = format!("{contracts} compared with {}", old.name);
    if changes.is_empty() {
        return format!("{NOTHING_BREAKS}: {compared}");
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
