//! `herald dev`: a cluster in memory, and the events on it.

use std::io::{self, Write as _};
use std::time::Duration;

use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::Format;
use herald_publish::kafka::{DevCluster, KafkaOptions, Listener, Start};

use crate::args::events::{Dev, EventFormat};
use crate::asked::{self, Asked, Role};
use crate::connection::{PATIENCE, SERVERS, failed};
use crate::interrupt::Interrupt;
use crate::terminal::{self, BOLD, DIM, GREEN, YELLOW, count};
use crate::{Failure, events, project};

/// How often is looked for new topics: everything is near and small here.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn run(args: &Dev) -> Result<u8, Failure> {
    let asked = topics(args)?;
    let cluster = DevCluster::start(args.brokers).map_err(|failure| failed(&failure))?;
    for asked in &asked {
        let topic = &asked.topic;
        let replicas = topic.replication_factor.unwrap_or(u32::from(args.brokers));
        let replicas = u16::try_from(replicas).unwrap_or(args.brokers);
        cluster
            .create_topic(
                &topic.name,
                topic.partitions.unwrap_or(args.partitions),
                replicas.min(args.brokers),
            )
            .map_err(|failure| failed(&failure))?;
    }
    let servers = cluster.bootstrap_servers();
    let options = KafkaOptions::new(&servers);
    let listener = Listener::connect(&options, PATIENCE).map_err(|failure| failed(&failure))?;
    let mut listener = listener.refreshed_every(LOOK);
    // Topics that come into being by somebody publishing to them are shown too.
    listener
        .follow(|_| true, Start::Beginning, PATIENCE)
        .map_err(|failure| failed(&failure))?;
    // Until here, an interruption ends the process at once.
    let interrupt = Interrupt::watch()?;
    tell(args, &asked, &servers)?;
    events::watch(
        &mut listener,
        &args.show,
        &args.end,
        args.duration,
        &interrupt,
    )
}

/// The topics of the contracts that are without errors, and their dead letters.
fn topics(args: &Dev) -> Result<Vec<Asked>, Failure> {
    let project = project::find()?;
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    loaded.diagnostics.retain(Diagnostic::is_error);
    terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
    let broken = loaded.broken();
    let catalog = &mut loaded.catalog;
    catalog
        .nodes
        .retain(|node| !broken.contains(&node.location.source));
    if !broken.is_empty() {
        terminal::status(&format!(
            "{YELLOW}note{YELLOW:#}: topics of contracts with errors are not made\n"
        ));
    }
    let mut asked = asked::topics(catalog, args.namespace.as_deref()).map_err(asked::all)?;
    asked.extend(asked::dead_letters(&asked));
    asked.sort_by(|a, b| a.topic.name.cmp(&b.topic.name));
    Ok(asked)
}

fn tell(args: &Dev, asked: &[Asked], servers: &str) -> io::Result<()> {
    terminal::status(&format!(
        "{BOLD}A Kafka-compatible cluster in memory, for development only.{BOLD:#} Its events are \
         gone when it ends,\nand of each partition it keeps the last 5 MiB.\n"
    ));
    let topics = asked.iter().filter(|asked| asked.role != Role::DeadLetters);
    let width = topics.clone().map(|asked| asked.topic.name.len()).max();
    let width = width.unwrap_or_default();
    for asked in topics.clone() {
        let partitions = asked.topic.partitions.unwrap_or(args.partitions);
        let partitions = count(partitions as usize, "partition");
        let name = &asked.topic.name;
        terminal::status(&format!(
            "  {GREEN}+{GREEN:#} {name:width$}  {DIM}{partitions}{DIM:#}"
        ));
    }
    let topics = topics.count();
    terminal::status(&format!(
        "  {}, and {} for dead letters; any other topic is made with {} partitions when somebody\n  \
         publishes to it\n",
        count(topics, "topic"),
        asked.len() - topics,
        DevCluster::PARTITIONS_OF_UNKNOWN
    ));
    let export = format!("export {SERVERS}={servers}");
    match args.show.format {
        EventFormat::Text => {
            let mut out = anstream::stdout().lock();
            writeln!(out, "{BOLD}{export}{BOLD:#}")?;
            out.flush()?;
        }
        EventFormat::Jsonl => terminal::status(&export),
    }
    terminal::status(&format!(
        "\n{DIM}Events as they arrive; Ctrl-C ends.{DIM:#}"
    ));
    Ok(())
}
