//! Arguments of `herald infer`.

use std::path::PathBuf;

use clap::Args;
use herald_publish::kafka::StartPosition;

use super::cluster::Cluster;
use super::events::parse_start;

/// Arguments of `herald infer`.
#[derive(Debug, Args)]
pub struct Infer {
    /// Topic, or a quoted pattern with * and ?; may be repeated
    #[arg(
        long = "topic",
        value_name = "TOPIC",
        required_unless_present = "from_file",
        conflicts_with = "from_file"
    )]
    pub topics: Vec<String>,
    /// File with an event on each line, as `herald listen --format jsonl` writes it, or an envelope; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// Start position: beginning, a time such as 2026-01-31T12:00:00Z, or an age such as 1h [default: beginning]
    #[arg(long, value_name = "WHEN", value_parser = parse_start, conflicts_with = "from_file")]
    pub since: Option<StartPosition>,
    /// Stop after this many records
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "from_file")]
    pub count: Option<u64>,
    /// Write only the contract of this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Write a file for each service into this directory [default: standard output]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}
