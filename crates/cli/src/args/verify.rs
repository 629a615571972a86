//! Arguments of `herald verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use herald_verify::Kind;

/// Arguments of `herald verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// File with an event on each line, as `herald listen --format jsonl` writes it, or an envelope; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from_file: PathBuf,
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
    #[arg(long, value_name = "NAME", value_parser = super::parse_namespace)]
    pub namespace: Option<String>,
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
}

fn parse_time(text: &str) -> Result<Duration, String> {
    herald_catalog::duration::parse(text)
        .map_err(|_| "expected a duration such as 30s or 5m".to_owned())
}
