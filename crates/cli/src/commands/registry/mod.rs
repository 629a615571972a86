//! `herald registry`: compares the schemas of contracts with a schema registry, and registers them.

mod comparison;
mod explanation;
mod fields;
mod json;
mod subjects;
mod text;
mod verdict;

use std::path::Path;

use globset::GlobMatcher;
use herald_diagnostics::did_you_mean;
use herald_registry::{Error as RegistryError, Registry as Client};
use herald_render::registry_schema::ContentModel;

use self::comparison::{Comparison, State};
use self::subjects::Subject;
use crate::args::registry::{Check, Diff, Register, Registry, ReportFormat, Selection};
use crate::terminal::{self, BOLD};
use crate::{Error, ExitStatus, events, output, project, schema_registry, wanted_topics};

/// Runs the command.
pub fn run(registry: &Registry) -> Result<ExitStatus, Error> {
    match registry {
        Registry::Check(args) => check(args),
        Registry::Register(args) => register(args),
        Registry::Diff(args) => diff(args),
    }
}

/// Outcome of a registration.
pub struct Outcome {
    /// Name of the subject.
    pub subject: String,
    /// Id of the schema, or the error.
    pub result: Result<u32, RegistryError>,
}

fn check(args: &Check) -> Result<ExitStatus, Error> {
    with_comparisons(&args.selection, |_, comparisons| {
        print(args.format, comparisons, None)?;
        Ok(status(comparisons))
    })
}

fn register(args: &Register) -> Result<ExitStatus, Error> {
    let format = args.check.format;
    with_comparisons(&args.check.selection, |client, comparisons| {
        let can_do = comparisons.iter().any(|one| one.state.can_be_registered());
        if !args.yes || !can_do {
            print(format, comparisons, None)?;
            if can_do {
                terminal::status(&format!(
                    "\nNothing was registered; register the schemas with {BOLD}--yes{BOLD:#}"
                ));
            }
            return Ok(status(comparisons).max(if can_do {
                ExitStatus::Problems
            } else {
                ExitStatus::Success
            }));
        }
        if format == ReportFormat::Text {
            print(format, comparisons, None)?;
            terminal::status("");
        }
        let mut outcomes = Vec::new();
        for one in comparisons {
            if matches!(one.state, State::Waiting) {
                outcomes.extend(register_union(client, one)?);
            } else if one.state.can_be_registered() {
                outcomes.push(Outcome {
                    subject: one.subject.name.clone(),
                    result: client.register(&one.subject.name, &one.form.schema),
                });
            }
        }
        match format {
            ReportFormat::Text => output::text(&text::outcomes(&outcomes))?,
            ReportFormat::Json => print(format, comparisons, Some(&outcomes))?,
        }
        Ok(if outcomes.iter().any(|outcome| outcome.result.is_err()) {
            ExitStatus::Failure
        } else {
            status(comparisons)
        })
    })
}

/// Registers a schema whose references are registered by now. `None` if it is registered already.
fn register_union(client: &Client, one: &Comparison<'_>) -> Result<Option<Outcome>, Error> {
    let mut subject = one.subject.clone();
    let name = subject.name.clone();
    for part in &mut subject.parts {
        let latest = client.latest(&part.subject)?;
        part.version = latest.map(|latest| latest.version);
    }
    let refused = |message: String| {
        Err(RegistryError::Refused {
            action: format!("register a version of the subject `{name}`"),
            status: 0,
            code: 0,
            message,
        })
    };
    let result = if subject.waits_for_parts() {
        refused("a subject that it refers to is not registered".to_owned())
    } else {
        let again = Comparison::make(client, subject, Some(one.form.model))?;
        match again.state {
            State::Registered => return Ok(None),
            State::New | State::Compatible | State::Waiting => {
                client.register(&name, &again.form.schema)
            }
            State::Incompatible { messages } => refused(format!(
                "it is not compatible with the last version {}",
                messages.join("; ")
            )),
            State::Failed(error) => Err(error),
        }
    };
    Ok(Some(Outcome {
        subject: name,
        result,
    }))
}

fn diff(args: &Diff) -> Result<ExitStatus, Error> {
    with_comparisons(&args.selection, |_, comparisons| {
        let mut different = 0;
        for one in comparisons {
            if matches!(one.state, State::Registered) {
                continue;
            }
            different += 1;
            let pretty = |schema: &serde_json::Value| format!("{schema:#}\n");
            let old = one.registered.as_ref().map(|it| pretty(&it.schema.schema));
            let new = pretty(&one.form.schema.schema);
            output::text_diff(Path::new(&one.subject.name), old.as_deref(), &new)?;
        }
        terminal::status(&text::differences(different, comparisons.len()));
        Ok(if different == 0 {
            ExitStatus::Success
        } else {
            ExitStatus::Problems
        })
    })
}

fn print(
    format: ReportFormat,
    comparisons: &[Comparison<'_>],
    outcomes: Option<&[Outcome]>,
) -> Result<(), Error> {
    match format {
        ReportFormat::Text => output::text(&text::report(comparisons))?,
        ReportFormat::Json => output::json(&json::document(comparisons, outcomes))?,
    }
    Ok(())
}

fn status(comparisons: &[Comparison<'_>]) -> ExitStatus {
    let of = |one: &Comparison<'_>| match one.state {
        State::Failed(_) => ExitStatus::Failure,
        State::Incompatible { .. } => ExitStatus::Problems,
        State::New | State::Registered | State::Compatible | State::Waiting => ExitStatus::Success,
    };
    comparisons
        .iter()
        .map(of)
        .max()
        .unwrap_or(ExitStatus::Success)
}

/// Reads the contracts and asks the registry.
fn with_comparisons(
    selection: &Selection,
    act: impl FnOnce(&Client, &[Comparison<'_>]) -> Result<ExitStatus, Error>,
) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let settings = &project.schema_registry;
    let client = schema_registry::connect(&selection.subjects, settings)?;
    let loaded = wanted_topics::load_contracts(&project, &selection.paths)?;
    let strategy = schema_registry::strategy(&selection.subjects, settings);
    let profile = selection.envelope.or(project.options.defaults.envelope);
    let namespace = selection.namespace.get();
    let references = selection.references || settings.references;
    let subjects = subjects::of_catalog(&loaded.catalog, strategy, namespace, profile, references)
        .map_err(wanted_topics::report_problems)?;
    let subjects = selected(subjects, &selection.only)?;
    let model = match (selection.content_model.as_deref()).or(settings.content_model.as_deref()) {
        Some("open") => Some(ContentModel::Open),
        Some("closed") => Some(ContentModel::Closed),
        _ => None,
    };
    let mut comparisons: Vec<Comparison<'_>> = Vec::new();
    for mut subject in subjects {
        for part in &mut subject.parts {
            part.version = registered_version(&comparisons, &part.subject);
        }
        comparisons.push(Comparison::make(&client, subject, model)?);
    }
    act(&client, &comparisons)
}

/// Returns the version of a subject that was compared before, if the contract's schema is registered.
fn registered_version(comparisons: &[Comparison<'_>], subject: &str) -> Option<u32> {
    let found = comparisons.iter().find(|one| one.subject.name == subject)?;
    let is_registered = matches!(found.state, State::Registered);
    let registered = found.registered.as_ref().filter(|_| is_registered);
    registered.map(|registered| registered.version)
}

/// Returns the subjects that match a pattern.
fn selected<'a>(subjects: Vec<Subject<'a>>, only: &[String]) -> Result<Vec<Subject<'a>>, Error> {
    if only.is_empty() {
        return Ok(subjects);
    }
    let patterns = only.iter().map(|text| events::glob("--subject", text));
    let patterns = patterns.collect::<Result<Vec<GlobMatcher>, _>>()?;
    for pattern in &patterns {
        if !subjects
            .iter()
            .any(|subject| pattern.is_match(&subject.name))
        {
            let names = subjects.iter().map(|subject| subject.name.as_str());
            let help = did_you_mean(pattern.glob().glob(), names);
            let help = help.map(|near| format!("; did you mean `{near}`?"));
            return Err(Error::Message(format!(
                "no subject of the contracts matches `{}`{}",
                pattern.glob().glob(),
                help.unwrap_or_default()
            )));
        }
    }
    let is_selected = |subject: &Subject<'_>| {
        let mut patterns = patterns.iter();
        patterns.any(|pattern| pattern.is_match(&subject.name))
    };
    Ok(subjects.into_iter().filter(is_selected).collect())
}
