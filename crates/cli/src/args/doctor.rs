//! Arguments of `herald doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Namespace;
use super::cluster::Cluster;

/// Arguments of `herald doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// Database file of the spool [default: `HERALD_SPOOL`, else `spool:` in herald.yaml, else not
    /// looked at]
    #[arg(long, value_name = "PATH")]
    pub spool: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DoctorFormat,
    /// The cluster.
    #[command(flatten)]
    pub cluster: Cluster,
}

/// Output formats of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// Text for people
    Text,
    /// JSON
    Json,
}
