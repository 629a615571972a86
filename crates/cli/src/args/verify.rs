//! Arguments of `herald verify`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use herald_publish::kafka::StartPosition;
use herald_verify::Kind;

use super::cluster::Cluster;
use super::events::{parse_seconds, parse_start};

/// Arguments of `herald verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// File with an event on each line, as `herald listen --format jsonl` writes it, or an envelope; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: VerifyFormat,
    /// Fail only for problems of this kind; may be repeated [default: all]
    #[arg(long, value_name = "KIND")]
    pub fail_on: Vec<Kind>,
    /// Fail if a declared event was not seen
    #[arg(long)]
    pub require_coverage: bool,
    /// Time after which a run of an operation should have ended
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time)]
    pub run_timeout: Duration,
    /// Namespace of topics, if contract and project set none
    #[arg(long, value_name = "NAME", env = "HERALD_NAMESPACE", hide_env_values = true, value_parser = super::parse_namespace)]
    pub namespace: Option<String>,
    /// Records to read from Kafka.
    #[command(flatten)]
    pub kafka: FromKafka,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// Records to read from Kafka.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Records from Kafka")]
pub struct FromKafka {
    /// Topic, or a quoted pattern with * and ?; may be repeated [default: topics of the contracts]
    #[arg(long = "topic", value_name = "TOPIC", conflicts_with = "from_file")]
    pub topics: Vec<String>,
    /// Start position: beginning, now, a time such as 2026-01-31T12:00:00Z, or an age such as 1h [default: now with --listen and --duration, else beginning]
    #[arg(long, value_name = "WHEN", value_parser = parse_start, conflicts_with = "from_file")]
    pub since: Option<StartPosition>,
    /// Time before which records are read: a time or an age [default: the present end]
    #[arg(long, value_name = "WHEN", value_parser = parse_until, conflicts_with_all = ["from_file", "duration", "listen"])]
    pub until: Option<SystemTime>,
    /// Read new records for this time, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, conflicts_with = "from_file")]
    pub duration: Option<Duration>,
    /// Stop after this many records; fail if there are fewer
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "from_file")]
    pub count: Option<u64>,
    /// Continue where the last run with this consumer group ended; the group is not joined [default: none]
    #[arg(long, value_name = "GROUP", conflicts_with = "from_file")]
    pub group: Option<String>,
    /// Read new records until a signal or `POST /stop` on this port of 127.0.0.1 [default port: chosen by the system]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0", conflicts_with = "from_file")]
    pub listen: Option<u16>,
}

/// Output formats of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// Aligned columns
    Table,
    /// A JSON document
    Json,
    /// `JUnit` XML, for CI
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    herald_catalog::duration::parse(text)
        .map_err(|_| "expected a duration such as 30s or 5m".to_owned())
}

fn parse_until(text: &str) -> Result<SystemTime, String> {
    match parse_start(text) {
        Ok(StartPosition::At(time)) => Ok(time),
        _ => Err("expected a time such as 2026-01-31T12:00:00Z, or an age such as 10m".to_owned()),
    }
}
