//! Arguments of `herald topics`.

use clap::{Args, Subcommand, ValueEnum};

use super::cluster::Cluster;
use super::parse_namespace;

/// What can be done with topics.
#[derive(Debug, Subcommand)]
pub enum Topics {
    /// Compare the topics of contracts with the cluster
    #[command(after_help = "\
Examples:
  herald topics plan
  herald topics plan contracts/ --namespace prod --dead-letters
  herald topics plan --format json | jq '.topics[] | select(.action != \"in_sync\")'

Nothing is changed. The cluster is also asked what of the plan it would refuse.

Exit codes: 0 in sync, 1 there are differences, 2 could not run.")]
    Plan(Plan),
    /// Create topics, add partitions and set configurations, so that topics are as contracts say
    #[command(after_help = "\
Examples:
  herald topics apply                 show the plan, change nothing
  herald topics apply --yes

Topics are never deleted, partitions never taken away, replicas never moved. Values of a
configuration that contracts do not mention stay as they are. What was changed is read back.

Exit codes: 0 in sync now, 1 differences are left (without --yes, or such that Herald does not
touch), 2 could not run or a change failed.")]
    Apply(Apply),
}

/// Arguments of `herald topics plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Namespace at the start of topics [default: by contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", value_parser = parse_namespace)]
    pub namespace: Option<String>,
    /// Partitions of a new topic whose contract says none [default: the broker's]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub partitions: Option<u32>,
    /// Replicas of a new topic whose contract says none [default: the broker's]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=32767))]
    pub replication_factor: Option<u32>,
    /// Also the dead letter topic of each, TOPIC.dlq
    #[arg(long)]
    pub dead_letters: bool,
    /// Also topics that contracts read and no contract publishes to
    #[arg(long)]
    pub consumed: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PlanFormat,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// Arguments of `herald topics apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Do it; without this, the plan is only shown
    #[arg(long)]
    pub yes: bool,
    /// What is wanted.
    #[command(flatten)]
    pub plan: Plan,
}

/// Ways to print a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people
    Text,
    /// One document
    Json,
}
