//! Arguments of `herald topics`.

use clap::{Args, Subcommand, ValueEnum};

use super::Namespace;
use super::cluster::Cluster;

/// Subcommands of `herald topics`.
#[derive(Debug, Subcommand)]
pub enum Topics {
    /// Compare the topics of contracts with the cluster
    #[command(after_help = "\
Examples:
  herald topics plan
  herald topics plan contracts/ --namespace prod --dead-letters
  herald topics plan --format json | jq '.topics[] | select(.action != \"in_sync\")'

Changes nothing. The cluster validates the plan, so that changes it would refuse are shown.

Exit codes: 0 in sync, 1 differences, 2 failure.")]
    Plan(Plan),
    /// Create topics, add partitions and set configurations as contracts declare
    #[command(after_help = "\
Examples:
  herald topics apply                 show the plan, change nothing
  herald topics apply --yes

Herald never deletes topics, removes partitions or moves replicas, and keeps configuration values
that contracts do not mention. Changes are read back from the cluster.

Exit codes: 0 in sync, 1 differences remain (without --yes, or changes that Herald does not make),
2 failure of the command or of a change.")]
    Apply(Apply),
}

/// Arguments of `herald topics plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// Partitions of new topics whose contract sets none [default: the broker's]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub partitions: Option<u32>,
    /// Replication factor of new topics whose contract sets none [default: the broker's]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=32767))]
    pub replication_factor: Option<u32>,
    /// Include the dead letter topic of each topic, TOPIC.dlq
    #[arg(long)]
    pub dead_letters: bool,
    /// Include topics that contracts consume and no contract publishes to
    #[arg(long)]
    pub consumed: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PlanFormat,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

impl Plan {
    /// The plan of these contracts without other options.
    pub fn of(paths: &[String], namespace: &Namespace, cluster: &Cluster) -> Self {
        Self {
            paths: paths.to_vec(),
            namespace: namespace.clone(),
            partitions: None,
            replication_factor: None,
            dead_letters: false,
            consumed: false,
            format: PlanFormat::Text,
            cluster: cluster.clone(),
        }
    }
}

/// Arguments of `herald topics apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Apply the plan; without this, it is only shown
    #[arg(long)]
    pub yes: bool,
    /// The plan.
    #[command(flatten)]
    pub plan: Plan,
}

/// Output formats of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Text for people
    Text,
    /// A JSON document
    Json,
}
