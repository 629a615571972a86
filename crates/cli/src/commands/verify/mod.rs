//! `herald verify`: judges events by contracts.

pub mod from_kafka;
mod junit;
mod sarif;
mod stop_server;

use herald_diagnostics::render::{Format, visible_line};
use herald_verify::{Coverage, Finding, Options, Report, Verifier};
use serde_json::{Value, json};

use super::publish::input::each_line;
use crate::args::verify::{Verify, VerifyFormat};
use crate::format::count;
use crate::table::{Column, Table};
use crate::terminal::{self, DIM, GREEN, RED};
use crate::{Error, ExitStatus, output, project};

static PROBLEMS: [Column; 5] = [
    Column::text("KIND"),
    Column::text("EVENT TYPE"),
    Column::main("PROBLEM"),
    Column::number("EVENTS"),
    Column::text("FIRST"),
];

static COVERAGE: [Column; 3] = [
    Column::text("NODE"),
    Column::main("EVENT TYPE"),
    Column::number("EVENTS"),
];

/// Raised when a field changes its meaning or is removed. New fields may come without notice.
const VERSION: u32 = 1;

/// Runs the command.
pub fn run(args: &Verify) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut loaded = project::load(&project, &args.paths, Format::Human)?;
    if loaded.has_errors() {
        terminal::print_errors(&mut loaded);
        return Err(Error::Message(
            "events can't be judged by contracts with errors; fix them first".to_owned(),
        ));
    }
    let options = Options {
        namespace: args.namespace.clone(),
        run_timeout_seconds: i64::try_from(args.run_timeout.as_secs()).unwrap_or(i64::MAX),
        has_beginning: args.from_file.is_some(),
    };
    let mut verifier = Verifier::new(&loaded.catalog, options);
    let reading = match &args.from_file {
        Some(path) => {
            each_line(path, |line| match line.bytes {
                Ok(bytes) => verifier.judge_line(bytes, line.number),
                Err(_) => verifier.judge_long_line(line.number),
            })?;
            None
        }
        None => Some(from_kafka::read(args, &project, &loaded, &mut verifier)?),
    };
    let report = verifier.finish();
    let incomplete = reading.as_ref().map(|reading| reading.failures.as_slice());
    let verdict = Verdict::of(args, &report, incomplete.unwrap_or_default());
    match args.format {
        VerifyFormat::Table => output::text(&table(&report))?,
        VerifyFormat::Json => output::json(&document(&report, &verdict))?,
        VerifyFormat::Junit => output::text(&junit::document(&report, &verdict.failures))?,
        VerifyFormat::Sarif => sarif::write(&report, &verdict.incomplete, &mut loaded)?,
    }
    summarize(&report, &verdict);
    if let Some(reading) = reading {
        reading.commit()?;
    }
    Ok(if verdict.failures.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

/// Whether the events conform, and if not, why.
struct Verdict {
    failures: Vec<String>,
    /// Failures about events that were not seen.
    incomplete: Vec<String>,
    unseen: Vec<String>,
    seen: usize,
    declared: usize,
}

impl Verdict {
    /// `incomplete` tells what was not read.
    fn of(args: &Verify, report: &Report, incomplete: &[String]) -> Self {
        let counts =
            |finding: &&Finding| args.fail_on.is_empty() || args.fail_on.contains(&finding.kind);
        let problems: u64 = report
            .findings
            .iter()
            .filter(counts)
            .map(|finding| finding.count)
            .sum();
        let unseen: Vec<_> = (report.coverage.iter())
            .filter(|event| event.count == 0)
            .map(|event| event.event_type.clone())
            .collect();
        let mut missing = Vec::new();
        if report.records == 0 {
            missing.push("there were no events".to_owned());
        }
        missing.extend_from_slice(incomplete);
        if args.require_coverage && !unseen.is_empty() {
            missing.push(format!(
                "{} not seen",
                count(unseen.len(), "declared event")
            ));
        }
        let mut failures = missing.clone();
        if problems > 0 {
            failures.push(count(problems, "problem"));
        }
        Self {
            failures,
            incomplete: missing,
            seen: report.coverage.len() - unseen.len(),
            declared: report.coverage.len(),
            unseen,
        }
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        let rows: Vec<_> = report.findings.iter().map(problem_row).collect();
        text.push_str(&Table::new(&PROBLEMS, terminal::width()).rows_to_text(&rows));
        text.push('\n');
    }
    let row = |event: &Coverage| {
        let count = event.count.to_string();
        vec![
            visible_line(&event.node),
            visible_line(&event.event_type),
            count,
        ]
    };
    let rows: Vec<_> = report.coverage.iter().map(row).collect();
    text.push_str(&Table::new(&COVERAGE, terminal::width()).rows_to_text(&rows));
    text
}

fn problem_row(finding: &Finding) -> Vec<String> {
    let event_type = if finding.event_type.is_empty() {
        "-".to_owned()
    } else {
        visible_line(&finding.event_type)
    };
    let first = finding.samples.first().map(|sample| sample.place.clone());
    vec![
        finding.kind.to_string(),
        event_type,
        visible_line(&finding.message),
        finding.count.to_string(),
        first.unwrap_or_default(),
    ]
}

fn summarize(report: &Report, verdict: &Verdict) {
    let events = count(report.records, "event");
    let covered = format!(
        "{} of {} declared events seen",
        verdict.seen, verdict.declared
    );
    if verdict.failures.is_empty() {
        let others: u64 = report.findings.iter().map(|finding| finding.count).sum();
        let others = if others > 0 {
            format!(", {} of other kinds", count(others, "problem"))
        } else {
            String::new()
        };
        terminal::status(&format!(
            "{GREEN}conform{GREEN:#}: {events}, {covered}{others}"
        ));
    } else {
        let reasons = verdict.failures.join(", ");
        terminal::status(&format!(
            "{RED}failed{RED:#}: {reasons}; {events}, {covered}"
        ));
    }
    if report.forgotten_runs > 0 {
        let runs = count(report.forgotten_runs, "run");
        terminal::status(&format!(
            "{DIM}{runs} forgotten before they ended, because too many were open at once{DIM:#}"
        ));
    }
}

fn document(report: &Report, verdict: &Verdict) -> Value {
    json!({
        "version": VERSION,
        "conform": verdict.failures.is_empty(),
        "failures": verdict.failures,
        "events": report.records,
        "problems": report.findings,
        "coverage": report.coverage,
        "not_seen": verdict.unseen,
        "forgotten_runs": report.forgotten_runs,
    })
}
