//! Arguments of `herald templates` and `herald patterns`.

use clap::{Args, Subcommand};

/// Subcommands of `herald templates`.
#[derive(Debug, Subcommand)]
pub enum Templates {
    /// List templates and targets, and the project's overrides
    List,
    /// Copy Herald's templates into the project for customization
    #[command(after_help = "\
Examples:
  herald templates eject python/publisher.py
  herald templates eject --all

Templates are copied to `templates:` of herald.yaml, by default herald/templates. Existing files are
only overwritten with --force.")]
    Eject(Eject),
    /// Render every template with the contracts of the project and examples, without writing files
    #[command(after_help = "\
Exit codes: 0 all templates can be rendered, 1 some can't, 2 failure.")]
    Check(Check),
}

/// Arguments of `herald templates eject`.
#[derive(Debug, Args)]
pub struct Eject {
    /// Names of templates; see `herald templates list`
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// Copy all templates
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Overwrite existing files
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `herald templates check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Contracts: files, directories or globs [default: from herald.yaml, else only the examples]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Also check the custom target in this directory; may be repeated
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
}

/// Subcommands of `herald patterns`.
#[derive(Debug, Subcommand)]
pub enum Patterns {
    /// List the patterns for --pattern
    List,
}
