//! `herald generate`: generates files from contracts.

use std::io::{self, Write};
use std::path::Path;

use herald_catalog::Node;
use herald_catalog::category::{self, ALL_EVENTS, CATEGORIES};
use herald_catalog::load::{self, Loaded};
use herald_diagnostics::render::summary;
use herald_diagnostics::{Diagnostic, did_you_mean};
use herald_project::Project;
use herald_render::targets::custom::collision;
use herald_render::{Context, GeneratedFile, PythonOptions, TARGETS, Target, Templates};

use crate::args::{Generate, PythonArgs};
use crate::format::count;
use crate::memory_guard::MemoryGuard;
use crate::output_files::{self, Planned, State};
use crate::templates::{self, Own};
use crate::terminal::{self, DIM, GREEN, Progress, YELLOW};
use crate::{Error, ExitStatus, output, project};

/// Runs the command.
pub fn run(args: Generate) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let own = templates::read(&project, &args.targets)?;
    let targets = targets(&args.targets, &project, &own)?;
    let templates = compile(&own)?;
    let mut loaded = project::load_or_describe(&project, &args.paths, &args.node)?;
    select(&mut loaded, &args.patterns)?;
    load::make_collisions_errors(&mut loaded.diagnostics);
    let context = Context {
        templates: &templates,
        python: python(&args.python, &project),
    };
    let files = render(&targets, &context, &loaded)?;
    let warnings = split_warnings(&mut loaded);
    terminal::print_diagnostics(&loaded);
    let folder = project::output_folder(&project, args.out);
    let whole_project = args.paths.is_empty()
        && args.targets.is_empty()
        && args.patterns.is_empty()
        && args.node.node_type.is_none();
    let orphans = if whole_project && !args.stdout && !loaded.has_errors() {
        output_files::orphans(&files, &folder)?
    } else {
        Vec::new()
    };
    let code = if args.stdout {
        print(&files)?;
        ExitStatus::Success
    } else if args.check {
        check(&files, &folder, orphans.len())?
    } else {
        write(&files, &folder, args.force)?
    };
    for orphan in &orphans {
        let orphan = terminal::path(orphan);
        terminal::status(&format!(
            "{YELLOW}obsolete{YELLOW:#} {orphan}: its contract is gone; remove it"
        ));
    }
    if let Some(summary) = summary(&warnings) {
        terminal::status(&format!("{DIM}{summary}; see `herald check`{DIM:#}"));
    }
    if !loaded.has_errors() {
        return Ok(code);
    }
    let broken = loaded.sources_with_errors();
    let nodes = loaded.catalog.nodes.iter();
    let broken = nodes
        .filter(|node| broken.contains(&node.location.source))
        .count();
    terminal::status(&format!(
        "{}; nothing was generated from {}",
        summary(&loaded.diagnostics).unwrap_or_default(),
        count(broken, "contract")
    ));
    Ok(ExitStatus::Problems)
}

/// Returns the files that a run without arguments writes in a project.
pub fn files(project: &Project, loaded: &Loaded) -> Result<Vec<GeneratedFile>, Error> {
    let own = templates::read(project, &[])?;
    let targets = targets(&[], project, &own)?;
    let context = Context {
        templates: &compile(&own)?,
        python: PythonOptions::of(&project.python),
    };
    render(&targets, &context, loaded)
}

/// Removes the diagnostics that do not prevent generation and returns them.
fn split_warnings(loaded: &mut Loaded) -> Vec<Diagnostic> {
    let (errors, warnings) = std::mem::take(&mut loaded.diagnostics)
        .into_iter()
        .partition(Diagnostic::is_error);
    loaded.diagnostics = errors;
    warnings
}

fn targets<'a>(
    asked: &[String],
    project: &Project,
    own: &'a Own,
) -> Result<Vec<&'a dyn Target>, Error> {
    let names = if asked.is_empty() {
        &project.targets
    } else {
        asked
    };
    if names.is_empty() {
        return Ok(vec![TARGETS[0] as &dyn Target]);
    }
    own.choose(names)
}

/// Returns the options for Python of the command line, else of the project.
fn python(args: &PythonArgs, project: &Project) -> PythonOptions {
    let of_project = PythonOptions::of(&project.python);
    let models = args.models.as_deref().and_then(|name| name.parse().ok());
    PythonOptions {
        models: models.unwrap_or(of_project.models),
        standalone: args.standalone || of_project.standalone,
    }
}

/// Compiles the templates of Herald and of the project.
pub fn compile(own: &Own) -> Result<Templates, Error> {
    Templates::new(&own.templates).map_err(reported)
}

pub fn reported(errors: impl IntoIterator<Item = impl ToString>) -> Error {
    for error in errors {
        terminal::error(&error.to_string());
    }
    Error::Reported
}

/// Keeps only the events of these patterns; all if none is named.
fn select(loaded: &mut Loaded, patterns: &[String]) -> Result<(), Error> {
    if patterns.is_empty() {
        return Ok(());
    }
    let chosen = category::named(patterns).map_err(|unknown| {
        let known = CATEGORIES.map(|category| category.key);
        let known = [ALL_EVENTS].into_iter().chain(known);
        let help = match did_you_mean(unknown, known.clone()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known patterns: {}", known.collect::<Vec<_>>().join(", ")),
        };
        Error::Message(format!("unknown pattern `{unknown}`; {help}"))
    })?;
    for node in &mut loaded.catalog.nodes {
        node.events.retain(|event| chosen.contains(&event.category));
    }
    Ok(())
}

/// Renders every contract without errors.
fn render(
    targets: &[&dyn Target],
    context: &Context<'_>,
    loaded: &Loaded,
) -> Result<Vec<GeneratedFile>, Error> {
    let progress = Progress::new("rendering");
    let broken = loaded.sources_with_errors();
    let nodes = loaded.catalog.nodes.iter();
    let good: Vec<&Node> = nodes
        .filter(|node| !broken.contains(&node.location.source))
        .collect();
    let mut files = Vec::new();
    for target in targets {
        let _guard = MemoryGuard::start(target.name());
        let rendered = target.render(&good, context, broken.is_empty());
        files.extend(rendered.map_err(|error| reported(error.messages()))?);
        progress.tick();
    }
    if let Some((one, other)) = collision(&files) {
        return Err(Error::Message(format!(
            "the output files `{one}` and `{other}` collide; nothing was written"
        )));
    }
    Ok(files)
}

fn print(files: &[GeneratedFile]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (index, file) in files.iter().enumerate() {
        if files.len() > 1 {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(out, "{gap}# ---- {} ----", file.path)?;
        }
        out.write_all(file.contents.as_bytes())?;
    }
    out.flush()
}

fn check(files: &[GeneratedFile], folder: &Path, orphans: usize) -> Result<ExitStatus, Error> {
    let planned = output_files::plan(files, folder)?;
    refuse_foreign(&planned, false)?;
    let stale: Vec<_> = planned
        .iter()
        .filter(|file| file.state != State::Unchanged)
        .collect();
    for file in &stale {
        output::text_diff(&file.path, file.current.as_deref(), &file.file.contents)?;
    }
    if stale.is_empty() && orphans == 0 {
        terminal::status(&format!(
            "{GREEN}up to date{GREEN:#}: {}",
            count(files.len(), "file")
        ));
        return Ok(ExitStatus::Success);
    }
    match stale.len() {
        0 => {}
        1 => terminal::status("1 file is stale; run `herald generate` to update it"),
        many => terminal::status(&format!(
            "{many} files are stale; run `herald generate` to update them"
        )),
    }
    Ok(ExitStatus::Problems)
}

pub fn refuse_foreign(planned: &[Planned<'_>], force: bool) -> Result<(), Error> {
    match planned.iter().find(|file| file.state == State::Foreign) {
        Some(foreign) if !force => Err(Error::Message(format!(
            "`{}` exists and was not written by Herald; nothing was written. \
             Move it away, or overwrite it with --force",
            foreign.path.display()
        ))),
        _ => Ok(()),
    }
}

fn write(files: &[GeneratedFile], folder: &Path, force: bool) -> Result<ExitStatus, Error> {
    let planned = output_files::plan(files, folder)?;
    refuse_foreign(&planned, force)?;
    let progress = Progress::new("writing");
    let changed: Vec<_> = planned
        .iter()
        .filter(|file| file.state != State::Unchanged)
        .collect();
    for file in &changed {
        output_files::write(file)?;
        progress.tick();
    }
    drop(progress);
    report(&changed, planned.len() - changed.len(), folder);
    Ok(ExitStatus::Success)
}

fn report(changed: &[&Planned<'_>], unchanged: usize, folder: &Path) {
    /// Files that are listed; more are only counted.
    const LISTED: usize = 10;
    if changed.len() <= LISTED {
        for file in changed {
            terminal::status(&format!(
                "{GREEN}wrote{GREEN:#} {}",
                terminal::path(&file.path)
            ));
        }
    } else {
        let files = count(changed.len(), "file");
        terminal::status(&format!(
            "{GREEN}wrote{GREEN:#} {files} in {}",
            terminal::path(folder)
        ));
    }
    if unchanged > 0 {
        terminal::status(&format!(
            "{DIM}{} unchanged{DIM:#}",
            count(unchanged, "file")
        ));
    }
}
