//! Arguments of `herald publish`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use herald_envelope::Uuid;

use super::cluster::Cluster;
use super::parse_namespace;
use crate::format::parse_duration;

/// Arguments of `herald publish`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("input").required(true).args(["payload", "jsonl"])))]
pub struct Publish {
    /// A file with the payload of one event, a JSON object; - is standard input
    #[arg(long, value_name = "FILE", requires = "event_type")]
    pub payload: Option<PathBuf>,
    /// A file with one event on each line; - is standard input
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
    /// Print what would be published, and publish nothing
    #[arg(long, conflicts_with_all = ["spool", "receipts"])]
    pub dry_run: bool,

    /// What has happened, such as effect.place.completed
    #[arg(long, value_name = "TYPE", help_heading = EVENT)]
    pub event_type: Option<String>,
    /// Where it goes [default: by the contract, else by the topic pattern]
    #[arg(long, value_name = "TOPIC", help_heading = EVENT)]
    pub topic: Option<String>,
    /// What events of one request have in common
    #[arg(long, value_name = "UUID", value_parser = parse_uuid, help_heading = EVENT)]
    pub correlation_id: Option<Uuid>,
    /// The event that led to this one
    #[arg(long, value_name = "ID", help_heading = EVENT)]
    pub causation_id: Option<String>,
    /// Partition key [default: the contract's key field, else correlation, else node]
    #[arg(long, value_name = "KEY", help_heading = EVENT)]
    pub key: Option<String>,
    /// One entry of the metadata; repeat for more
    #[arg(long, value_name = "NAME=TEXT", value_parser = parse_entry, help_heading = EVENT)]
    pub metadata: Vec<(String, String)>,

    /// Contracts that announce the events: files, folders or globs [default: those of herald.yaml]
    #[arg(long = "contract", value_name = "PATH", help_heading = SOURCE)]
    pub contracts: Vec<String>,
    /// Publish without looking at contracts
    #[arg(long, conflicts_with = "contracts", help_heading = SOURCE)]
    pub no_contract: bool,
    /// Namespace at the start of topics [default: by contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", value_parser = parse_namespace, help_heading = SOURCE)]
    pub namespace: Option<String>,
    /// The node that announces the events
    #[arg(long, value_name = "ID", default_value = "herald-cli", help_heading = SOURCE)]
    pub source_node_id: String,
    /// Its service [default: by the contract, else herald-cli]
    #[arg(long, value_name = "NAME", help_heading = SOURCE)]
    pub service: Option<String>,
    /// Version of that service [default: by the contract, else unknown]
    #[arg(long, value_name = "VERSION", help_heading = SOURCE)]
    pub service_version: Option<String>,
    /// Where it runs
    #[arg(long, value_name = "NAME", default_value = "development", help_heading = SOURCE)]
    pub environment: String,

    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,

    /// Keep on this spool what the cluster does not acknowledge; without one that is an error
    #[arg(long, value_name = "PATH", help_heading = SAFETY)]
    pub spool: Option<PathBuf>,
    /// How long an event may wait for the cluster [default: 2s with a spool, else 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = SAFETY)]
    pub timeout: Option<Duration>,
    /// Write what became of each event to this new file, as JSON lines; - is standard output
    #[arg(long, value_name = "FILE", help_heading = SAFETY)]
    pub receipts: Option<PathBuf>,
}

const EVENT: &str = "Event (for --jsonl: where a line does not say it)";
const SOURCE: &str = "Source";
const SAFETY: &str = "Safety";

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    uuid(text).ok_or_else(|| "expected a UUID with hyphens".to_owned())
}

/// Reads a UUID as the wire has it, with hyphens.
pub fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

fn parse_entry(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=TEXT".to_owned())
}
