//! What can be typed on the command line.

pub mod cluster;
pub mod events;
pub mod publish;
pub mod spool;
pub mod templates;
pub mod topics;
pub mod volume;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, ColorChoice as ClapColor, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use herald_catalog::kind::Kind;
use herald_diagnostics::render::Format;
use herald_envelope::topic;
use herald_render::Models;

/// Contract-first event publishing for Kafka.
///
/// A contract is a YAML file about one node: what it does, and what it announces. From it Herald
/// generates the publishers that you ship, and checks that everything fits.
#[derive(Debug, Parser)]
#[command(name = "herald", version, max_term_width = 100, color = ClapColor::Auto, after_help = "\
Examples:
  herald init                         write a first contract and herald.yaml
  herald new orders --kind effect --operation place
                                      write a whole node: contract, Python package, tests
  herald check                        hold all contracts of the project against the rules
  herald generate contract.yaml       write generated/<node>_events.py
  herald catalog --topics contracts/  list every event and its topic
  herald explain names.collision      say what a diagnostic means

Exit codes: 0 clean, 1 diagnostics at error level or stale files, 2 could not run.")]
pub struct Args {
    /// When to use colours; `NO_COLOR` is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write event publishers from contracts
    #[command(after_help = "\
Examples:
  herald generate                                   all contracts of the project
  herald generate contracts/ --out src/events       a folder of contracts
  herald generate contract.yaml --stdout            print instead of writing
  herald generate --standalone --models dataclass   Python that needs nothing but Python
  herald generate --check                           exit 1, with a diff, when files are stale
  herald generate --node-type effect --service-name orders --operation place --stdout

A PATH is a file, a folder that is searched, or a glob in quotes. Unchanged files keep their
modification time. A contract with errors generates nothing; the others are written.")]
    Generate(Generate),
    /// List the events that contracts announce
    #[command(after_help = "\
Examples:
  herald catalog contract.yaml
  herald catalog contracts/ --topics --format markdown > EVENTS.md
  herald catalog contract.yaml --format json")]
    Catalog(Catalog),
    /// Say how many events and bytes contracts amount to, and what that takes of Kafka
    #[command(after_help = "\
Examples:
  herald volume
  herald volume contracts/ --rate 20-80 --retention 7d --replication 3
  herald volume --format markdown > CAPACITY.md
  herald volume --format json | jq '.topics[] | {topic, disk_bytes}'

Contracts say how many of each event a request brings (`per_request`), and how many requests there
are (`volume: {requests_per_second: [20, 80]}`). Sizes are those of envelopes that are built from
the declared fields. What is assumed is said below the table.")]
    Volume(volume::Volume),
    /// Print what the reader understood of contracts, as JSON
    #[command(after_help = "\
Example:
  herald inspect contracts/ | jq '.contracts[].operations[].name'

The document is {\"contracts\": [ ... ]}, with paths relative to the folder given.")]
    Inspect(Inspect),
    /// Hold contracts against the rules
    #[command(after_help = "\
Examples:
  herald check
  herald check 'services/**/contract.yaml'
  herald check --format github          annotations in a pull request
  herald check --format sarif > herald.sarif

Levels of rules can be set in herald.yaml:
  rules:
    names.python_keyword: off
    kind.node_type_missing: error")]
    Check(Check),
    /// Write a first contract and herald.yaml
    Init(Init),
    /// Write a whole node: contract, Python package, tests
    #[command(after_help = "\
Examples:
  herald new orders --kind effect --operation place --operation cancel
  herald new --contract contracts/orders.yaml
  herald new orders                   again: generates, and lists operations without a method

The folder is called as the node, unless --dir says another. What is generated is written anew; all
other files are yours: they are written once, and left alone from then on.")]
    New(New),
    /// Say what a diagnostic means, with an example
    #[command(after_help = "\
Examples:
  herald explain                      list every code
  herald explain topic.invalid")]
    Explain(Explain),
    /// Start a cluster in memory for development, and show its events
    #[command(after_help = "\
Examples:
  herald dev                          topics of the project's contracts
  herald dev contracts/ --partitions 6
  herald dev --count 1 --idle 30s     for a script: exit 1 when no event came

The first line on standard output is `export KAFKA_BOOTSTRAP_SERVERS=...` for other terminals; the
ports are chosen by the system. Producers, consumers and groups work as with a real cluster.
Everything is in memory; requests that create, change or describe topics are not answered.

Exit codes: 0 ended as asked, 1 fewer events than --count, 2 could not run.")]
    Dev(Box<events::Dev>),
    /// Publish events from a file or standard input
    #[command(after_help = "\
Examples:
  herald publish --event-type order.placed --contract contracts/ --payload order.json
  echo '{\"order\": 7}' | herald publish --event-type x --topic test --payload -
  herald publish --jsonl events.jsonl --spool spool.db --receipts receipts.jsonl
  herald publish --jsonl events.jsonl --dry-run

A line of --jsonl is a JSON object with `payload`, and where it differs from the options above:
event_type, topic, partition_key, correlation_id, causation_id, source_node_id, metadata, event_id,
event_timestamp, event_version. A line with `envelope_version` is a whole envelope and goes as it
is. Bad lines are named and the others go on.

With a contract, the event type must be one that it announces, the topic is the contract's, and
payloads of declared events are held against their fields.

Exit codes: 0 every event has a receipt, 1 some have none, or not all was read, 2 could not run.
Without --spool, what the cluster does not acknowledge is an error, and yours to publish again.")]
    Publish(Box<publish::Publish>),
    /// Show events as they arrive
    #[command(after_help = "\
Examples:
  herald listen                                    topics of the project's contracts
  herald listen 'dev.orders.*' --from 10m
  herald listen --contract contracts/ --event-type '*.failed' --full
  herald listen orders --from beginning --format jsonl | jq .envelope.payload
  herald listen orders --count 1 --idle 30s        a check: exit 1 when no event came

What is no OnexEnvelopeV1 is shown with the reason. No consumer group is joined and nothing is
committed; new topics and partitions that fit are read from their beginning. Times are UTC.

Exit codes: 0 ended as asked, by --count, --idle or Ctrl-C; 1 fewer events than --count; 2 could
not run.")]
    Listen(Box<events::Listen>),
    /// Compare topics of contracts with the cluster, and bring them in line
    #[command(subcommand)]
    Topics(topics::Topics),
    /// Look after the durable local queue of a publisher
    Spool(spool::Spool),
    /// Change what is generated: templates and targets of your own
    #[command(subcommand)]
    Templates(templates::Templates),
    /// Families of events that can be generated
    #[command(subcommand)]
    Patterns(templates::Patterns),
    /// Print the JSON Schema of a file format
    #[command(after_help = "\
Example:
  herald schema contract > contract.schema.json
and in the first line of a contract, for editors with the YAML language server:
  # yaml-language-server: $schema=contract.schema.json")]
    Schema(Schema),
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  herald completions bash > ~/.local/share/bash-completion/completions/herald
  herald completions zsh > ~/.zfunc/_herald")]
    Completions(Completions),
}

/// A node that is described on the command line instead of in a file.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Without a contract")]
pub struct NodeArgs {
    /// Kind of the node: effect, compute, reducer or orchestrator
    #[arg(
        long,
        value_name = "KIND",
        requires = "service_name",
        conflicts_with = "paths"
    )]
    pub node_type: Option<String>,
    /// Name of the service in topics
    #[arg(long, value_name = "NAME", requires = "node_type")]
    pub service_name: Option<String>,
    /// An operation of the node; repeat for more
    #[arg(long = "operation", value_name = "NAME", requires = "node_type")]
    pub operations: Vec<String>,
    /// Leave out state events
    #[arg(long, requires = "node_type")]
    pub no_state_events: bool,
    /// Leave out metric events
    #[arg(long, requires = "node_type")]
    pub no_metric_events: bool,
}

/// How generated Python should be.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Python")]
pub struct PythonArgs {
    /// What models are made of [default: that of herald.yaml, else pydantic]
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Models::ALL.map(Models::as_str)))]
    pub models: Option<String>,
    /// Put the runtime into modules, so that they need no Herald
    #[arg(long)]
    pub standalone: bool,
}

/// Arguments of `herald generate`.
#[derive(Debug, ClapArgs)]
pub struct Generate {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// What to generate: a target, or the folder of one; repeat for more [default: those of herald.yaml, else python]
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Only the events of these patterns [default: all; `herald patterns list` shows them]
    #[arg(long = "pattern", value_name = "PATTERN", value_delimiter = ',')]
    pub patterns: Vec<String>,
    /// How Python should be.
    #[command(flatten)]
    pub python: PythonArgs,
    /// Folder to write to [default: that of herald.yaml, else generated]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print instead of writing
    #[arg(long, conflicts_with_all = ["out", "check", "force"])]
    pub stdout: bool,
    /// Write nothing; exit 1 with a diff when files are stale
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Overwrite files that Herald did not write
    #[arg(long)]
    pub force: bool,
    /// The node, when there is no contract.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Arguments of `herald catalog`.
#[derive(Debug, ClapArgs)]
pub struct Catalog {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: CatalogFormat,
    /// Show the topic of each event
    #[arg(long)]
    pub topics: bool,
    /// Namespace of topics where contract and project set none
    #[arg(
        long,
        value_name = "NAME",
        default_value = topic::DEFAULT_NAMESPACE,
        value_parser = parse_namespace
    )]
    pub namespace: String,
    /// The node, when there is no contract.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Ways to print a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CatalogFormat {
    /// Aligned columns
    Table,
    /// One object for one contract, a list for many
    Json,
    /// The same as YAML
    Yaml,
    /// Tables for documentation
    Markdown,
}

/// Arguments of `herald inspect`.
#[derive(Debug, ClapArgs)]
pub struct Inspect {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub format: InspectFormat,
    /// What the templates of this target of your own are given, instead
    #[arg(long, value_name = "TARGET")]
    pub view: Option<String>,
}

/// Ways to print what was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// One document
    Json,
    /// The same as YAML
    Yaml,
}

/// Arguments of `herald check`.
#[derive(Debug, ClapArgs)]
pub struct Check {
    /// Files, folders or globs [default: those of herald.yaml, else the working folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// How to print diagnostics
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    #[arg(
        help = "How to print diagnostics: human, json, github or sarif",
        hide_default_value = false
    )]
    pub format: Format,
}

/// Arguments of `herald init`.
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Folder of the project
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// Arguments of `herald new`.
#[derive(Debug, ClapArgs)]
pub struct New {
    /// Name of the node, and of its Python package
    #[arg(value_name = "NODE", required_unless_present = "contract")]
    pub node: Option<String>,
    /// What kind of node it is
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)))]
    pub kind: Option<String>,
    /// An operation of the node; repeat for more
    #[arg(long = "operation", value_name = "NAME", requires = "kind")]
    pub operations: Vec<String>,
    /// A contract to begin with, which is copied
    #[arg(long, value_name = "PATH", conflicts_with = "kind")]
    pub contract: Option<String>,
    /// Folder of the project [default: the node's name]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Arguments of `herald explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// Code of a diagnostic, such as topic.invalid; without one, all codes are listed
    pub code: Option<String>,
}

/// Arguments of `herald schema`.
#[derive(Debug, ClapArgs)]
pub struct Schema {
    /// Which format
    pub of: SchemaOf,
}

/// Formats that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Native contracts
    Contract,
    /// herald.yaml
    Config,
    /// target.yaml
    Target,
    /// What templates of your own targets are given
    View,
}

/// Arguments of `herald completions`.
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// For which shell
    pub shell: Shell,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

impl Color {
    /// Makes it hold for all output of this process.
    pub fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

fn parse_namespace(name: &str) -> Result<String, String> {
    match topic::validate(name) {
        Ok(()) => Ok(name.to_owned()),
        Err(reason) => Err(format!("it can't begin a topic: {reason}")),
    }
}

fn parse_format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|_| {
        let names: Vec<_> = Format::all().map(Format::as_str).collect();
        format!("expected one of {}", names.join(", "))
    })
}
