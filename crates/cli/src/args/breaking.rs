//! Arguments of `herald breaking`.

use clap::Args;
use herald_breaking::Direction;
use herald_diagnostics::render::Format;

use super::parse_format;

/// Arguments of `herald breaking`.
#[derive(Debug, Args)]
pub struct Breaking {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Contracts to compare with: a file, a folder, git:[FOLDER@]REF[:PATH], or lock for the lock file
    #[arg(long, value_name = "OLD")]
    pub against: String,
    /// Fail only when this breaks: consumer, producer or source; repeatable [default: all]
    #[arg(long = "direction", value_name = "DIRECTION")]
    pub directions: Vec<Direction>,
    /// Format of the changes: human, json, github, gitlab, sarif or markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    pub format: Format,
}
