//! Arguments of `herald review`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use herald_diagnostics::render::Format;

use super::cluster::Cluster;
use super::{Namespace, parse_format};

/// Arguments of `herald review`.
#[derive(Debug, Args)]
pub struct Review {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Contracts to compare with, as in `herald breaking`, such as git:origin/main [default: changes are
    /// not judged]
    #[arg(long, value_name = "OLD")]
    pub against: Option<String>,
    /// Compare topics with the cluster too; differences do not fail the review
    #[arg(long)]
    pub topics: bool,
    /// Exit with 1 if there are warnings, as `strict: true` in herald.yaml does
    #[arg(long)]
    pub strict: bool,
    /// Output format: human, json, github, gitlab, sarif or markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    pub format: Format,
    /// Write the results to a file too, such as markdown=review.md; may be repeated
    #[arg(long = "write", value_name = "FORMAT=FILE")]
    pub writes: Vec<Output>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// A file with the results in a format.
#[derive(Clone, Debug)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or("expected FORMAT=FILE, such as markdown=review.md")?;
        Ok(Self {
            format: parse_format(format)?,
            path: path.into(),
        })
    }
}
