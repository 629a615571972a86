//! `herald dev`: a Kafka-compatible cluster in memory that prints its events.

use std::io::{self, Write as _};
use std::time::Duration;

use herald_diagnostics::render::Format;
use herald_publish::kafka::{DevCluster, KafkaOptions, StartPosition, TopicReader};

use crate::args::events::{Dev, EventFormat};
use crate::connection::{BOOTSTRAP_SERVERS, CONNECT_TIMEOUT, cluster_error};
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, BOLD, DIM, GREEN, YELLOW};
use crate::wanted_topics::{self, ContractTopic, Role};
use crate::{Error, ExitStatus, events, project};

/// Time between two look-ups of new topics.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn run(args: &Dev) -> Result<ExitStatus, Error> {
    let topics = load_topics(args)?;
    let cluster = DevCluster::start(args.brokers).map_err(|failure| cluster_error(&failure))?;
    for ContractTopic { topic, .. } in &topics {
        let replicas = topic.replication_factor.unwrap_or(u32::from(args.brokers));
        let replicas = u16::try_from(replicas).unwrap_or(args.brokers);
        cluster
            .create_topic(
                &topic.name,
                topic.partitions.unwrap_or(args.partitions),
                replicas.min(args.brokers),
            )
            .map_err(|failure| cluster_error(&failure))?;
    }
    let servers = cluster.bootstrap_servers();
    let options = KafkaOptions::new(&servers);
    let listener = TopicReader::connect(&options, CONNECT_TIMEOUT)
        .map_err(|failure| cluster_error(&failure))?;
    let mut listener = listener.refresh_interval(POLL_INTERVAL);
    // Follows every topic, also those that a producer creates by publishing to them.
    listener
        .follow(|_| true, StartPosition::Beginning, CONNECT_TIMEOUT)
        .map_err(|failure| cluster_error(&failure))?;
    // Before this, an interruption ends the process at once.
    let interrupt = Interrupt::watch()?;
    print_banner(args, &topics, &servers)?;
    events::watch(
        &mut listener,
        &args.show,
        &args.end,
        args.duration,
        &interrupt,
    )
}

/// Returns the topics of the contracts without errors, and their dead letter topics.
fn load_topics(args: &Dev) -> Result<Vec<ContractTopic>, Error> {
    let project = project::find()?;
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    terminal::print_errors(&mut loaded);
    let broken = loaded.sources_with_errors();
    let catalog = &mut loaded.catalog;
    catalog
        .nodes
        .retain(|node| !broken.contains(&node.location.source));
    if !broken.is_empty() {
        terminal::status(&format!(
            "{YELLOW}note{YELLOW:#}: topics of contracts with errors are not created\n"
        ));
    }
    let mut topics = wanted_topics::of_catalog(catalog, args.namespace.get())
        .map_err(wanted_topics::report_problems)?;
    topics.extend(wanted_topics::dead_letter_topics(&topics));
    topics.sort_by(|a, b| a.topic.name.cmp(&b.topic.name));
    Ok(topics)
}

fn print_banner(args: &Dev, all: &[ContractTopic], servers: &str) -> io::Result<()> {
    terminal::status(&format!(
        "{BOLD}Kafka-compatible cluster in memory, for development only.{BOLD:#} All data is lost when \
         it stops.\nEach partition keeps its last 5 MiB.\n"
    ));
    let topics = all.iter().filter(|it| it.role != Role::DeadLetters);
    let width = topics.clone().map(|it| it.topic.name.len()).max();
    let width = width.unwrap_or_default();
    for ContractTopic { topic, .. } in topics.clone() {
        let partitions = topic.partitions.unwrap_or(args.partitions);
        let partitions = count(partitions, "partition");
        let name = &topic.name;
        terminal::status(&format!(
            "  {GREEN}+{GREEN:#} {name:width$}  {DIM}{partitions}{DIM:#}"
        ));
    }
    let topics = topics.count();
    terminal::status(&format!(
        "  {}, and {} for dead letters. Any other topic is created with {} partitions by the first\n  \
         event published to it.\n",
        count(topics, "topic"),
        all.len() - topics,
        DevCluster::AUTO_CREATED_PARTITIONS
    ));
    let export = format!("export {BOOTSTRAP_SERVERS}={servers}");
    match args.show.format {
        EventFormat::Text => {
            let mut out = anstream::stdout().lock();
            writeln!(out, "{BOLD}{export}{BOLD:#}")?;
            out.flush()?;
        }
        EventFormat::Jsonl => terminal::status(&export),
    }
    terminal::status(&format!(
        "\n{DIM}Printing events as they arrive; press Ctrl-C to stop.{DIM:#}"
    ));
    Ok(())
}
