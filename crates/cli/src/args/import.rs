//! Arguments of `herald import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `herald import`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Import {
    /// Document to write contracts from, instead of importing Python classes.
    #[command(subcommand)]
    pub document: Option<Document>,
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

/// A document of another format.
#[derive(Debug, Subcommand)]
pub enum Document {
    /// Write a contract from an AsyncAPI document
    #[command(after_help = "\
Examples:
  herald import asyncapi asyncapi.yaml --out contracts

Reads AsyncAPI 2 and 3, as YAML or JSON. Messages that the application sends become declared events,
with their payloads, topics and Kafka bindings; channels that it receives from become consumed topics.
The document is written beside the contract as JSON, and payloads refer to it.

Exit codes: 0 written, 1 no valid contract, 2 failure.")]
    Asyncapi(Asyncapi),
}

/// Arguments of `herald import asyncapi`.
#[derive(Debug, Args)]
pub struct Asyncapi {
    /// The document
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Directory for the contract
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Name of the service [default: from the title of the document]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}
