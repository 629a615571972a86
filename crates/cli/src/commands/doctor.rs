//! `herald doctor`: finds what stands between contracts and their first event on a cluster.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use herald_diagnostics::render::visible_line;
use herald_project::Project;
use herald_publish::kafka::{Admin, Difference, KafkaOptions, PlannedTopic, WantedTopic};
use herald_publish::{Failure, FailureCode};
use herald_spool::{Inspector, SpoolError};
use serde_json::{Value, json};

use super::spool::location;
use crate::args::doctor::{Doctor, DoctorFormat};
use crate::connection::{self, CONNECT_TIMEOUT};
use crate::format::count;
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW};
use crate::wanted_topics::{self, ContractTopic, Role};
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
        Ok(options) => examine_cluster(&options, &topics, &mut checks),
        Err(Error::Message(message)) => {
            let fix = "name a cluster, as above";
            checks.push(Check::problem("cluster", message, fix));
            None
        }
        Err(error) => return Err(error),
    };
    checks.extend(examine_spool(args, &project, cluster_id.as_deref()));
    Ok(checks)
}

/// Checks the way to the cluster, and the topics there. Returns the id of the cluster.
fn examine_cluster(
    options: &KafkaOptions,
    topics: &[ContractTopic],
    checks: &mut Vec<Check>,
) -> Option<String> {
    let began = Instant::now();
    let reached = Admin::connect(options, CONNECT_TIMEOUT)
        .and_then(|admin| Ok((admin.broker_count()?, admin)));
    let took = began.elapsed().as_millis();
    let (brokers, admin) = match reached {
        Ok(reached) => reached,
        Err(failure) => {
            let fix = way_to_the_cluster(&failure);
            checks.push(Check::problem("cluster", failure.detail, fix));
            checks.push(Check::skipped("topics", "the cluster was not reached"));
            return None;
        }
    };
    let id = admin.cluster_id();
    let named = id.as_ref().map(|id| format!(", cluster id {id}"));
    checks.push(Check::good(
        "cluster",
        format!(
            "{} at {}{}, {took} ms",
            count(brokers, "broker"),
            options.bootstrap_servers(),
            named.unwrap_or_default(),
        ),
    ));
    examine_topics(&admin, topics, checks);
    id
}

/// Advice for a cluster that was not reached.
fn way_to_the_cluster(failure: &Failure) -> &'static str {
    match failure.code {
        FailureCode::AuthenticationFailed => {
            "check sasl.mechanism, sasl.username and sasl.password; the user must exist on the cluster"
        }
        FailureCode::TlsFailed => {
            "check security.protocol and ssl.ca.location; the certificate must be for the address"
        }
        FailureCode::Unsupported => "name a real cluster; one of `herald dev` needs no topics",
        _ => {
            "check the address, security.protocol and the network; the brokers must advertise addresses that this \
             machine reaches (advertised.listeners)"
        }
    }
}

fn examine_topics(admin: &Admin, topics: &[ContractTopic], checks: &mut Vec<Check>) {
    let (read, written): (Vec<_>, Vec<_>) = topics.iter().partition(|it| it.role == Role::Consumed);
    let wanted: Vec<WantedTopic> = written.iter().map(|it| it.topic.clone()).collect();
    let plan = match admin.plan(wanted) {
        Ok(plan) => plan,
        Err(failure) => {
            let fix = "the permission DescribeConfigs on topics may be missing";
            checks.push(Check::problem("topics", failure.detail, fix));
            return;
        }
    };
    let is_missing = |it: &&PlannedTopic| it.differences.contains(&Difference::Missing);
    let (missing, there): (Vec<_>, Vec<_>) = plan.topics.iter().partition(is_missing);
    if missing.is_empty() {
        let text = format!("{}, none is missing", count(there.len(), "topic"));
        checks.push(Check::good("topics", text));
    } else {
        let names = names(missing.iter().map(|it| it.wanted.name.as_str()));
        let are = if missing.len() == 1 { "is" } else { "are" };
        let (number, all) = (missing.len(), plan.topics.len());
        let text = format!("{number} of {all} {are} missing: {names}");
        checks.push(Check::problem("topics", text, "herald topics apply --yes"));
    }
    let drifted: Vec<_> = there.iter().filter(|it| !it.is_in_sync()).collect();
    if !drifted.is_empty() {
        let names = names(drifted.iter().map(|it| it.wanted.name.as_str()));
        let text = format!("other settings than in the contract: {names}");
        checks.push(Check::warning("topics", text, "herald topics plan"));
    }
    if let Ok(existing) = admin.topic_names() {
        let absent = read.iter().filter(|it| !existing.contains(&it.topic.name));
        let absent: Vec<&str> = absent.map(|it| it.topic.name.as_str()).collect();
        if !absent.is_empty() {
            let text = format!("consumed, and not there: {}", names(absent.into_iter()));
            let fix = "start who publishes to them, or herald topics apply --consumed --yes";
            checks.push(Check::warning("topics", text, fix));
        }
    }
    let there: Vec<String> = there.iter().map(|it| it.wanted.name.clone()).collect();
    if !there.is_empty() {
        examine_access(admin, &there, checks);
    }
}

/// Checks what the client may do with topics that exist.
fn examine_access(admin: &Admin, topics: &[String], checks: &mut Vec<Check>) {
    let described = admin.describe(topics);
    let denied = described
        .iter()
        .filter(|(_, it)| it.may_write == Some(false));
    let denied: Vec<&str> = denied.map(|(name, _)| name.as_str()).collect();
    let known = described.values().filter(|it| it.may_write.is_some());
    if !denied.is_empty() {
        let text = format!("may not write to {}", names(denied.into_iter()));
        let fix = "give the user of this client the permission WRITE on these topics (kafka-acls)";
        checks.push(Check::problem("rights", text, fix));
    } else if known.count() == topics.len() {
        checks.push(Check::good("rights", "may write to every topic"));
    } else {
        let text = "the cluster does not tell them; it is older than Kafka 2.3, or DESCRIBE is \
                    not permitted";
        checks.push(Check::skipped("rights", text));
    }
    let limits = described
        .iter()
        .filter_map(|(name, it)| Some((it.max_batch_bytes?, name)));
    match limits.min() {
        Some((bytes, name)) => checks.push(Check::good(
            "size",
            format!("events up to {bytes} bytes ({name})"),
        )),
        None => checks.push(Check::skipped(
            "size",
            "the permission DescribeConfigs is missing: events that are too large are found when \
             they are sent",
        )),
    }
}

/// Checks the spool, if one is configured.
fn examine_spool(args: &Doctor, project: &Project, cluster_id: Option<&str>) -> Vec<Check> {
    let is_named = args.spool.is_some()
        || std::env::var_os(location::VARIABLE).is_some()
        || project.spool.is_some();
    if !is_named {
        let text = "none is configured here; services may name their own";
        return vec![Check::skipped("spool", text)];
    }
    let path = match location::find(args.spool.as_deref()) {
        Ok(path) => path,
        Err(error) => return vec![Check::problem("spool", error.to_string(), "name a file")],
    };
    let shown = terminal::path(&path);
    let inspected = Inspector::open(&path)
        .and_then(|inspector| Ok((inspector.status()?, inspector.cluster()?)));
    let (status, cluster) = match inspected {
        Ok(inspected) => inspected,
        Err(SpoolError::NotFound { .. }) => return vec![examine_folder(&path)],
        Err(error) => {
            let fix = "herald spool verify";
            return vec![Check::problem("spool", error.to_string(), fix)];
        }
    };
    let mut checks = Vec::new();
    if let (Some(noted), Some(id)) = (&cluster, cluster_id)
        && noted.id != id
        && status.records > 0
    {
        let text = format!(
            "{shown}: {} for the cluster {} ({})",
            count(status.records, "event"),
            noted.id,
            noted.servers
        );
        let fix = "herald spool drain there, or herald spool adopt";
        checks.push(Check::problem("spool", text, fix));
    }
    if status.disk_full {
        let text = format!("{shown}: the disk is full");
        checks.push(Check::problem("spool", text, "make space on the disk"));
    }
    if status.dead > 0 {
        let text = format!("{shown}: {}", count(status.dead, "dead letter"));
        checks.push(Check::warning("spool", text, "herald spool dead list"));
    }
    if status.records > 0 && !status.owned {
        let text = format!(
            "{shown}: {} without a process",
            count(status.records, "event")
        );
        checks.push(Check::warning("spool", text, "herald spool drain"));
    }
    if checks.is_empty() {
        let text = format!("{shown}: {} waiting", count(status.records, "event"));
        checks.push(Check::good("spool", text));
    }
    checks
}

/// Checks that the first publisher can create the spool.
fn examine_folder(path: &Path) -> Check {
    // The nearest directory that exists: publishers create the others.
    let directories = path.ancestors().skip(1);
    let existing = directories
        .map(|it| {
            if it.as_os_str().is_empty() {
                Path::new(".")
            } else {
                it
            }
        })
        .find(|it| it.exists())
        .unwrap_or(Path::new("."));
    match tempfile::tempfile_in(existing) {
        Ok(_) => {
            let shown = terminal::path(path);
            Check::good("spool", format!("{shown} can be created"))
        }
        Err(error) => Check::problem(
            "spool",
            format!("{} is not writable: {error}", terminal::path(existing)),
            "name another path, or change the permissions of the directory",
        ),
    }
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
