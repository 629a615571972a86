//! Arguments of `herald registry`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use herald_envelope::Profile;
use herald_envelope::schema_id::{Framing, SubjectStrategy};
use herald_project::CONTENT_MODELS;

use super::Namespace;

/// Subcommands of `herald registry`.
#[derive(Debug, Subcommand)]
pub enum Registry {
    /// Check the schemas of contracts against those that are registered
    #[command(after_help = "\
Examples:
  herald registry check
  herald registry check contracts/ --registry https://registry.example:8081
  herald registry check --format json | jq '.subjects[] | select(.state == \"incompatible\")'

Changes nothing. Where the registry and `herald breaking` judge a change differently, the reason is shown.

Exit codes: 0 everything can be registered or is, 1 a schema is refused, 2 failure.")]
    Check(Check),
    /// Register the schemas of contracts
    #[command(after_help = "\
Examples:
  herald registry register            show the plan, change nothing
  herald registry register --yes

A schema that is registered already is not registered again. Compatibility levels are not changed, and
nothing is deleted.

Exit codes: 0 everything is registered, 1 something is not (without --yes, or refused), 2 failure of the
command or of a registration.")]
    Register(Register),
    /// Show the differences between the schemas of contracts and those that are registered
    #[command(after_help = "\
Examples:
  herald registry diff
  herald registry diff --subject 'shop.*'

Exit codes: 0 no differences, 1 differences, 2 failure.")]
    Diff(Diff),
}

/// Contracts, and the registry that they are compared with.
#[derive(Debug, Args)]
pub struct Selection {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Namespace of topics.
    #[command(flatten)]
    pub namespace: Namespace,
    /// Envelope profile of contracts that set none [default: from herald.yaml, else onex-v1]
    #[arg(
        long,
        value_name = "PROFILE",
        env = "HERALD_ENVELOPE",
        hide_env_values = true
    )]
    pub envelope: Option<Profile>,
    /// Only subjects that match this pattern; may be repeated
    #[arg(long = "subject", value_name = "PATTERN")]
    pub only: Vec<String>,
    /// Registry and names of subjects.
    #[command(flatten)]
    pub subjects: Subjects,
    /// Whether payloads may have undeclared fields: auto, open or closed [default: from herald.yaml,
    /// else auto]
    #[arg(long, value_name = "MODEL", value_parser = PossibleValuesParser::new(CONTENT_MODELS), hide_possible_values = true, help_heading = REGISTRY)]
    pub content_model: Option<String>,
    /// Let the schema of a topic with several events refer to subjects of the events
    #[arg(long, help_heading = REGISTRY)]
    pub references: bool,
}

const REGISTRY: &str = "Schema registry";

/// Schema ids of published records.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = REGISTRY)]
pub struct Framed {
    /// Place of the schema id in records: none, prefix or header [default: from herald.yaml, else none]
    #[arg(
        long,
        value_name = "FRAMING",
        env = "HERALD_SCHEMA_FRAMING",
        hide_env_values = true
    )]
    pub framing: Option<Framing>,
    /// Registry and names of subjects.
    #[command(flatten)]
    pub subjects: Subjects,
}

/// Registry, and names of its subjects.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = REGISTRY)]
pub struct Subjects {
    /// Address of the registry [default: `SCHEMA_REGISTRY_URL`, else from herald.yaml]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Names of subjects: `topic_name`, `record_name` or `topic_record_name` [default: from herald.yaml,
    /// else `topic_name`]
    #[arg(
        long,
        value_name = "STRATEGY",
        env = "HERALD_SCHEMA_SUBJECTS",
        hide_env_values = true
    )]
    pub subjects: Option<SubjectStrategy>,
}

/// Arguments of `herald registry check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Contracts and registry.
    #[command(flatten)]
    pub selection: Selection,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
}

/// Arguments of `herald registry register`.
#[derive(Debug, Args)]
pub struct Register {
    /// Register the schemas; without this, the plan is only shown
    #[arg(long)]
    pub yes: bool,
    /// Contracts and registry.
    #[command(flatten)]
    pub check: Check,
}

/// Arguments of `herald registry diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Contracts and registry.
    #[command(flatten)]
    pub selection: Selection,
}

/// Output formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    Text,
    /// A JSON document
    Json,
}
