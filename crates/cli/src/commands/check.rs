//! `herald check`: lints contracts.

use std::io;

use herald_catalog::load::Loaded;
use herald_diagnostics::render::{Format, summary};
use herald_diagnostics::{Diagnostic, Severity, Sources};
use herald_project::Project;
use herald_project::baseline::{Baseline, Known};

use crate::args::Check;
use crate::fixes;
use crate::format::{count, today};
use crate::lock_file::Root;
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, output_files, project};

/// Runs the command.
pub fn run(args: &Check) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let is_strict = args.strict || project.strict;
    let mut loaded = project::load(&project, &args.paths, args.format)?;
    if args.fix {
        let solved = fixes::apply(&loaded)?;
        if solved > 0 {
            let problems = count(solved, "problem");
            terminal::status(&format!("{GREEN}fixed{GREEN:#} {problems}"));
            loaded = project::load(&project, &args.paths, args.format)?;
        }
    }
    if args.write_baseline {
        return write_baseline(args, &project, &loaded);
    }
    let known = if args.no_baseline {
        0
    } else {
        remove_known(&args.paths, &project, &mut loaded)?
    };
    let has_problems = has_problems(&loaded.diagnostics, is_strict);
    terminal::write_diagnostics(args.format, &loaded, io::stdout())?;
    if args.format == Format::Human {
        summarize(&loaded, known);
        if has_problems && !loaded.has_errors() {
            terminal::status("warnings fail this check, because it is strict");
        }
    }
    Ok(if has_problems {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

/// Whether diagnostics fail a check: errors, and warnings if it is strict.
pub fn has_problems(diagnostics: &[Diagnostic], is_strict: bool) -> bool {
    let least = if is_strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    diagnostics.iter().any(|one| one.severity >= least)
}

fn summarize(loaded: &Loaded, known: usize) {
    let contracts = count(loaded.catalog.nodes.len(), "contract");
    terminal::status(&match summary(&loaded.diagnostics) {
        Some(summary) => format!("{summary}, {contracts} read"),
        None => format!("{GREEN}no problems{GREEN:#} in {contracts}"),
    });
    let fixable = loaded
        .diagnostics
        .iter()
        .filter(|one| one.fix.is_some())
        .count();
    if fixable > 0 {
        let problems = count(fixable, "problem");
        terminal::status(&format!("{DIM}{problems} fixable with --fix{DIM:#}"));
    }
    if known > 0 {
        let known = count(known, "known diagnostic");
        terminal::status(&format!("{DIM}{known} in the baseline not shown{DIM:#}"));
    }
    if !loaded.skipped.is_empty() {
        let files = count(loaded.skipped.len(), "YAML file");
        terminal::status(&format!(
            "{DIM}skipped {files} that are not contracts{DIM:#}"
        ));
    }
}

/// Reads the baseline; `None` if there is none, and the project names none.
fn read_baseline(project: &Project) -> Result<Option<Baseline>, Error> {
    let path = project.baseline_path();
    if !path.exists() {
        return Ok(None);
    }
    let read = Baseline::read(&path);
    read.map(Some)
        .map_err(|(diagnostics, sources)| terminal::report(diagnostics, sources))
}

/// Returns a function for the path of the contract that a diagnostic is about, below the project.
fn path_of<'a>(
    project: &Project,
    sources: &'a Sources,
) -> Result<impl Fn(&Diagnostic) -> Option<String> + use<'a>, Error> {
    let root = Root::of(project)?;
    Ok(move |one: &Diagnostic| {
        let source = sources.get(one.location?.source);
        Some(root.relative(&source.path))
    })
}

/// Removes the diagnostics of the baseline and returns their number.
pub fn remove_known(
    paths: &[String],
    project: &Project,
    loaded: &mut Loaded,
) -> Result<usize, Error> {
    let Some(baseline) = read_baseline(project)? else {
        return Ok(0);
    };
    let path_of = path_of(project, &loaded.catalog.sources)?;
    let before = loaded.diagnostics.len();
    let is_whole = paths.is_empty();
    let odd = baseline.apply(&mut loaded.diagnostics, &path_of, today(), is_whole);
    if !odd.is_empty() {
        terminal::report(odd, baseline.sources.clone());
    }
    Ok(before - loaded.diagnostics.len())
}

fn write_baseline(args: &Check, project: &Project, loaded: &Loaded) -> Result<ExitStatus, Error> {
    let path = project.baseline_path();
    let current = read_baseline(project)?;
    let path_of = path_of(project, &loaded.catalog.sources)?;
    let new = Known {
        reason: args.reason.clone(),
        owner: args.owner.clone(),
        until: args.until,
        ..Known::default()
    };
    let is_new = current.is_none();
    let baseline = current
        .unwrap_or_default()
        .of(&loaded.diagnostics, &path_of, &new);
    output_files::write_text(&path, &baseline.to_text(), is_new)?;
    let known = count(baseline.len(), "known diagnostic");
    let path = terminal::path(&path);
    terminal::status(&format!(
        "{GREEN}wrote{GREEN:#} {path} {DIM}({known}){DIM:#}"
    ));
    let diagnostics = loaded.diagnostics.iter();
    let errors =
        diagnostics.filter(|one| path_of(one).is_none() || one.rule.severity == Severity::Error);
    let errors = errors.count();
    if errors > 0 {
        let errors = count(errors, "error");
        terminal::status(&format!(
            "{errors} can't be part of a baseline: nothing is generated from such contracts"
        ));
        return Ok(ExitStatus::Problems);
    }
    Ok(ExitStatus::Success)
}
