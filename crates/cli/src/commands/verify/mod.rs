//! `herald verify`: judges events by contracts.

mod junit;

use std::borrow::Cow;

use herald_catalog::load::Loaded;
use herald_diagnostics::render::{Format, visible_line};
use herald_envelope::Timestamp;
use herald_verify::{Coverage, Finding, Kind, Options, Record, Report, Verifier};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::publish::input::Input;
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

/// A record as `herald listen --format jsonl` writes it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    partition: Option<i32>,
    offset: Option<i64>,
    key: Option<Value>,
    #[serde(borrow)]
    envelope: Option<&'a RawValue>,
    #[serde(borrow)]
    envelope_version: Option<&'a RawValue>,
}

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
        now: Timestamp::now(),
    };
    let report = judge(args, &loaded, options)?;
    let verdict = Verdict::of(args, &report);
    match args.format {
        VerifyFormat::Table => output::text(&table(&report))?,
        VerifyFormat::Json => output::json(&document(&report, &verdict))?,
        VerifyFormat::Junit => output::text(&junit::document(&report, &verdict.failures))?,
    }
    summarize(&report, &verdict);
    Ok(if verdict.failures.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

fn judge(args: &Verify, loaded: &Loaded, options: Options) -> Result<Report, Error> {
    let input = Input::open(&args.from_file)?;
    let name = input.name.clone();
    let mut verifier = Verifier::new(&loaded.catalog, options);
    for chunk in input.lines()? {
        let chunk =
            chunk.map_err(|error| Error::Message(format!("can't read `{name}`: {error}")))?;
        for line in chunk.lines {
            let place = format!("line {}", line.number);
            match line.bytes {
                Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
                Ok(bytes) => judge_line(&mut verifier, &bytes, &place),
                Err(_) => verifier.judge(&Record {
                    place: &place,
                    ..Record::default()
                }),
            }
        }
    }
    Ok(verifier.finish())
}

fn judge_line(verifier: &mut Verifier<'_>, bytes: &[u8], place: &str) {
    let plain = Record {
        value: bytes,
        place,
        ..Record::default()
    };
    let Ok(line) = serde_json::from_slice::<Line<'_>>(bytes) else {
        verifier.judge(&plain);
        return;
    };
    if line.envelope_version.is_some() || line.topic.is_none() {
        verifier.judge(&plain);
        return;
    }
    let place = match (line.partition, line.offset) {
        (Some(partition), Some(offset)) => {
            format!("{place} (partition {partition}, offset {offset})")
        }
        _ => place.to_owned(),
    };
    // A key that is not text is another one than that of any envelope.
    let key = line.key.as_ref().map(|key| match key {
        Value::Null => None,
        Value::String(text) => Some(text.as_bytes()),
        _ => Some(&[][..]),
    });
    verifier.judge(&Record {
        topic: line.topic.as_deref(),
        key,
        value: line
            .envelope
            .map_or(&[][..], |envelope| envelope.get().as_bytes()),
        place: &place,
    });
}

/// Whether the events conform, and if not, why.
struct Verdict {
    failures: Vec<String>,
    unseen: Vec<String>,
    seen: usize,
    declared: usize,
}

impl Verdict {
    fn of(args: &Verify, report: &Report) -> Self {
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
        let mut failures = Vec::new();
        if report.records == 0 {
            failures.push("there were no events".to_owned());
        }
        if problems > 0 {
            failures.push(count(problems, "problem"));
        }
        if args.require_coverage && !unseen.is_empty() {
            failures.push(format!(
                "{} not seen",
                count(unseen.len(), "declared event")
            ));
        }
        Self {
            failures,
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
    let findings = report.findings.iter().map(|finding| {
        let samples = finding.samples.iter();
        json!({
            "kind": Kind::as_str(finding.kind),
            "event_type": finding.event_type,
            "message": finding.message,
            "count": finding.count,
            "samples": samples.map(|sample| json!({
                "place": sample.place,
                "event_id": sample.event_id,
            })).collect::<Vec<_>>(),
        })
    });
    let coverage = report.coverage.iter().map(
        |event| json!({"node": event.node, "event_type": event.event_type, "count": event.count}),
    );
    json!({
        "version": VERSION,
        "conform": verdict.failures.is_empty(),
        "failures": verdict.failures,
        "events": report.records,
        "problems": findings.collect::<Vec<_>>(),
        "coverage": coverage.collect::<Vec<_>>(),
        "not_seen": verdict.unseen,
        "forgotten_runs": report.forgotten_runs,
    })
}
