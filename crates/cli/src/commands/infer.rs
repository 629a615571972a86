//! `herald infer`: writes a first contract from events.

use std::fs;
use std::path::Path;

use herald_diagnostics::render::visible_line;
use herald_envelope::Received;
use herald_project::Project;
use herald_publish::kafka::ConsumerRecord;
use herald_verify::infer::{Inference, InferredContract};

use super::publish::input::each_line;
use super::verify::from_kafka;
use crate::args::infer::Infer;
use crate::args::verify::FromKafka;
use crate::format::count;
use crate::terminal::{self, DIM, GREEN, YELLOW};
use crate::topic_selection::TopicSelection;
use crate::{Error, ExitStatus, output, project};

/// Runs the command.
pub fn run(args: &Infer) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut inference = Inference::default();
    match &args.from_file {
        Some(path) => each_line(path, |line| {
            inference.add_line(line.bytes.unwrap_or_default());
        })?,
        None => read_topics(args, &project, &mut inference)?,
    }
    let mut contracts = inference.contracts();
    if let Some(service) = &args.service {
        contracts.retain(|contract| contract.service == *service);
    }
    if contracts.is_empty() {
        return Err(Error::Message(format!(
            "no contract can be written: {}, {} of them not envelopes",
            count(inference.records(), "record"),
            inference.not_envelopes()
        )));
    }
    match &args.out {
        Some(folder) => write(folder, &contracts)?,
        None => output::text(only(&contracts)?)?,
    }
    summarize(&inference, &contracts);
    Ok(ExitStatus::Success)
}

fn read_topics(args: &Infer, project: &Project, inference: &mut Inference) -> Result<(), Error> {
    let records = FromKafka {
        since: args.since,
        count: args.count,
        ..FromKafka::default()
    };
    let wanted = TopicSelection::of_arguments(&args.topics)?;
    let mut add = |record: &ConsumerRecord, _| {
        let received = Received {
            value: record.payload.as_deref().unwrap_or_default(),
            headers: &record.header_pairs(),
            timestamp: record.timestamp.and_then(|time| time.try_into().ok()),
        };
        inference.add(Some(&record.topic), &received);
    };
    let reading = from_kafka::read_records(wanted, &records, &args.cluster, project, &mut add)?;
    for failure in &reading.failures {
        terminal::status(&format!("{YELLOW}note{YELLOW:#}: {failure}"));
    }
    Ok(())
}

/// The contract, if there is one only.
fn only(contracts: &[InferredContract]) -> Result<&str, Error> {
    if let [contract] = contracts {
        return Ok(&contract.text);
    }
    let services: Vec<_> = contracts
        .iter()
        .map(|contract| visible_line(&contract.service))
        .collect();
    Err(Error::Message(format!(
        "the events are of {}: {}; choose one with --service, or write all with --out DIR",
        count(services.len(), "service"),
        services.join(", ")
    )))
}

fn write(folder: &Path, contracts: &[InferredContract]) -> Result<(), Error> {
    fs::create_dir_all(folder)?;
    let names = file_names(contracts);
    // Checked before the first is written.
    let existing = names.iter().find(|name| folder.join(name).exists());
    if let Some(name) = existing {
        return Err(Error::Message(format!(
            "{} exists; nothing was written",
            folder.join(name).display()
        )));
    }
    for (name, contract) in names.iter().zip(contracts) {
        let path = folder.join(name);
        fs::write(&path, &contract.text)?;
        terminal::status(&format!("{GREEN}wrote{GREEN:#} {}", terminal::path(&path)));
    }
    Ok(())
}

/// A name for each contract, of the letters and digits of its service.
fn file_names(contracts: &[InferredContract]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for contract in contracts {
        let slug = herald_catalog::ident::slug(&contract.service);
        let slug: String = slug.chars().take(100).collect();
        let slug = if slug.is_empty() { "unknown" } else { &slug };
        let mut name = format!("{slug}.yaml");
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = format!("{slug}-{number}.yaml");
        }
        names.push(name);
    }
    names
}

fn summarize(inference: &Inference, contracts: &[InferredContract]) {
    let types = contracts
        .iter()
        .map(|contract| contract.event_types)
        .sum::<usize>();
    terminal::status(&format!(
        "{GREEN}inferred{GREEN:#} {} of {} from {}; review it, then run `herald check` and `herald verify`",
        count(types, "event type"),
        count(contracts.len(), "service"),
        count(inference.records(), "record")
    ));
    for (number, what) in [
        (inference.not_envelopes(), "not envelopes"),
        (
            inference.left_out(),
            "left out: too many event types, or names without letters",
        ),
    ] {
        if number > 0 {
            let records = count(number, "record");
            terminal::status(&format!("{DIM}{records} {what}{DIM:#}"));
        }
    }
}
