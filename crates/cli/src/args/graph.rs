//! Arguments of `herald graph`.

use clap::{Args, ValueEnum};

/// Arguments of `herald graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// Contracts of the system: files, directories, globs, lock files or git:[FOLDER@]REF[:PATH] [default: workspace of herald.yaml, else its contracts]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Compare topics in Python and TypeScript of this file or folder with the contracts; may be repeated
    #[arg(long, value_name = "PATH")]
    pub sources: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: GraphFormat,
    /// Show only nodes and topics that match this glob, and what they are connected to
    #[arg(long, value_name = "GLOB")]
    pub focus: Option<String>,
    /// Show generated events that nobody consumes, too
    #[arg(long)]
    pub all: bool,
}

/// Output formats of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Aligned columns
    Table,
    /// A JSON document
    Json,
    /// A Mermaid flowchart
    Mermaid,
    /// Graphviz DOT
    Dot,
    /// A page that needs no other file
    Html,
}
