//! Arguments of `herald volume`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use herald_catalog::duration;
use herald_catalog::volume::Range;

use super::Namespace;
use crate::quantity;

/// Arguments of `herald volume`.
#[derive(Debug, Args)]
pub struct Volume {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Requests per second to each node: 50, or 20-80 [default: from the contract]
    #[arg(long, value_name = "REQUESTS", value_parser = parse_range)]
    pub rate: Option<Range>,
    /// Retention time of events, such as 7d [default: from the contract]
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub retention: Option<Duration>,
    /// Replication factor [default: from the contract, else 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=32767))]
    pub replication: Option<u32>,
    /// Target throughput of one partition in bytes per second, such as 5MB [default: from the contract, else 10MB]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub partition_throughput: Option<u32>,
    /// Events per second that one consumer processes [default: from the contract, else unlimited]
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub consumer_rate: Option<u32>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: VolumeFormat,
}

/// Output formats of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VolumeFormat {
    /// Aligned columns and assumptions
    Table,
    /// A JSON document, in bytes and seconds
    Json,
    /// Tables for documentation
    Markdown,
}

/// Parses a number or a range.
fn parse_range(text: &str) -> Result<Range, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<f64>().ok();
        number.filter(|number| (0.0..=f64::from(i32::MAX)).contains(number))
    };
    let wrong = || {
        let max = i32::MAX;
        format!("expected a number from 0 to {max}, or a range such as 20-80")
    };
    match text.split_once('-') {
        None => number(text).map(Range::exactly).ok_or_else(wrong),
        Some((low, high)) => {
            let (low, high) = number(low).zip(number(high)).ok_or_else(wrong)?;
            if low > high {
                return Err(format!("the range is reversed; write {high}-{low}"));
            }
            Ok(Range::between(low, high))
        }
    }
}

fn parse_bytes(text: &str) -> Result<u32, String> {
    quantity::parse_bytes(text)
        .and_then(|bytes| u32::try_from(bytes).ok())
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected bytes, such as 500kB, 5MB or 1000000".to_owned())
}
