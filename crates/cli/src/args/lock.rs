//! Arguments of `herald lock`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `herald lock`.
#[derive(Debug, Args)]
pub struct Lock {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Lock file [default: from herald.yaml, else herald.lock beside it]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write nothing; show a diff and exit 1 if the lock file is stale
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Write the lock file even if the changes break consumers, producers or code
    #[arg(long)]
    pub force: bool,
}
