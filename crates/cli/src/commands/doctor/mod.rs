//! `herald doctor`: finds what stands between contracts and their first event on a cluster.

mod cluster;
mod network;
mod spool;
mod topics;

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use serde_json::{Value, json};

use crate::args::doctor::{Doctor, DoctorFormat};
use crate::connection;
use crate::format::count;
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::wanted_topics;
use crate::{Error, ExitStatus, output, project};

/// Names that are listed of many.
const MAX_NAMED: usize = 5;

/// Verdict of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// Events are published, but somebody should look at it.
    Warning,
    /// Events are not published, or not all.
    Problem,
    /// It could not be checked.
    Skipped,
}

/// Result of a check.
struct Check {
    /// Subject, in one word.
    subject: &'static str,
    verdict: Verdict,
    text: String,
    /// Command or change that helps.
    fix: Option<String>,
}

impl Check {
    fn good(subject: &'static str, text: impl Into<String>) -> Self {
        Self {
            subject,
            verdict: Verdict::Good,
            text: text.into(),
            fix: None,
        }
    }

    fn problem(subject: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            subject,
            verdict: Verdict::Problem,
            text: text.into(),
            fix: Some(fix.into()),
        }
    }

    fn warning(subject: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            ..Self::problem(subject, text, fix)
        }
    }

    fn skipped(subject: &'static str, text: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Skipped,
            ..Self::good(subject, text)
        }
    }

    /// Adds a command or a change that would help.
    fn with_fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}

/// Runs the command.
pub fn run(args: &Doctor) -> Result<ExitStatus, Error> {
    let checks = examine(args)?;
    match args.format {
        DoctorFormat::Text => output::text(&text(&checks))?,
        DoctorFormat::Json => output::json(&document(&checks))?,
    }
    let is_problem = |check: &Check| check.verdict == Verdict::Problem;
    Ok(if checks.iter().any(is_problem) {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

fn examine(args: &Doctor) -> Result<Vec<Check>, Error> {
    let project = project::find()?;
    let loaded = wanted_topics::load_contracts(&project, &args.paths)?;
    let topics = wanted_topics::of_catalog(&loaded.catalog, args.namespace.get())
        .map_err(wanted_topics::report_problems)?;
    let events: usize = loaded.catalog.nodes.iter().map(|it| it.events.len()).sum();
    let mut checks = vec![Check::good(
        "contracts",
        format!(
            "{} with {}, on {}",
            count(loaded.catalog.nodes.len(), "contract"),
            count(events, "event"),
            count(topics.len(), "topic"),
        ),
    )];
    let cluster_id = match connection::options(&args.cluster, &project) {
        Ok(options) => {
            let contracts = topics::Contracts {
                args,
                nodes: &loaded.catalog.nodes,
                topics: &topics,
            };
            cluster::examine(&options, &contracts, &mut checks)
        }
        Err(Error::Message(message)) => {
            let fix = "name a cluster, as above";
            checks.push(Check::problem("cluster", message, fix));
            None
        }
        Err(error) => return Err(error),
    };
    let clock = "not compared: the protocol has no request for the time of a broker";
    checks.push(Check::skipped("clock", clock).with_fix("timedatectl, here and there"));
    checks.extend(spool::examine(args, &project, cluster_id.as_deref()));
    Ok(checks)
}

fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = all.len().saturating_sub(MAX_NAMED);
    let mut text = all.take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let (word, style) = match check.verdict {
            Verdict::Good => ("ok", GREEN),
            Verdict::Warning => ("warning", YELLOW),
            Verdict::Problem => ("problem", RED),
            Verdict::Skipped => ("skipped", DIM),
        };
        let (subject, line) = (check.subject, visible_line(&check.text));
        let _ = writeln!(
            text,
            "{style}{word:<7}{style:#}  {BOLD}{subject:<9}{BOLD:#}  {line}"
        );
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "{:20}{DIM}→{DIM:#} {}", "", visible_line(fix));
        }
    }
    let of = |verdict| checks.iter().filter(|it| it.verdict == verdict).count();
    let (problems, warnings) = (of(Verdict::Problem), of(Verdict::Warning));
    let summary = match (problems, warnings) {
        (0, 0) => "Events can be published".to_owned(),
        (0, _) => format!("Events can be published; {}", count(warnings, "warning")),
        (_, 0) => count(problems, "problem"),
        _ => format!(
            "{}, {}",
            count(problems, "problem"),
            count(warnings, "warning")
        ),
    };
    format!("{text}\n{summary}")
}

/// `{"checks": [{"subject", "verdict", "text", "fix"}]}`.
fn document(checks: &[Check]) -> Value {
    let checks = checks.iter().map(|check| {
        let verdict = match check.verdict {
            Verdict::Good => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
            Verdict::Skipped => "skipped",
        };
        json!({
            "subject": check.subject,
            "verdict": verdict,
            "text": check.text,
            "fix": check.fix,
        })
    });
    json!({ "checks": checks.collect::<Vec<_>>() })
}
