//! Arguments of `herald templates` and `herald patterns`.

use clap::{Args, Subcommand};

/// What can be done with templates.
#[derive(Debug, Subcommand)]
pub enum Templates {
    /// List templates and targets, and which of them are the project's own
    List,
    /// Copy Herald's templates into the project, to be changed there
    #[command(after_help = "\
Examples:
  herald templates eject python/method.py
  herald templates eject --all

They go to the folder `templates` of herald.yaml, herald/templates by default. What is there is
only overwritten with --force.")]
    Eject(Eject),
    /// Print every template with the contracts of the project and some examples, write nothing
    #[command(after_help = "\
Exit codes: 0 all can be printed, 1 some can't, 2 could not run.")]
    Check(Check),
}

/// Arguments of `herald templates eject`.
#[derive(Debug, Args)]
pub struct Eject {
    /// Names of templates, as `herald templates list` shows them
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// All of Herald's templates
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Overwrite files that are there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `herald templates check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Files, folders or globs [default: those of herald.yaml; else only the examples]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Also a target by its folder; repeat for more
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
}

/// What can be done with patterns.
#[derive(Debug, Subcommand)]
pub enum Patterns {
    /// List the patterns that can be generated
    List,
}
