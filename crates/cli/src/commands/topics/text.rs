//! Text format of a plan and its outcome.

use std::fmt::Write as _;

use anstyle::Style;
use herald_diagnostics::render::visible_line;
use herald_publish::kafka::{Difference, Outcome, Plan, PlannedTopic, WantedTopic};

use crate::format::count;
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::wanted_topics::ContractTopic;

/// Topics in sync that are listed; more are only counted.
const MAX_LISTED: usize = 10;

/// Formats a plan: topics to create, to change, to handle manually, and in sync.
pub fn plan(plan: &Plan, absent: &[ContractTopic]) -> String {
    let missing = |topic: &&PlannedTopic| topic.differences.contains(&Difference::Missing);
    let (missing, there): (Vec<_>, Vec<_>) = plan.topics.iter().partition(missing);
    let those = |is: fn(&PlannedTopic) -> bool| -> Vec<&PlannedTopic> {
        there.iter().copied().filter(|topic| is(topic)).collect()
    };
    let drifted = those(PlannedTopic::can_be_applied);
    let left = those(PlannedTopic::needs_manual_action);
    let in_sync = those(PlannedTopic::is_in_sync);

    let mut text = String::new();
    create(&mut text, &missing);
    change(&mut text, &drifted);
    leave(&mut text, &left);
    keep(&mut text, &in_sync);
    absent_topics(&mut text, absent);
    if !text.is_empty() {
        text.push('\n');
    }
    let parts = [
        (missing.len(), "to create"),
        (drifted.len(), "to change"),
        (left.len(), "to change manually"),
        (in_sync.len(), "in sync"),
    ];
    if plan.topics.is_empty() {
        text.push_str("The contracts do not publish to any topic");
    } else {
        let topics = count(plan.topics.len(), "topic");
        let _ = write!(text, "{BOLD}{topics}{BOLD:#}: {}", numbers(&parts));
    }
    text
}

/// `3 to create, 1 in sync`; parts that are zero are left out.
fn numbers(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    parts.join(", ")
}

fn create(text: &mut String, topics: &[&PlannedTopic]) {
    heading(text, "Create", topics.len(), GREEN);
    let width = topics.iter().map(|topic| topic.wanted.name.len()).max();
    let width = width.unwrap_or_default();
    for topic in topics {
        let (name, settings) = (&topic.wanted.name, settings(&topic.wanted));
        let _ = writeln!(
            text,
            "  {GREEN}+{GREEN:#} {name:width$}  {DIM}{settings}{DIM:#}"
        );
        refusal(text, topic);
    }
}

fn change(text: &mut String, topics: &[&PlannedTopic]) {
    heading(text, "Change", topics.len(), YELLOW);
    for topic in topics {
        lines(text, topic, ("~", YELLOW), Difference::can_be_applied);
        refusal(text, topic);
    }
}

fn leave(text: &mut String, topics: &[&PlannedTopic]) {
    heading(text, "Change manually", topics.len(), RED);
    for topic in topics {
        lines(text, topic, ("!", RED), |d| !d.can_be_applied());
    }
}

fn keep(text: &mut String, topics: &[&PlannedTopic]) {
    heading(text, "In sync", topics.len(), DIM);
    for topic in topics.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "  {DIM}= {}{DIM:#}", topic.wanted.name);
    }
    if topics.len() > MAX_LISTED {
        let more = count(topics.len() - MAX_LISTED, "more topic");
        let _ = writeln!(text, "  {DIM}  and {more}{DIM:#}");
    }
}

fn absent_topics(text: &mut String, absent: &[ContractTopic]) {
    let title = "Consumed, but missing and not published by any contract";
    heading(text, title, absent.len(), DIM);
    for it in absent {
        let contracts = visible_line(&it.contracts.join(", "));
        let _ = writeln!(text, "  {DIM}? {}  by {contracts}{DIM:#}", it.topic.name);
    }
    if !absent.is_empty() {
        let _ = writeln!(text, "    {DIM}create them with --consumed{DIM:#}");
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
    settings.extend(topic.partitions.map(|n| count(n, "partition")));
    settings.extend(topic.replication_factor.map(|n| count(n, "replica")));
    let config = topic.config.iter();
    settings.extend(config.map(|(name, value)| visible_line(&format!("{name}={value}"))));
    if settings.is_empty() {
        settings.push("defaults of the broker".to_owned());
    }
    settings.join(", ")
}

fn refusal(text: &mut String, topic: &PlannedTopic) {
    if let Some(refusal) = &topic.refusal {
        let detail = visible_line(&refusal.detail);
        let _ = writeln!(text, "      {RED}would be refused{RED:#}: {detail}");
    }
}

/// Writes a topic with the differences that match.
fn lines(
    text: &mut String,
    topic: &PlannedTopic,
    (mark, style): (&str, Style),
    matches: impl Fn(&Difference) -> bool,
) {
    let _ = writeln!(text, "  {style}{mark}{style:#} {}", topic.wanted.name);
    let matching: Vec<_> = topic.differences.iter().filter(|d| matches(d)).collect();
    let width = matching.iter().map(|d| subject(d).chars().count()).max();
    let width = width.unwrap_or_default();
    for difference in matching {
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
        Difference::HiddenConfig => "configuration",
    }
}

fn values(difference: &Difference) -> String {
    match difference {
        Difference::Missing => "created".to_owned(),
        Difference::TooFewPartitions { found, wanted } => format!("{found} → {wanted}"),
        Difference::TooManyPartitions { found, wanted } => {
            format!("{found}, the contract sets {wanted}")
        }
        Difference::Replication { found, wanted } => {
            let (min, max) = (found.start(), found.end());
            if min == max {
                format!("{min}, the contract sets {wanted}")
            } else {
                format!("{min} to {max}, the contract sets {wanted}")
            }
        }
        Difference::Config { found, wanted, .. } => {
            let found = found.as_deref().unwrap_or("(secret)");
            format!("{found} → {wanted}")
        }
        Difference::UnknownConfig { .. } => "unknown to the cluster".to_owned(),
        Difference::HiddenConfig => "hidden by the cluster".to_owned(),
    }
}

/// Advice about a difference.
fn note(difference: &Difference) -> Option<&'static str> {
    match difference {
        Difference::TooFewPartitions { .. } => {
            Some("keys move to other partitions; the order of a key is not kept across the change")
        }
        Difference::TooManyPartitions { .. } => {
            Some("Kafka can't remove partitions; change the contract, or publish to a new topic")
        }
        Difference::Replication { .. } => {
            Some("Herald does not move replicas; use kafka-reassign-partitions.sh")
        }
        Difference::HiddenConfig => {
            Some("the user needs the permission DescribeConfigs on the topic")
        }
        Difference::UnknownConfig { .. } => Some("check the spelling in the contract"),
        Difference::Missing | Difference::Config { .. } => None,
    }
}

/// Formats the outcome, a line for each change and failure.
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
            let (verb, what) = done_as(done, outcome);
            let _ = writeln!(text, "{GREEN}{verb}{GREEN:#} {topic:width$}  {what}");
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
    let left = outcomes.iter().filter(left).count();
    let others = numbers(&[(failed, "failed"), (left, "to change manually")]);
    let comma = if others.is_empty() { "" } else { ", " };
    let topics = count(changed, "topic");
    let _ = write!(
        text,
        "{BOLD}{topics} changed{BOLD:#}{comma}{others}; read back from the cluster"
    );
    text
}

/// A change as a verb and a description.
fn done_as(done: &Difference, outcome: &Outcome) -> (&'static str, String) {
    if let (Difference::Missing, Some(found)) = (done, &outcome.found) {
        let partitions = count(found.partitions as usize, "partition");
        let replicas = count(*found.replicas.start() as usize, "replica");
        return ("created", format!("{DIM}{partitions}, {replicas}{DIM:#}"));
    }
    let change = format!("{} {}", subject(done), values(done));
    ("changed", visible_line(&change))
}
