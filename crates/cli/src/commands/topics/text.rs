//! A plan, and what became of it, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use herald_diagnostics::render::visible_line;
use herald_publish::kafka::{Difference, Outcome, Plan, PlannedTopic, WantedTopic};

use crate::asked::Asked;
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW, count};

/// Topics in sync are listed up to this many.
const LISTED: usize = 10;

/// The plan: what is made, what is changed, what is left to somebody, what is right already.
pub fn plan(plan: &Plan, asked: &BTreeMap<String, Asked>, absent: &[Asked]) -> String {
    let mut text = String::new();
    let missing = |topic: &&PlannedTopic| topic.differences.contains(&Difference::Missing);
    let (create, others): (Vec<_>, Vec<_>) = plan.topics.iter().partition(missing);
    let change: Vec<_> = others.iter().filter(|t| t.can_be_applied()).collect();
    let by_hand: Vec<_> = others.iter().filter(|t| t.has_more_to_do()).collect();
    let in_sync: Vec<_> = others.iter().filter(|t| t.is_in_sync()).collect();

    heading(&mut text, "Create", create.len(), GREEN);
    let width = create.iter().map(|t| t.wanted.name.len()).max();
    for topic in &create {
        let (name, width) = (&topic.wanted.name, width.unwrap_or_default());
        let settings = settings(&topic.wanted);
        let _ = writeln!(
            text,
            "  {GREEN}+{GREEN:#} {name:width$}  {DIM}{settings}{DIM:#}"
        );
        refusal(&mut text, topic);
    }
    heading(&mut text, "Change", change.len(), YELLOW);
    for topic in &change {
        lines(&mut text, topic, ("~", YELLOW), Difference::can_be_applied);
        refusal(&mut text, topic);
    }
    heading(&mut text, "Left to you", by_hand.len(), RED);
    for topic in &by_hand {
        lines(&mut text, topic, ("!", RED), |d| !d.can_be_applied());
    }
    heading(&mut text, "In sync", in_sync.len(), DIM);
    for topic in in_sync.iter().take(LISTED) {
        let _ = writeln!(text, "  {DIM}= {}{DIM:#}", topic.wanted.name);
    }
    if in_sync.len() > LISTED {
        let more = count(in_sync.len() - LISTED, "more topic");
        let _ = writeln!(text, "  {DIM}  and {more}{DIM:#}");
    }
    heading(
        &mut text,
        "Read by contracts, published by none, and absent",
        absent.len(),
        DIM,
    );
    for asked in absent {
        let contracts = visible_line(&asked.contracts.join(", "));
        let _ = writeln!(text, "  {DIM}? {}  by {contracts}{DIM:#}", asked.topic.name);
    }
    if !absent.is_empty() {
        let _ = writeln!(text, "    {DIM}--consumed makes them too{DIM:#}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let parts = [
        (create.len(), "to create"),
        (change.len(), "to change"),
        (by_hand.len(), "left to you"),
        (in_sync.len(), "in sync"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    let _ = write!(
        text,
        "{BOLD}{}{BOLD:#}: {}",
        count(asked.len(), "topic"),
        parts.join(", ")
    );
    text
}

/// What is on a topic's lines besides what can be applied.
trait MoreToDo {
    fn has_more_to_do(&self) -> bool;
}

impl MoreToDo for PlannedTopic {
    fn has_more_to_do(&self) -> bool {
        self.differences.iter().any(|d| !d.can_be_applied())
    }
}

fn heading(text: &mut String, title: &str, number: usize, style: Style) {
    if number > 0 {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{style}{title}{style:#}");
    }
}

fn settings(topic: &WantedTopic) -> String {
    let mut settings = Vec::new();
    settings.extend(topic.partitions.map(|n| count(n as usize, "partition")));
    settings.extend(
        topic
            .replication_factor
            .map(|n| count(n as usize, "replica")),
    );
    let config = topic.config.iter();
    settings.extend(config.map(|(name, value)| visible_line(&format!("{name}={value}"))));
    if settings.is_empty() {
        settings.push("the broker's defaults".to_owned());
    }
    settings.join(", ")
}

fn refusal(text: &mut String, topic: &PlannedTopic) {
    if let Some(refusal) = &topic.refusal {
        let detail = visible_line(&refusal.detail);
        let _ = writeln!(text, "      {RED}would be refused{RED:#}: {detail}");
    }
}

/// A topic with those of its differences that are meant.
fn lines(
    text: &mut String,
    topic: &PlannedTopic,
    (mark, style): (&str, Style),
    is_meant: impl Fn(&Difference) -> bool,
) {
    let _ = writeln!(text, "  {style}{mark}{style:#} {}", topic.wanted.name);
    let meant: Vec<_> = topic.differences.iter().filter(|d| is_meant(d)).collect();
    let width = meant.iter().map(|d| subject(d).chars().count()).max();
    let width = width.unwrap_or_default();
    for difference in meant {
        let subject = visible_line(subject(difference));
        let line = visible_line(&values(difference));
        let _ = writeln!(text, "      {subject:width$}  {line}");
        if let Some(note) = note(difference) {
            let _ = writeln!(text, "      {:width$}  {DIM}{note}{DIM:#}", "");
        }
    }
}

fn subject(difference: &Difference) -> &str {
    match difference {
        Difference::Missing => "topic",
        Difference::TooFewPartitions { .. } | Difference::TooManyPartitions { .. } => "partitions",
        Difference::Replication { .. } => "replicas",
        Difference::Config { name, .. } | Difference::UnknownConfig { name } => name,
    }
}

fn values(difference: &Difference) -> String {
    match difference {
        Difference::Missing => "created".to_owned(),
        Difference::TooFewPartitions { found, wanted } => format!("{found} → {wanted}"),
        Difference::TooManyPartitions { found, wanted } => {
            format!("{found}, the contract says {wanted}")
        }
        Difference::Replication { found, wanted } => {
            let (least, most) = (found.start(), found.end());
            if least == most {
                format!("{least}, the contract says {wanted}")
            } else {
                format!("{least} to {most}, the contract says {wanted}")
            }
        }
        Difference::Config { found, wanted, .. } => {
            let found = found.as_deref().unwrap_or("(secret)");
            format!("{found} → {wanted}")
        }
        Difference::UnknownConfig { .. } => "the cluster knows no such setting".to_owned(),
    }
}

/// What somebody should know before it is done, or how to do it without Herald.
fn note(difference: &Difference) -> Option<&'static str> {
    match difference {
        Difference::TooFewPartitions { .. } => Some(
            "keys move to other partitions: the order of a key holds before and after, not across",
        ),
        Difference::TooManyPartitions { .. } => {
            Some("Kafka can't take partitions away: change the contract, or publish to a new topic")
        }
        Difference::Replication { .. } => {
            Some("kafka-reassign-partitions.sh moves replicas; Herald does not")
        }
        Difference::UnknownConfig { .. } => Some("check the spelling in the contract"),
        Difference::Missing | Difference::Config { .. } => None,
    }
}

/// What became of the plan, a line for each thing that was done or was not.
pub fn outcomes(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let mut failed = 0;
    let mut changed = 0;
    let width = outcomes.iter().map(|outcome| outcome.topic.len()).max();
    let width = width.unwrap_or_default();
    for outcome in outcomes {
        let topic = &outcome.topic;
        changed += usize::from(!outcome.done.is_empty());
        for done in &outcome.done {
            let _ = match (done, &outcome.found) {
                (Difference::Missing, Some(found)) => writeln!(
                    text,
                    "{GREEN}created{GREEN:#} {topic:width$}  {DIM}{}, {}{DIM:#}",
                    count(found.partitions as usize, "partition"),
                    count(*found.replicas.start() as usize, "replica"),
                ),
                _ => {
                    let change = format!("{} {}", subject(done), values(done));
                    let change = visible_line(&change);
                    writeln!(text, "{GREEN}changed{GREEN:#} {topic:width$}  {change}")
                }
            };
        }
        if let Some(failure) = &outcome.failure {
            failed += 1;
            let _ = writeln!(
                text,
                "{RED}failed{RED:#}  {topic:width$}  {}",
                visible_line(&failure.detail)
            );
        }
    }
    let left = |outcome: &&Outcome| outcome.failure.is_none() && !outcome.left.is_empty();
    let parts = [
        (failed, "failed"),
        (outcomes.iter().filter(left).count(), "left to you"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, what)| format!(", {number} {what}"))
        .collect();
    let _ = write!(
        text,
        "{BOLD}{} changed{BOLD:#}{}; read back from the cluster",
        count(changed, "topic"),
        parts.join("")
    );
    text
}
