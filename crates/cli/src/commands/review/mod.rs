//! `herald review`: judges a change of contracts as a whole, for pull requests and merge requests.

mod markdown;

use std::borrow::Cow;
use std::env;
use std::fmt::Write as _;
use std::io;

use anstream::adapter::strip_str;
use herald_breaking::proposals;
use herald_catalog::checks::{default_level, generated};
use herald_catalog::load::{self, Loaded};
use herald_diagnostics::render::{self, Format, Options, summary, visible_line};
use herald_diagnostics::{Diagnostic, Location, Source, Sources, Span};
use herald_project::Project;

use super::topics::Comparison;
use super::{breaking, check, generate};
use crate::args::review::Review as Args;
use crate::args::topics;
use crate::format::count;
use crate::lock_file::lexically_normal;
use crate::output_files::{self, Planned, State};
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW};
use crate::{Error, ExitStatus, git, output, project};

/// Results of a review.
struct Review {
    parts: Vec<Part>,
    /// Texts that the diagnostics are about: contracts, their old version, generated files.
    sources: Sources,
}

/// Result of one part of a review.
struct Part {
    title: &'static str,
    verdict: Verdict,
    /// The result in one line.
    result: String,
    diagnostics: Vec<Diagnostic>,
    /// Texts to copy or to read, which are not diagnostics.
    blocks: Vec<Block>,
}

/// Verdict on a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Somebody has to know it; it does not fail the review.
    Note,
    Problem,
    /// It was not judged.
    Skipped,
    /// It could not be judged, although it was asked for.
    Failure,
}

/// A text with a title.
struct Block {
    title: String,
    language: &'static str,
    text: String,
}

impl Part {
    fn new(title: &'static str, verdict: Verdict, result: impl Into<String>) -> Self {
        Self {
            title,
            verdict,
            result: result.into(),
            diagnostics: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn with(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let review = examine(args, &project)?;
    for output in &args.writes {
        let text = review.formatted(output.format, args, false)?;
        let is_new = !output.path.exists();
        output_files::write_text(&output.path, &text, is_new)?;
    }
    let color = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let text = review.formatted(args.format, args, color)?;
    output::exact(&text)?;
    for part in &review.parts {
        terminal::status(&line(part));
    }
    let has = |verdict| review.parts.iter().any(|part| part.verdict == verdict);
    Ok(if has(Verdict::Failure) {
        ExitStatus::Failure
    } else if has(Verdict::Problem) {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

fn examine(args: &Args, project: &Project) -> Result<Review, Error> {
    let mut new = project::load(project, &args.paths, args.format)?;
    let known = check::remove_known(&args.paths, project, &mut new)?;
    load::make_collisions_errors(&mut new.diagnostics);
    let contracts = contracts(&new, known, args.strict || project.strict);
    let (breaking, mut sources) = breaking_changes(args, project, &mut new)?;
    let generated = generated_files(project, &new, &mut sources)?;
    let topics = topics(args, &new)?;
    Ok(Review {
        parts: vec![contracts, breaking, generated, topics],
        sources,
    })
}

fn contracts(new: &Loaded, known: usize, is_strict: bool) -> Part {
    let contracts = count(new.catalog.nodes.len(), "contract");
    let mut result = match summary(&new.diagnostics) {
        Some(summary) => format!("{summary}, {contracts} read"),
        None => format!("no problems in {contracts}"),
    };
    if known > 0 {
        let known = count(known, "known diagnostic");
        let _ = write!(result, "; {known} in the baseline");
    }
    let verdict = if check::has_problems(&new.diagnostics, is_strict) {
        Verdict::Problem
    } else if new.diagnostics.is_empty() {
        Verdict::Good
    } else {
        Verdict::Note
    };
    Part::new("Contracts", verdict, result).with(new.diagnostics.clone())
}

/// Returns the changes that break somebody, and the texts of both versions.
fn breaking_changes(
    args: &Args,
    project: &Project,
    new: &mut Loaded,
) -> Result<(Part, Sources), Error> {
    let part = |verdict, result| Part::new("Breaking changes", verdict, result);
    let skipped = |result: String, new: &Loaded| {
        Ok((part(Verdict::Skipped, result), new.catalog.sources.clone()))
    };
    let Some(against) = &args.against else {
        return skipped("not compared: --against names an older version".into(), new);
    };
    if new.has_errors() {
        return skipped("not compared: the contracts have errors".into(), new);
    }
    let old = match breaking::read_old(against, &args.paths, project) {
        Ok(old) => old,
        Err(Error::NoContracts(reason)) => return skipped(format!("not compared: {reason}"), new),
        Err(error) => return Err(error),
    };
    if old.loaded.has_errors() {
        let result = format!("not compared: the contracts of {} have errors", old.name);
        return skipped(result, new);
    }
    let comparison = breaking::compare(&old, new, &[], project)?;
    comparison.exceptions.report(args.paths.is_empty());
    let changes = comparison.changes;
    let verdict = if changes.is_empty() {
        Verdict::Good
    } else {
        Verdict::Problem
    };
    let (diagnostics, sources) = breaking::diagnostics(&changes, &old, new);
    let mut part = part(verdict, breaking::summary(&changes, &old, new)).with(diagnostics);
    let proposals = proposals(&changes, &old.loaded.catalog, &new.catalog);
    part.blocks = proposals
        .iter()
        .map(|proposal| Block {
            title: format!(
                "Proposal: publish both versions of the events until all consumers read the new one; in `{}`, \
                 with `version: {}`",
                proposal.path, proposal.version
            ),
            language: "yaml",
            text: proposal.fragment.clone(),
        })
        .collect();
    Ok((part, sources))
}

/// Compares the generated files with those that a run of `herald generate` would write. Their texts are
/// added to the sources.
fn generated_files(project: &Project, new: &Loaded, sources: &mut Sources) -> Result<Part, Error> {
    let part = |verdict, result: String| Part::new("Generated files", verdict, result);
    let code = generated::RULE.code;
    let level = project.options.levels.get(code).copied();
    let Some(level) = level.unwrap_or(default_level(&generated::RULE)) else {
        let result = format!("not compared: herald.yaml switches {code} off");
        return Ok(part(Verdict::Skipped, result));
    };
    if new.has_errors() {
        let result = "not compared: the contracts have errors".to_owned();
        return Ok(part(Verdict::Skipped, result));
    }
    let files = generate::files(project, new)?;
    let folder = project::output_folder(project, None);
    let planned = output_files::plan(&files, &folder)?;
    let changed = planned.iter().filter(|file| file.state != State::Unchanged);
    let mut diagnostics: Vec<_> = changed.map(|file| stale(file, sources)).collect();
    for path in output_files::orphans(&files, &folder)? {
        let path = path.to_string_lossy();
        let source = sources.add(Source::new(&*path, ""));
        let location = Location {
            source,
            ..Location::default()
        };
        diagnostics.push(generated::obsolete(&visible_line(&path), location));
    }
    for diagnostic in &mut diagnostics {
        diagnostic.severity = level;
    }
    let all = count(planned.len(), "file");
    let (verdict, result) = match diagnostics.len() {
        0 => (Verdict::Good, format!("{all} up to date")),
        some if diagnostics.iter().any(Diagnostic::is_error) => {
            (Verdict::Problem, format!("{some} stale, of {all}"))
        }
        some => (Verdict::Note, format!("{some} stale, of {all}")),
    };
    Ok(part(verdict, result).with(diagnostics))
}

/// Reports a file at its first line that differs.
fn stale(file: &Planned<'_>, sources: &mut Sources) -> Diagnostic {
    let current = file.current.as_deref().unwrap_or_default();
    let wanted = file.file.contents.as_str();
    let same = current
        .split_inclusive('\n')
        .zip(wanted.split_inclusive('\n'))
        .take_while(|(current, wanted)| current == wanted);
    let start: usize = same.map(|(line, _)| line.len()).sum();
    let line = current[start..].lines().next().unwrap_or_default();
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let path = file.path.to_string_lossy();
    let location = Location {
        source: sources.add(Source::new(&*path, current)),
        span: Span::new(offset(start), offset(start + line.len())),
    };
    generated::stale(&visible_line(&path), file.state != State::New, location)
}

/// Compares the topics with the cluster. Those of a change are mostly created when it is deployed, so
/// differences do not fail the review.
fn topics(args: &Args, new: &Loaded) -> Result<Part, Error> {
    let part = |verdict, result: String| Part::new("Topics", verdict, result);
    if !args.topics {
        let result = "not compared: --topics compares them with a cluster".to_owned();
        return Ok(part(Verdict::Skipped, result));
    }
    if new.has_errors() {
        let result = "not compared: the contracts have errors".to_owned();
        return Ok(part(Verdict::Skipped, result));
    }
    let plan = topics::Plan::of(&args.paths, &args.namespace, &args.cluster);
    let comparison = match Comparison::make(&plan) {
        Ok(comparison) => comparison,
        Err(Error::Message(reason)) => return Ok(part(Verdict::Failure, reason)),
        Err(error) => return Err(error),
    };
    let text = strip_str(&comparison.text()).to_string();
    let result = text.lines().last().unwrap_or_default().to_owned();
    if comparison.plan.is_in_sync() {
        return Ok(part(Verdict::Good, result));
    }
    let mut part = part(Verdict::Note, result);
    part.blocks.push(Block {
        title: "Plan, which `herald topics apply` carries out".to_owned(),
        language: "text",
        text,
    });
    Ok(part)
}

impl Review {
    /// The results in a format.
    fn formatted(&self, format: Format, args: &Args, color: bool) -> Result<String, Error> {
        let old = args.against.as_deref();
        let sources = match format {
            Format::Human => Cow::Borrowed(&self.sources),
            _ => Cow::Owned(in_repository(&self.sources, old)?),
        };
        if format == Format::Markdown {
            return Ok(markdown::document(&self.parts, &sources));
        }
        let parts = self.parts.iter();
        let diagnostics: Vec<_> = parts.flat_map(|part| part.diagnostics.clone()).collect();
        let options = Options {
            color,
            tool_version: terminal::VERSION,
            width: terminal::width(),
        };
        let mut text = Vec::new();
        render::write(format, &diagnostics, &sources, &options, &mut text)?;
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if format == Format::Human {
            for shown in self.parts.iter().flat_map(|part| &part.blocks) {
                let _ = writeln!(text, "{}:\n", visible_line(&shown.title));
                for line in shown.text.lines() {
                    let _ = writeln!(text, "    {}", visible_line(line));
                }
                text.push('\n');
            }
        }
        Ok(text)
    }
}

/// Returns the sources with paths from the top of the repository, as services name files. Those of the old
/// version at `old` have the paths that they had.
fn in_repository(sources: &Sources, old: Option<&str>) -> Result<Sources, Error> {
    let here = env::current_dir()?;
    let top = git::top().unwrap_or_else(|| here.clone());
    let commit = old
        .and_then(|old| old.strip_prefix("git:"))
        .map(|reference| reference.split(':').next().unwrap_or_default())
        .map(|commit| format!("git:{commit}:"));
    let name = |path: &str| -> String {
        if let Some(old) = commit.as_ref().and_then(|commit| path.strip_prefix(commit)) {
            return old.to_owned();
        }
        let whole = lexically_normal(&here.join(path));
        match whole.strip_prefix(&top) {
            Ok(relative) if !path.starts_with("git:") => relative.to_string_lossy().into_owned(),
            _ => path.to_owned(),
        }
    };
    let mut named = Sources::default();
    for (_, source) in sources.iter() {
        named.add(Source::new(name(&source.path), source.text.clone()));
    }
    Ok(named)
}

/// Result of a part on one line of a terminal.
fn line(part: &Part) -> String {
    let (word, style) = match part.verdict {
        Verdict::Good => ("ok", GREEN),
        Verdict::Note => ("note", YELLOW),
        Verdict::Problem => ("problem", RED),
        Verdict::Skipped => ("skipped", DIM),
        Verdict::Failure => ("failed", RED),
    };
    let (title, result) = (part.title, visible_line(&part.result));
    format!("{style}{word:<7}{style:#}  {BOLD}{title:<16}{BOLD:#}  {result}")
}
