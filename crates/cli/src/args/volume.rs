//! Arguments of `herald volume`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use herald_catalog::volume::Range;

use super::parse_namespace;
use crate::format::parse_duration;
use crate::quantity;

/// Arguments of `herald volume`.
#[derive(Debug, Args)]
pub struct Volume {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Requests in a second, of each contract: 50, or 20-80 [default: by contract]
    #[arg(long, value_name = "REQUESTS", value_parser = parse_range)]
    pub rate: Option<Range>,
    /// How long events are kept, such as 7d [default: by contract]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub retention: Option<Duration>,
    /// Number of replicas [default: by contract, else one copy is counted]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=32767))]
    pub replication: Option<u32>,
    /// Bytes that one partition is to take in a second, such as 5MB [default: by contract, else 10MB]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub partition_throughput: Option<u32>,
    /// Events that one consumer handles in a second [default: by contract, else consumers need no partitions]
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub consumer_rate: Option<u32>,
    /// Namespace at the start of topics [default: by contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", value_parser = parse_namespace)]
    pub namespace: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: VolumeFormat,
}

/// Ways to print how much it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VolumeFormat {
    /// Aligned columns, and what is assumed
    Table,
    /// One document, in bytes and seconds
    Json,
    /// Tables for documentation
    Markdown,
}

/// A number, or the lowest and the highest.
fn parse_range(text: &str) -> Result<Range, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<f64>().ok();
        number.filter(|number| (0.0..=f64::from(i32::MAX)).contains(number))
    };
    let wrong = || {
        let most = i32::MAX;
        format!("expected a number from 0 to {most}, or the lowest and the highest, such as 20-80")
    };
    match text.split_once('-') {
        None => number(text).map(Range::exactly).ok_or_else(wrong),
        Some((low, high)) => {
            let (low, high) = number(low).zip(number(high)).ok_or_else(wrong)?;
            if low > high {
                return Err(format!("it ends below its beginning; write {high}-{low}"));
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
