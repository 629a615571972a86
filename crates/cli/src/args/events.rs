//! Arguments of commands that print events: `herald listen` and `herald dev`.

use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use herald_catalog::duration;
use herald_envelope::Timestamp;
use herald_publish::kafka::StartPosition;

use super::cluster::Cluster;
use super::{Namespace, parse_namespace};

/// Arguments of `herald listen`.
#[derive(Debug, Args)]
pub struct Listen {
    /// Topics, or quoted patterns with * and ? [default: topics of the project's contracts]
    #[arg(value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Read the topics of these contracts: files, directories or globs; may be repeated
    #[arg(long = "contract", value_name = "PATH", conflicts_with = "topics")]
    pub contracts: Vec<String>,
    /// Namespace of topics [default: from the contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", value_parser = parse_namespace, conflicts_with = "topics")]
    pub namespace: Option<String>,
    /// Start position: beginning, now, a time such as 2026-01-31T12:00:00Z, or an age such as 10m
    #[arg(long, value_name = "WHEN", default_value = "now", value_parser = parse_start)]
    pub from: StartPosition,
    /// Filters and format.
    #[command(flatten)]
    pub show: DisplayArgs,
    /// Stop conditions.
    #[command(flatten)]
    pub end: StopArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// Arguments of `herald dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// Number of brokers
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub brokers: u16,
    /// Partitions of topics whose contract sets none
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub partitions: u32,
    /// Stop after this time, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, help_heading = ENDS)]
    pub duration: Option<Duration>,
    /// Filters and format.
    #[command(flatten)]
    pub show: DisplayArgs,
    /// Stop conditions.
    #[command(flatten)]
    pub end: StopArgs,
}

const ENDS: &str = "Stop conditions";

/// Filters for events, and their format.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters and format")]
pub struct DisplayArgs {
    /// Show only event types that match, such as '*.failed'
    #[arg(long, value_name = "PATTERN")]
    pub event_type: Option<String>,
    /// Show only events with this correlation id
    #[arg(long, value_name = "ID")]
    pub correlation_id: Option<String>,
    /// Show only events of this service or node
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Show only records with this key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: EventFormat,
    /// Show complete payloads and metadata, indented
    #[arg(long)]
    pub full: bool,
}

/// Conditions that end the command.
#[derive(Debug, Args)]
#[command(next_help_heading = ENDS)]
pub struct StopArgs {
    /// Stop after this many events
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Stop if no event arrives for this time, such as 500ms, or a number of seconds; exit 1 if that
    /// is before --count
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    pub idle: Option<Duration>,
}

/// Output formats of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// Text for people
    Text,
    /// One JSON object per line
    Jsonl,
}

/// A duration; a number alone is seconds.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => duration::parse(text).map_err(|error| error.to_string()),
    }
}

pub(super) fn parse_start(text: &str) -> Result<StartPosition, String> {
    match text {
        "beginning" => return Ok(StartPosition::Beginning),
        "now" => return Ok(StartPosition::Now),
        _ => {}
    }
    let time = text.parse::<Timestamp>().ok();
    if let Some(time) = time.and_then(|time| SystemTime::try_from(time).ok()) {
        return Ok(StartPosition::At(time));
    }
    let ago = text.strip_suffix(" ago").unwrap_or(text);
    duration::parse(ago)
        .ok()
        .and_then(|ago| SystemTime::now().checked_sub(ago))
        .map(StartPosition::At)
        .ok_or_else(|| {
            "expected beginning, now, a time with an offset such as 2026-01-31T12:00:00Z, or an \
             age such as 10m"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_start_positions() {
        assert_eq!(parse_start("beginning"), Ok(StartPosition::Beginning));
        assert_eq!(parse_start("now"), Ok(StartPosition::Now));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        assert_eq!(
            parse_start("1970-01-01T02:00:00+01:00"),
            Ok(StartPosition::At(time))
        );
        for ago in ["10m", "10m ago"] {
            let Ok(StartPosition::At(time)) = parse_start(ago) else {
                panic!("{ago}");
            };
            let passed = SystemTime::now().duration_since(time).unwrap();
            assert!(passed >= Duration::from_secs(600) && passed < Duration::from_secs(700));
        }
        for wrong in ["", "yesterday", "2026-01-31", "10", "-10m"] {
            assert!(parse_start(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_without_unit_is_seconds() {
        assert_eq!(parse_seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_seconds("500ms"), Ok(Duration::from_millis(500)));
        assert!(parse_seconds("-2").is_err());
    }
}
