//! Arguments of `herald publish`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use herald_catalog::duration;
use herald_envelope::{Profile, Uuid};

use super::cluster::Cluster;
use super::parse_namespace;
use super::registry::Framed;

/// Arguments of `herald publish`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("input").required(true).args(["payload", "jsonl"])))]
pub struct Publish {
    /// File with the payload of one event, a JSON object; - for standard input
    #[arg(long, value_name = "FILE", requires = "event_type")]
    pub payload: Option<PathBuf>,
    /// File with one event per line; - for standard input
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
    /// Print the messages instead of publishing them
    #[arg(long, conflicts_with_all = ["spool", "receipts"])]
    pub dry_run: bool,

    /// Event type, such as effect.place.completed
    #[arg(long, value_name = "TYPE", help_heading = EVENT)]
    pub event_type: Option<String>,
    /// Topic [default: from the contract, else from the topic pattern]
    #[arg(long, value_name = "TOPIC", help_heading = EVENT)]
    pub topic: Option<String>,
    /// Correlation id, common to all events of a request
    #[arg(long, value_name = "UUID", value_parser = parse_uuid, help_heading = EVENT)]
    pub correlation_id: Option<Uuid>,
    /// Id of the event that caused this one
    #[arg(long, value_name = "ID", help_heading = EVENT)]
    pub causation_id: Option<String>,
    /// Partition key [default: key field of the contract, else correlation id, else node id]
    #[arg(long, value_name = "KEY", help_heading = EVENT)]
    pub key: Option<String>,
    /// Metadata entry; may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = parse_entry, help_heading = EVENT)]
    pub metadata: Vec<(String, String)>,

    /// Contracts of the events: files, directories or globs [default: from herald.yaml]
    #[arg(long = "contract", value_name = "PATH", help_heading = SOURCE)]
    pub contracts: Vec<String>,
    /// Publish without contracts
    #[arg(long, conflicts_with = "contracts", help_heading = SOURCE)]
    pub no_contract: bool,
    /// Namespace of topics [default: from the contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", env = "HERALD_NAMESPACE", hide_env_values = true, value_parser = parse_namespace, help_heading = SOURCE)]
    pub namespace: Option<String>,
    /// Envelope profile [default: from the contract or herald.yaml, else onex-v1]
    #[arg(long, value_name = "PROFILE", env = "HERALD_ENVELOPE", hide_env_values = true, help_heading = SOURCE)]
    pub envelope: Option<Profile>,
    /// Id of the node that publishes the events
    #[arg(long, value_name = "ID", default_value = "herald-cli", help_heading = SOURCE)]
    pub source_node_id: String,
    /// Name of the service [default: from the contract, else herald-cli]
    #[arg(long, value_name = "NAME", help_heading = SOURCE)]
    pub service: Option<String>,
    /// Version of the service [default: from the contract, else unknown]
    #[arg(long, value_name = "VERSION", help_heading = SOURCE)]
    pub service_version: Option<String>,
    /// Name of the environment
    #[arg(long, value_name = "NAME", default_value = "development", help_heading = SOURCE)]
    pub environment: String,

    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,

    /// Schema ids.
    #[command(flatten)]
    pub schemas: Framed,

    /// Spool for events that the cluster does not acknowledge; without one, they are errors
    #[arg(long, value_name = "PATH", help_heading = SAFETY)]
    pub spool: Option<PathBuf>,
    /// Time an event may wait for the cluster [default: 2s with a spool, else 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, help_heading = SAFETY)]
    pub timeout: Option<Duration>,
    /// Write the outcome of each event to this new file as JSON Lines; - for standard output
    #[arg(long, value_name = "FILE", help_heading = SAFETY)]
    pub receipts: Option<PathBuf>,
}

const EVENT: &str = "Event (defaults for lines of --jsonl)";
const SOURCE: &str = "Source";
const SAFETY: &str = "Delivery";

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    uuid(text)
        .ok_or_else(|| "expected a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned())
}

/// Parses a UUID in the form of the wire format, with hyphens.
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
