//! `herald topics`: topics of contracts and topics of the cluster.

mod document;
mod text;

use std::collections::BTreeMap;

use herald_publish::kafka::{Admin, Outcome, Plan, PlannedTopic, WantedTopic};

use crate::args::topics::{Apply, Plan as Args, PlanFormat, Topics};
use crate::asked::{self, Asked, Role};
use crate::connection::{self, PATIENCE, failed};
use crate::terminal::{self, BOLD};
use crate::{CLEAN, DIAGNOSTICS, FAILED, Failure, output, project};

/// Runs the command.
pub fn run(topics: &Topics) -> Result<u8, Failure> {
    match topics {
        Topics::Plan(args) => {
            let comparison = Comparison::make(args)?;
            comparison.print(args.format, None)?;
            Ok(comparison.code())
        }
        Topics::Apply(args) => apply(args),
    }
}

fn apply(args: &Apply) -> Result<u8, Failure> {
    let comparison = Comparison::make(&args.plan)?;
    let can_do = comparison
        .plan
        .topics
        .iter()
        .any(PlannedTopic::can_be_applied);
    if !args.yes || !can_do {
        comparison.print(args.plan.format, None)?;
        if can_do {
            terminal::status(&format!(
                "\nNothing was changed; {BOLD}--yes{BOLD:#} does it"
            ));
        }
        return Ok(comparison.code());
    }
    if args.plan.format == PlanFormat::Text {
        comparison.print(PlanFormat::Text, None)?;
        terminal::status("");
    }
    let outcomes = comparison.admin.apply(&comparison.plan);
    match args.plan.format {
        PlanFormat::Text => output::text(&text::outcomes(&outcomes))?,
        PlanFormat::Json => comparison.print(PlanFormat::Json, Some(&outcomes))?,
    }
    Ok(
        if outcomes.iter().any(|outcome| outcome.failure.is_some()) {
            FAILED
        } else if outcomes.iter().any(|outcome| !outcome.left.is_empty()) {
            DIAGNOSTICS
        } else {
            CLEAN
        },
    )
}

/// Contracts and cluster side by side.
struct Comparison {
    admin: Admin,
    plan: Plan,
    /// By topic.
    asked: BTreeMap<String, Asked>,
    /// Topics that contracts only read, that are not there and not to be made.
    absent: Vec<Asked>,
}

impl Comparison {
    fn make(args: &Args) -> Result<Self, Failure> {
        let project = project::find()?;
        let loaded = asked::load(&project, &args.paths)?;
        let mut asked =
            asked::topics(&loaded.catalog, args.namespace.as_deref()).map_err(asked::all)?;
        if args.dead_letters {
            asked.extend(asked::dead_letters(&asked));
        }
        let admin = Admin::connect(&connection::options(&args.cluster, &project)?, PATIENCE)
            .map_err(|failure| failed(&failure))?;
        let names = admin.topic_names().map_err(|failure| failed(&failure))?;
        let is_absent = |asked: &Asked| !names.contains(&asked.topic.name);
        let (only_told, wanted): (Vec<_>, Vec<_>) = asked
            .into_iter()
            .partition(|asked| asked.role == Role::Consumed && !args.consumed);
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|asked| {
                if is_absent(&asked) {
                    with_defaults(asked, args)
                } else {
                    asked
                }
            })
            .collect();
        let topics: Vec<WantedTopic> = wanted.iter().map(|asked| asked.topic.clone()).collect();
        let plan = admin.plan(topics).map_err(|failure| failed(&failure))?;
        Ok(Self {
            admin,
            plan,
            asked: wanted
                .into_iter()
                .map(|asked| (asked.topic.name.clone(), asked))
                .collect(),
            absent: only_told.into_iter().filter(is_absent).collect(),
        })
    }

    fn print(&self, format: PlanFormat, outcomes: Option<&[Outcome]>) -> Result<(), Failure> {
        match format {
            PlanFormat::Text => output::text(&text::plan(&self.plan, &self.absent))?,
            PlanFormat::Json => output::json(&document::document(
                &self.plan,
                &self.asked,
                &self.absent,
                outcomes,
            ))?,
        }
        Ok(())
    }

    fn code(&self) -> u8 {
        if self.plan.is_in_sync() {
            CLEAN
        } else {
            DIAGNOSTICS
        }
    }
}

/// What the command line says of topics that are made, where contracts say nothing.
fn with_defaults(mut asked: Asked, args: &Args) -> Asked {
    let topic = &mut asked.topic;
    topic.partitions = topic.partitions.or(args.partitions);
    topic.replication_factor = topic.replication_factor.or(args.replication_factor);
    asked
}
