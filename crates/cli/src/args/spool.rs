//! Arguments of `herald spool`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::cluster::Cluster;
use crate::format::parse_duration;

/// Arguments of `herald spool`.
#[derive(Debug, Args)]
pub struct Spool {
    /// The spool's database [default: `HERALD_SPOOL`, else `spool:` of herald.yaml]
    #[arg(long, value_name = "PATH", global = true)]
    pub spool: Option<PathBuf>,
    /// What to do with it.
    #[command(subcommand)]
    pub command: SpoolCommand,
}

/// What can be done with a spool.
#[derive(Debug, Subcommand)]
pub enum SpoolCommand {
    /// Say how much waits, who owns the spool, and whether somebody should look
    #[command(after_help = "\
Examples:
  herald spool status --spool /var/lib/orders/spool.db
  herald spool status --max-age 10m          for monitoring: also exit 1 when delivery lags
  herald spool status --format json | jq '.spools[].oldest_age_seconds'

Numbered spools beside the one named (spool-1.db, spool-2.db, …) are shown too.

Exit codes: 0 nothing needs a person; 1 something does: dead letters, records that wait while no
process has the spool open, a damaged file, or a limit given here; 2 there is no such spool, or it
can't be read.")]
    Status(Status),
    /// List the records that wait for delivery
    #[command(after_help = "\
Examples:
  herald spool list
  herald spool list --topic dev.orders.effect.place.failed.v1 --limit 0
  herald spool list --format jsonl | jq -r .key

Keys are shown, as they are needed to find an event; values of other headers and payloads only by
`herald spool show`.")]
    List(List),
    /// Show one record, or one dead letter, with headers and payload
    #[command(after_help = "\
Examples:
  herald spool show 17
  herald spool show 17 --raw > payload.json")]
    Show(Show),
    /// Read every page and every row, and say what is damaged
    #[command(after_help = "\
It changes nothing and runs beside the owner. Exit codes: 0 sound, 1 damaged, 2 could not run.")]
    Verify,
    /// Deliver everything that waits, and exit
    #[command(after_help = "\
Examples:
  herald spool drain --spool spool.db --bootstrap-servers localhost:9092
  herald spool drain --watch          beside a running publisher: see how far it is

For a spool that no process has open: while its publisher runs, that delivers what waits.

Exit codes: 0 nothing waits any more; 1 something does, or became a dead letter; 2 could not run.")]
    Drain(Drain),
    /// Look after dead letters: what nothing could deliver
    #[command(subcommand)]
    Dead(Dead),
}

/// Arguments of `herald spool status`.
#[derive(Debug, Args)]
pub struct Status {
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: StatusFormat,
    /// Exit 1 when the oldest record is older, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub max_age: Option<Duration>,
    /// Exit 1 when more records wait
    #[arg(long, value_name = "NUMBER")]
    pub max_records: Option<u64>,
}

/// Ways to print a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people
    Text,
    /// One document
    Json,
}

/// Arguments of `herald spool list`.
#[derive(Debug, Args)]
pub struct List {
    /// Which part of the list.
    #[command(flatten)]
    pub window: Window,
    /// Only records for this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only events of this type
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,
}

/// Which part of a list, and how to print it.
#[derive(Debug, Args)]
pub struct Window {
    /// Rows to show; 0 is all
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub limit: u64,
    /// Begin behind this sequence
    #[arg(
        long,
        value_name = "SEQUENCE",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub after: u64,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
}

/// Ways to print a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Aligned columns, cut to the terminal
    Table,
    /// One JSON object a line, nothing cut
    Jsonl,
}

/// Arguments of `herald spool show` and `herald spool dead show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Which one: the number in a receipt or in a list
    #[arg(value_name = "SEQUENCE")]
    pub sequence: u64,
    /// Write the payload's bytes and nothing else
    #[arg(long, conflicts_with = "format")]
    pub raw: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: StatusFormat,
}

/// Arguments of `herald spool drain`.
#[derive(Debug, Args)]
pub struct Drain {
    /// How long this may take
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Where a process has the spool open, show how far it is until nothing waits
    #[arg(long)]
    pub watch: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum Dead {
    /// List dead letters and their reasons
    List(DeadList),
    /// Show one dead letter with headers and payload
    Show(Show),
    /// Put dead letters back into the queue, at its end
    #[command(after_help = "\
Examples:
  herald spool dead retry 17 21
  herald spool dead retry --all --reason not_authorized

A dead letter that is retried gets a new sequence and goes behind everything that waits: events of
its key have passed it already. Beside a running owner a request is left, and the owner does it
within about a second.")]
    Retry(Retry),
    /// Delete dead letters for good
    #[command(after_help = "\
Examples:
  herald spool dead drop 17
  herald spool dead drop --all --topic dev.orders.effect.place.failed.v1 --yes")]
    Drop(Drop),
}

/// Arguments of `herald spool dead list`.
#[derive(Debug, Args)]
pub struct DeadList {
    /// Which part of the list.
    #[command(flatten)]
    pub window: Window,
    /// Which of them.
    #[command(flatten)]
    pub filter: DeadFilter,
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
pub struct DeadFilter {
    /// Only those for this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only those with this reason, such as `too_large`
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
}

/// Which dead letters to change.
#[derive(Debug, Args)]
pub struct Selection {
    /// Which ones: numbers of `herald spool dead list`
    #[arg(
        value_name = "SEQUENCE",
        required_unless_present = "all",
        conflicts_with_all = ["all", "topic", "reason"]
    )]
    pub sequences: Vec<u64>,
    /// All of them, or those of a topic or a reason
    #[arg(long)]
    pub all: bool,
    /// Which of them.
    #[command(flatten)]
    pub filter: DeadFilter,
    /// How long the owner may do nothing before this stops waiting for it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub timeout: Duration,
}

/// Arguments of `herald spool dead retry`.
#[derive(Debug, Args)]
pub struct Retry {
    /// Which ones.
    #[command(flatten)]
    pub selection: Selection,
}

/// Arguments of `herald spool dead drop`.
#[derive(Debug, Args)]
pub struct Drop {
    /// Which ones.
    #[command(flatten)]
    pub selection: Selection,
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
}
