//! `herald topics`: compares the topics of contracts with the cluster and creates them.

mod json;
mod text;

use std::collections::BTreeMap;

use herald_publish::kafka::{Admin, Outcome, Plan, PlannedTopic, WantedTopic};

use crate::args::topics::{Apply, Plan as Args, PlanFormat, Topics};
use crate::connection::{self, CONNECT_TIMEOUT, cluster_error};
use crate::terminal::{self, BOLD};
use crate::wanted_topics::{self, ContractTopic, Role};
use crate::{Error, ExitStatus, output, project};

/// Runs the command.
pub fn run(topics: &Topics) -> Result<ExitStatus, Error> {
    match topics {
        Topics::Plan(args) => {
            let comparison = Comparison::make(args)?;
            comparison.print(args.format, None)?;
            Ok(comparison.status())
        }
        Topics::Apply(args) => apply(args),
    }
}

fn apply(args: &Apply) -> Result<ExitStatus, Error> {
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
                "\nNothing was changed; apply the plan with {BOLD}--yes{BOLD:#}"
            ));
        }
        return Ok(comparison.status());
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
            ExitStatus::Failure
        } else if outcomes.iter().any(|outcome| !outcome.left.is_empty()) {
            ExitStatus::Problems
        } else {
            ExitStatus::Success
        },
    )
}

/// The topics of the contracts beside those of the cluster.
pub struct Comparison {
    admin: Admin,
    /// Differences between both.
    pub plan: Plan,
    contract_topics: BTreeMap<String, ContractTopic>,
    /// Topics that contracts only read and that neither exist nor are to be created.
    absent: Vec<ContractTopic>,
}

impl Comparison {
    /// Reads the contracts and asks the cluster.
    pub fn make(args: &Args) -> Result<Self, Error> {
        let project = project::find()?;
        let loaded = wanted_topics::load_contracts(&project, &args.paths)?;
        let mut topics = wanted_topics::of_catalog(&loaded.catalog, args.namespace.get())
            .map_err(wanted_topics::report_problems)?;
        if args.dead_letters {
            topics.extend(wanted_topics::dead_letter_topics(&topics));
        }
        let options = connection::options(&args.cluster, &project)?;
        let admin =
            Admin::connect(&options, CONNECT_TIMEOUT).map_err(|failure| cluster_error(&failure))?;
        let existing = admin
            .topic_names()
            .map_err(|failure| cluster_error(&failure))?;
        let is_absent = |it: &ContractTopic| !existing.contains(&it.topic.name);
        let (only_read, mut wanted): (Vec<_>, Vec<_>) = topics
            .into_iter()
            .partition(|it| it.role == Role::Consumed && !args.consumed);
        for topic in wanted.iter_mut().filter(|it| is_absent(it)) {
            apply_defaults(&mut topic.topic, args);
        }
        let topics: Vec<WantedTopic> = wanted.iter().map(|it| it.topic.clone()).collect();
        let plan = admin
            .plan(topics)
            .map_err(|failure| cluster_error(&failure))?;
        let by_name = |it: ContractTopic| (it.topic.name.clone(), it);
        Ok(Self {
            admin,
            plan,
            contract_topics: wanted.into_iter().map(by_name).collect(),
            absent: only_read.into_iter().filter(is_absent).collect(),
        })
    }

    fn print(&self, format: PlanFormat, outcomes: Option<&[Outcome]>) -> Result<(), Error> {
        match format {
            PlanFormat::Text => output::text(&self.text())?,
            PlanFormat::Json => output::json(&json::document(
                &self.plan,
                &self.contract_topics,
                &self.absent,
                outcomes,
            ))?,
        }
        Ok(())
    }

    /// The differences for people, with colours.
    pub fn text(&self) -> String {
        text::plan(&self.plan, &self.absent)
    }

    fn status(&self) -> ExitStatus {
        if self.plan.is_in_sync() {
            ExitStatus::Success
        } else {
            ExitStatus::Problems
        }
    }
}

/// Fills in the settings of a new topic from the command line where the contract sets none.
fn apply_defaults(topic: &mut WantedTopic, args: &Args) {
    topic.partitions = topic.partitions.or(args.partitions);
    topic.replication_factor = topic.replication_factor.or(args.replication_factor);
}
