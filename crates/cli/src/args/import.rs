//! Arguments of `herald import`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `herald import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Python interpreter [default: from herald.yaml, else that of the project's virtual environment]
    #[arg(long, value_name = "FILE")]
    pub python: Option<PathBuf>,
    /// Seconds after which the interpreter is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Write nothing; exit 1 and list the changes if herald.lock.json is stale
    #[arg(long)]
    pub check: bool,
}
