//! Arguments of `herald spool`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use herald_catalog::duration;

use super::cluster::Cluster;
use super::registry::Framed;

/// Arguments of `herald spool`.
#[derive(Debug, Args)]
pub struct Spool {
    /// Database file of the spool [default: `HERALD_SPOOL`, else `spool:` in herald.yaml]
    #[arg(long, value_name = "PATH", global = true)]
    pub spool: Option<PathBuf>,
    /// The subcommand.
    #[command(subcommand)]
    pub command: SpoolCommand,
}

/// Subcommands of `herald spool`.
#[derive(Debug, Subcommand)]
pub enum SpoolCommand {
    /// Show the state of a spool and conditions that need attention
    #[command(after_help = "\
Examples:
  herald spool status --spool /var/lib/orders/spool.db
  herald spool status /var/lib/orders        every spool in a directory
  herald spool status --max-age 10m          for monitoring: also exit 1 if delivery lags
  herald spool status --format json | jq '.spools[].oldest_age_seconds'

Numbered spools beside the one named (spool-1.db, spool-2.db, …) are included.

Exit codes: 0 healthy; 1 needs attention: dead letters, records that wait while no process has the
spool open, a damaged file, a full disk, or a limit given here is exceeded; 2 the spool is missing or
unreadable.")]
    Status(Status),
    /// List the records that wait for delivery
    #[command(after_help = "\
Examples:
  herald spool list
  herald spool list --topic dev.orders.effect.place.failed.v1 --limit 0
  herald spool list --format jsonl | jq -r .key

Payloads and other headers are only shown by `herald spool show`.")]
    List(List),
    /// Show a record or dead letter with headers and payload
    #[command(after_help = "\
Examples:
  herald spool show 17
  herald spool show 17 --raw > payload.json")]
    Show(Show),
    /// Check every page and row for damage
    #[command(after_help = "\
Changes nothing; a publisher may have the spool open. Exit codes: 0 sound, 1 damaged, 2 failure.")]
    Verify,
    /// Deliver all waiting records and exit
    #[command(after_help = "\
Examples:
  herald spool drain --spool spool.db --bootstrap-servers localhost:9092
  herald spool drain --watch          follow the progress of a running publisher

For a spool that no process has open: a running publisher delivers the records of its spool itself.

Exit codes: 0 the spool is empty; 1 records remain or became dead letters; 2 failure.")]
    Drain(Drain),
    /// Write a copy of a spool to a new file, for a backup
    #[command(after_help = "\
Examples:
  herald spool export backup.db
  herald spool list --spool backup.db        the copy is a spool too

A publisher may have the spool open: the copy is of one moment. Never restore a spool by copying a
file over it; use `herald spool import`.")]
    Export(Export),
    /// Add the rows of an exported file to a spool
    #[command(after_help = "\
Examples:
  herald spool import backup.db
  herald spool import spool.db.replaced-20261129T120000Z/spool.db

No process may have the spool open. Rows are added behind those that wait; rows that are in the spool
already are not added twice. Rows that were delivered since the export are delivered again.

Exit codes: 0 all rows were imported; 1 some are damaged; 2 failure.")]
    Import(Import),
    /// Assign the rows of a spool to another cluster
    #[command(after_help = "\
Examples:
  herald spool adopt --bootstrap-servers kafka:9092    to the cluster that answers there
  herald spool adopt --cluster 4L6g3nShT-eMCtK--X86sw  to the cluster with this id

A publisher notes the id of its cluster in its spool, and refuses to start on another cluster while
rows wait. All development clusters have the id `development`.")]
    Adopt(Adopt),
    /// List, retry and drop dead letters
    #[command(subcommand)]
    Dead(Dead),
}

/// Arguments of `herald spool export`.
#[derive(Debug, Args)]
pub struct Export {
    /// New file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `herald spool import`.
#[derive(Debug, Args)]
pub struct Import {
    /// File that `herald spool export` wrote, or any other spool
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `herald spool adopt`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// Id of the cluster, instead of asking it
    #[arg(long = "cluster", value_name = "ID", conflicts_with_all = ["bootstrap_servers", "properties"])]
    pub cluster_id: Option<String>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// Arguments of `herald spool status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Directory: every spool in it
    #[arg(value_name = "DIR", conflicts_with = "spool")]
    pub directory: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: StatusFormat,
    /// Exit 1 if the oldest record is older than this, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub max_age: Option<Duration>,
    /// Exit 1 if more records than this wait
    #[arg(long, value_name = "NUMBER")]
    pub max_records: Option<u64>,
}

/// Output formats of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// Text for people
    Text,
    /// A JSON document
    Json,
}

/// Arguments of `herald spool list`.
#[derive(Debug, Args)]
pub struct List {
    /// The page of the list.
    #[command(flatten)]
    pub window: Window,
    /// Show only records for this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Show only events of this type
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,
}

/// The page of a list, and its format.
#[derive(Debug, Args)]
pub struct Window {
    /// Number of rows; 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub limit: u64,
    /// Start after this sequence
    #[arg(
        long,
        value_name = "SEQUENCE",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub after: u64,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
}

/// Output formats of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Aligned columns, cut to the width of the terminal
    Table,
    /// One JSON object per line, not cut
    Jsonl,
}

/// Arguments of `herald spool show` and `herald spool dead show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Sequence of the record, from a receipt or a list
    #[arg(value_name = "SEQUENCE")]
    pub sequence: u64,
    /// Write only the bytes of the payload
    #[arg(long, conflicts_with = "format")]
    pub raw: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: StatusFormat,
}

/// Arguments of `herald spool drain`.
#[derive(Debug, Args)]
pub struct Drain {
    /// Time limit
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    pub timeout: Duration,
    /// If a process has the spool open, follow its progress until the spool is empty
    #[arg(long)]
    pub watch: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
    /// Schema ids of records that wait for them.
    #[command(flatten)]
    pub schemas: Framed,
}

/// Subcommands of `herald spool dead`.
#[derive(Debug, Subcommand)]
pub enum Dead {
    /// List dead letters and their reasons
    List(DeadList),
    /// Show a dead letter with headers and payload
    Show(Show),
    /// Move dead letters back to the end of the queue
    #[command(after_help = "\
Examples:
  herald spool dead retry 17 21
  herald spool dead retry --all --reason not_authorized

A retried dead letter gets a new sequence at the end of the queue; later events of its key may have
been delivered already. If a publisher has the spool open, it makes the change within about a second.")]
    Retry(Retry),
    /// Delete dead letters permanently
    #[command(after_help = "\
Examples:
  herald spool dead drop 17
  herald spool dead drop --all --topic dev.orders.effect.place.failed.v1 --yes")]
    Drop(Drop),
}

/// Arguments of `herald spool dead list`.
#[derive(Debug, Args)]
pub struct DeadList {
    /// The page of the list.
    #[command(flatten)]
    pub window: Window,
    /// Filters.
    #[command(flatten)]
    pub filter: DeadFilter,
}

/// Filters for dead letters.
#[derive(Debug, Args)]
pub struct DeadFilter {
    /// Only dead letters for this topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only dead letters with this reason, such as `too_large`
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
}

/// The dead letters to change.
#[derive(Debug, Args)]
pub struct Selection {
    /// Sequences of dead letters; see `herald spool dead list`
    #[arg(
        value_name = "SEQUENCE",
        required_unless_present = "all",
        conflicts_with_all = ["all", "topic", "reason"]
    )]
    pub sequences: Vec<u64>,
    /// All dead letters, or all that match --topic and --reason
    #[arg(long)]
    pub all: bool,
    /// Filters.
    #[command(flatten)]
    pub filter: DeadFilter,
    /// Time without progress of the process that has the spool open before giving up
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    pub timeout: Duration,
}

/// Arguments of `herald spool dead retry`.
#[derive(Debug, Args)]
pub struct Retry {
    /// The dead letters.
    #[command(flatten)]
    pub selection: Selection,
}

/// Arguments of `herald spool dead drop`.
#[derive(Debug, Args)]
pub struct Drop {
    /// The dead letters.
    #[command(flatten)]
    pub selection: Selection,
    /// Delete without confirmation
    #[arg(long)]
    pub yes: bool,
}
