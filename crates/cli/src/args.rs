//! Arguments of the command line.

pub mod breaking;
pub mod cluster;
pub mod doctor;
pub mod events;
pub mod graph;
pub mod import;
pub mod infer;
pub mod lock;
pub mod publish;
pub mod registry;
pub mod review;
pub mod spool;
pub mod templates;
pub mod topics;
pub mod verify;
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
/// A contract is a YAML file that describes the operations and events of one node. Herald generates
/// publishers, schemas and documentation from contracts, lints them, and publishes, prints and manages
/// the events on Kafka.
#[derive(Debug, Parser)]
#[command(name = "herald", version, max_term_width = 100, color = ClapColor::Auto, after_help = "\
Examples:
  herald init                         create herald.yaml and a first contract
  herald new orders --kind effect --operation place
                                      create a node project: contract, Python package, tests
  herald check                        lint all contracts of the project
  herald generate contract.yaml       write generated/<node>_events.py
  herald catalog --topics contracts/  list every event and its topic
  herald explain names.collision      explain a diagnostic

Exit codes: 0 success, 1 problems found (errors in contracts, stale files), 2 failure.")]
pub struct Args {
    /// Control when colors are used; `NO_COLOR` is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate event publishers and other files from contracts
    #[command(after_help = "\
Examples:
  herald generate                                   all contracts of the project
  herald generate contracts/ --out src/events       all contracts in a directory
  herald generate contract.yaml --stdout            print instead of writing
  herald generate --standalone --models dataclass   Python code without dependencies
  herald generate --check                           show a diff and exit 1 if files are stale
  herald generate --node-type effect --service-name orders --operation place --stdout

PATH is a file, a directory to search, or a quoted glob. Unchanged files keep their modification
time. Contracts with errors are skipped; files of the other contracts are written.")]
    Generate(Generate),
    /// List the events that contracts publish
    #[command(after_help = "\
Examples:
  herald catalog contract.yaml
  herald catalog --format markdown --out EVENTS.md            a page to commit
  herald catalog --format markdown --out EVENTS.md --check    in CI: exit 1 if it is stale
  herald catalog contract.yaml --format json")]
    Catalog(Catalog),
    /// Estimate event volume and storage
    #[command(after_help = "\
Examples:
  herald volume
  herald volume contracts/ --rate 20-80 --retention 7d --replication 3
  herald volume --format markdown > CAPACITY.md
  herald volume --format json | jq '.topics[] | {topic, disk_bytes}'

Contracts set the number of events per request (`per_request`) and the request rate
(`volume: {requests_per_second: [20, 80]}`). Sizes are measured on example envelopes with the
declared fields. Assumptions are listed below the table.")]
    Volume(volume::Volume),
    /// Print the parsed contracts as JSON
    #[command(after_help = "\
Example:
  herald inspect contracts/ | jq '.contracts[].operations[].name'

The document is {\"contracts\": [ ... ]}, with paths relative to the directory given.")]
    Inspect(Inspect),
    /// Lint contracts
    #[command(after_help = "\
Examples:
  herald check
  herald check 'services/**/contract.yaml'
  herald check --format github          annotations in a pull request
  herald check --format sarif > herald.sarif

Set the severity of rules in herald.yaml:
  rules:
    names.python_keyword: off
    kind.node_type_missing: error

Or in a contract, with a reason:
  operations: [class] # herald: ignore[names.python_keyword] The API calls it so.")]
    Check(Check),
    /// Find changes that break consumers, producers or code
    #[command(after_help = "\
Examples:
  herald breaking --against git:main
  herald breaking --against lock
  herald breaking contracts/ --against git:v1.4.0:contracts --direction consumer
  herald breaking contracts/ --against ../released/contracts --format json
  herald breaking --against git:origin/main --format github

Directions: consumer (an old consumer reads new events), producer (a new consumer reads old
events), source (code that uses the generated module).

Exit codes: 0 nothing breaks, 1 something breaks in a chosen direction, 2 could not run.")]
    Breaking(breaking::Breaking),
    /// Write the lock file of the published contracts
    #[command(after_help = "\
Examples:
  herald lock                         write herald.lock; commit it
  herald breaking --against lock      compare contracts with it
  herald lock --check                 in CI: exit 1 if it is stale

The lock file has what consumers and generated code depend on, one fact a line, so that a review
shows what a change of contracts publishes. Changes that break somebody are shown and not written,
unless --force is given.

Exit codes: 0 written or up to date, 1 stale or breaking changes, 2 failure.")]
    Lock(lock::Lock),
    /// Import the types of payloads from Python code
    #[command(after_help = "\
Examples:
  herald import                       write herald.lock.json; commit it
  herald import --check               in CI: exit 1 if it is stale
  herald import --python .venv-3.12/bin/python

Contracts refer to classes with `payload: {python: \"shop.events:OrderPlaced\"}`. This command imports
their modules with the interpreter of the project, which EXECUTES THEIR CODE, and writes the schemas of
the classes. All other commands read the file, and need no Python.

Exit codes: 0 written or up to date, 1 stale or not importable, 2 failure.")]
    Import(import::Import),
    /// Show the flow of events between all nodes, and what does not fit together
    #[command(after_help = "\
Examples:
  herald graph
  herald graph contracts/ ../billing/contracts ../mail/herald.lock
  herald graph --focus 'orders*'
  herald graph --format html > events.html
  herald graph --format mermaid >> README.md
  herald graph git:main git:../billing@origin/main:contracts
  herald graph --sources src/ --sources web/

Reports topics that are consumed and not published, or published and not consumed, versions of topics
that do not match, topics with several owners, different payloads of one event, and nodes that command
each other in a circle. `workspace` in herald.yaml lists the contracts of the whole system.")]
    Graph(graph::Graph),
    /// Judge a change of contracts as a whole, for a pull request
    #[command(after_help = "\
Examples:
  herald review --against git:origin/main
  herald review --against git:origin/main --format github --write markdown=review.md
  herald review --against lock --topics --write gitlab=gl-code-quality-report.json

Runs `herald check`, `herald breaking`, `herald generate --check` and, with --topics, `herald topics plan`,
and prints one report. `generated.stale: off` below `rules:` in herald.yaml is for projects that do not
commit generated files. Without contracts in the old version, or if they have errors, nothing is compared.

Exit codes: 0 no problems, 1 problems, 2 failure.")]
    Review(Box<review::Review>),
    /// List the rules of check and breaking, with their levels in the project
    Rules(Rules),
    /// Create herald.yaml and a first contract
    Init(Init),
    /// Create a node project: contract, Python package, tests
    #[command(after_help = "\
Examples:
  herald new orders --kind effect --operation place --operation cancel
  herald new --contract contracts/orders.yaml
  herald new orders                   update: generate again, list operations without a method

The directory is named after the node unless --dir is given. Generated files are rewritten by every
run. All other files are written once and never changed again.")]
    New(New),
    /// Explain a diagnostic, with examples
    #[command(after_help = "\
Examples:
  herald explain                      list all codes
  herald explain topic.invalid")]
    Explain(Explain),
    /// Start an in-memory Kafka cluster for development and print its events
    #[command(after_help = "\
Examples:
  herald dev                          topics of the project's contracts
  herald dev contracts/ --partitions 6
  herald dev --count 1 --idle 30s     in a script: exit 1 if no event arrives

The first line on standard output is `export KAFKA_BOOTSTRAP_SERVERS=...` for other terminals; the
system chooses the ports. Producers, consumers and consumer groups work as with a real cluster.
Requests that create, change or describe topics are not supported. All data is lost at the end.

Exit codes: 0 success, 1 fewer events than --count, 2 failure.")]
    Dev(Box<events::Dev>),
    /// Publish events from a file or standard input
    #[command(after_help = "\
Examples:
  herald publish --event-type order.placed --contract contracts/ --payload order.json
  echo '{\"order\": 7}' | herald publish --event-type x --topic test --payload -
  herald publish --jsonl events.jsonl --spool spool.db --receipts receipts.jsonl
  herald publish --jsonl events.jsonl --dry-run

Each line of --jsonl is a JSON object with `payload` and, to override the options above, any of
event_type, topic, partition_key, correlation_id, causation_id, source_node_id, metadata, event_id,
event_timestamp and event_version. A line with `envelope_version` is a complete envelope and is sent
unchanged. Invalid lines are reported and skipped.

With a contract, the event type has to be in it, the topic comes from it, and payloads of declared
events are validated.

Exit codes: 0 every event has a receipt, 1 some have none or the input was not read completely,
2 failure. Without --spool, an event that the cluster does not acknowledge is not kept.")]
    Publish(Box<publish::Publish>),
    /// Print events as they arrive
    #[command(after_help = "\
Examples:
  herald listen                                    topics of the project's contracts
  herald listen 'dev.orders.*' --from 10m
  herald listen --contract contracts/ --event-type '*.failed' --full
  herald listen orders --from beginning --format jsonl | jq .envelope.payload
  herald listen orders --count 1 --idle 30s        in a script: exit 1 if no event arrives

Records that are not OnexEnvelopeV1 are shown with the reason. No consumer group is joined and no
offset is committed. New topics and partitions that match are read from the beginning. Times are UTC.

Exit codes: 0 success, also after Ctrl-C; 1 fewer events than --count; 2 failure.")]
    Listen(Box<events::Listen>),
    /// Judge events by contracts
    #[command(after_help = "\
Examples:
  herald verify                                    all records of the topics of the contracts
  herald verify contracts/ --topic 'dev.orders.*' --since 1h
  herald verify --listen=4545 --require-coverage &  beside a test suite; then:
    curl -X POST http://127.0.0.1:4545/stop; wait $!
  herald verify --group nightly --format sarif > verify.sarif
  herald verify --from-file events.jsonl --format junit > verify.xml

Each event is judged: envelope, event type, payload, topic, key, partition, time, lifecycle (a run that
ended without a start, or started without an end), state transitions, correlation id, duplicate ids, likely
secrets. Values of events are in no report.

From Kafka, everything that was published before the end of the run is read. Partitions that were not
read to there are failures.

Exit codes: 0 all events conform, 1 problems, no events, unread partitions, or events not seen with
--require-coverage, 2 failure.")]
    Verify(Box<verify::Verify>),
    /// Write a first contract from events
    #[command(after_help = "\
Examples:
  herald infer --topic 'prod.orders.*' --since 7d > orders.yaml
  herald infer --from-file events.jsonl --out contracts/

The contract has the event types, topics, keys, fields and types that were seen, with comments about how
often. Values of events are in it only as values of enumerations: a few short words that repeat.

Exit codes: 0 success, 2 failure.")]
    Infer(Box<infer::Infer>),
    /// Find what stands between contracts and their events on a cluster
    #[command(after_help = "\
Examples:
  herald doctor
  herald doctor contracts/ --namespace prod --bootstrap-servers kafka:9092
  herald doctor --format json | jq '.checks[] | select(.verdict == \"problem\")'

Checks the contracts, the way to the cluster (address, advertised addresses, TLS, login), the topics and
their settings, the rights of the client, the largest event, and the spool of this machine with its
permissions and its disk. Each problem has the command or the change that helps. Changes nothing. Clocks
are not compared: the protocol has no request for the time of a broker.

Exit codes: 0 events can be published, 1 problems, 2 failure.")]
    Doctor(doctor::Doctor),
    /// Plan and apply the topics of contracts
    #[command(subcommand)]
    Topics(topics::Topics),
    /// Compare the schemas of contracts with a schema registry, and register them
    #[command(subcommand)]
    Registry(registry::Registry),
    /// Inspect and manage the local spool
    Spool(spool::Spool),
    /// List, copy and check templates and custom targets
    #[command(subcommand)]
    Templates(templates::Templates),
    /// List families of events that can be generated
    #[command(subcommand)]
    Patterns(templates::Patterns),
    /// Print the JSON Schema of a file format
    #[command(after_help = "\
Example:
  herald schema contract > contract.schema.json

For editors with the YAML language server, add this first line to a contract:
  # yaml-language-server: $schema=contract.schema.json")]
    Schema(Schema),
    /// Print a shell completion script
    #[command(after_help = "\
Examples:
  herald completions bash > ~/.local/share/bash-completion/completions/herald
  herald completions zsh > ~/.zfunc/_herald")]
    Completions(Completions),
    /// Print the manual page, or write the pages of all commands
    #[command(after_help = "\
Examples:
  herald man | man -l -
  herald man --out ~/.local/share/man/man1")]
    Man(Man),
    /// Print the licences of the software that the binary contains
    Licenses,
}

/// A node that is described by arguments instead of a file.
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
    /// Service name, used in topics
    #[arg(long, value_name = "NAME", requires = "node_type")]
    pub service_name: Option<String>,
    /// Operation of the node; may be repeated
    #[arg(long = "operation", value_name = "NAME", requires = "node_type")]
    pub operations: Vec<String>,
    /// Omit state events
    #[arg(long, requires = "node_type")]
    pub no_state_events: bool,
    /// Omit metric events
    #[arg(long, requires = "node_type")]
    pub no_metric_events: bool,
}

/// Options for generated Python.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Python")]
pub struct PythonArgs {
    /// Kind of payload models [default: from herald.yaml, else pydantic]
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Models::ALL.map(Models::as_str)))]
    pub models: Option<String>,
    /// Copy the runtime beside the modules, so that they do not need the herald package
    #[arg(long)]
    pub standalone: bool,
}

/// Arguments of `herald generate`.
#[derive(Debug, ClapArgs)]
pub struct Generate {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Target to generate: a name, or the directory of a custom one; may be repeated [default: from herald.yaml, else python]
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Generate only events of these patterns; see `herald patterns list` [default: all]
    #[arg(long = "pattern", value_name = "PATTERN", value_delimiter = ',')]
    pub patterns: Vec<String>,
    /// Options for Python.
    #[command(flatten)]
    pub python: PythonArgs,
    /// Output directory [default: from herald.yaml, else generated]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the files instead of writing them
    #[arg(long, conflicts_with_all = ["out", "check", "force"])]
    pub stdout: bool,
    /// Write nothing; show a diff and exit 1 if files are stale
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Overwrite files that were not written by Herald
    #[arg(long)]
    pub force: bool,
    /// The node, if there is no contract.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Arguments of `herald catalog`.
#[derive(Debug, ClapArgs)]
pub struct Catalog {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: CatalogFormat,
    /// Show the topic of each event
    #[arg(long)]
    pub topics: bool,
    /// Write the page of `--format markdown` to a file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write nothing; show a diff and exit 1 if the file is stale
    #[arg(long, requires = "out")]
    pub check: bool,
    /// Namespace of topics, if contract and project set none
    #[arg(
        long,
        value_name = "NAME",
        default_value = topic::DEFAULT_NAMESPACE,
        value_parser = parse_namespace
    )]
    pub namespace: String,
    /// The node, if there is no contract.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Output formats of a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CatalogFormat {
    /// Aligned columns
    Table,
    /// An object for one contract, a list for several
    Json,
    /// The JSON document as YAML
    Yaml,
    /// A page of topics, events, payloads, producers and consumers
    Markdown,
}

/// Arguments of `herald inspect`.
#[derive(Debug, ClapArgs)]
pub struct Inspect {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub format: InspectFormat,
    /// Print the template data of this custom target instead
    #[arg(long, value_name = "TARGET")]
    pub view: Option<String>,
}

/// Output formats of parsed contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// A JSON document
    Json,
    /// The JSON document as YAML
    Yaml,
}

/// Arguments of `herald check`.
#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "options of the command line")]
pub struct Check {
    /// Contracts: files, directories or globs [default: from herald.yaml, else the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    #[arg(
        help = "Output format: human, json, github, gitlab, sarif or markdown",
        hide_default_value = false
    )]
    pub format: Format,
    /// Solve problems that have a safe solution, in the contracts
    #[arg(long)]
    pub fix: bool,
    /// Write the current diagnostics to the baseline; later runs report only new ones
    #[arg(long, conflicts_with = "fix")]
    pub write_baseline: bool,
    /// Reason of new entries of the baseline
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    pub reason: Option<String>,
    /// Owner of new entries of the baseline
    #[arg(long, value_name = "NAME", requires = "write_baseline")]
    pub owner: Option<String>,
    /// Last day of new entries of the baseline, such as 2027-01-31
    #[arg(long, value_name = "DAY", requires = "write_baseline", value_parser = parse_day)]
    pub until: Option<jiff::civil::Date>,
    /// Report known diagnostics too
    #[arg(long, conflicts_with = "write_baseline")]
    pub no_baseline: bool,
    /// Exit with 1 if there are warnings, as `strict: true` in herald.yaml does
    #[arg(long)]
    pub strict: bool,
}

/// Arguments of `herald rules`.
#[derive(Debug, ClapArgs)]
pub struct Rules {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: RulesFormat,
}

/// Output formats of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// Aligned columns
    Table,
    /// A JSON document with documentation and examples
    Json,
}

/// Arguments of `herald init`.
#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Directory of the project
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// Arguments of `herald new`.
#[derive(Debug, ClapArgs)]
pub struct New {
    /// Name of the node and of its Python package
    #[arg(value_name = "NODE", required_unless_present = "contract")]
    pub node: Option<String>,
    /// Kind of the node
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)))]
    pub kind: Option<String>,
    /// Operation of the node; may be repeated
    #[arg(long = "operation", value_name = "NAME", requires = "kind")]
    pub operations: Vec<String>,
    /// Contract to copy into the new project
    #[arg(long, value_name = "PATH", conflicts_with = "kind")]
    pub contract: Option<String>,
    /// Directory of the project [default: the name of the node]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Arguments of `herald explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// Code of a diagnostic, such as topic.invalid [default: list all codes]
    pub code: Option<String>,
}

/// Arguments of `herald schema`.
#[derive(Debug, ClapArgs)]
pub struct Schema {
    /// File format
    pub of: SchemaOf,
}

/// Formats that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A contract
    Contract,
    /// herald.yaml
    Config,
    /// target.yaml
    Target,
    /// The data of templates
    View,
}

/// Arguments of `herald completions`.
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// Shell
    pub shell: Shell,
}

/// Arguments of `herald man`.
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// Directory to write the pages of all commands to
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Use of colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always, also in files and pipes
    Always,
    /// Never
    Never,
}

impl Color {
    /// Applies the choice to all output of this process.
    pub fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// The namespace of topics, where it takes precedence over that of a contract or the project.
#[derive(Clone, Debug, ClapArgs)]
pub struct Namespace {
    /// Namespace of topics [default: from the contract or herald.yaml, else dev]
    #[arg(long, value_name = "NAME", env = "HERALD_NAMESPACE", hide_env_values = true, value_parser = parse_namespace)]
    pub namespace: Option<String>,
}

impl Namespace {
    /// Returns it, if one is given.
    pub fn get(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

pub fn parse_namespace(name: &str) -> Result<String, String> {
    match topic::validate(name) {
        Ok(()) => Ok(name.to_owned()),
        Err(reason) => Err(format!("not a valid start of a topic name: {reason}")),
    }
}

fn parse_day(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse()
        .map_err(|_| "expected a day such as 2027-01-31".to_owned())
}

fn parse_format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|_| {
        let names: Vec<_> = Format::all().map(Format::as_str).collect();
        format!("expected one of {}", names.join(", "))
    })
}
