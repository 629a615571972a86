//! Warnings and notes below the estimates.

use herald_catalog::Node;
use herald_diagnostics::render::visible_line;
use herald_volume::rates::{Rate, Trigger};
use herald_volume::record::BATCH;
use herald_volume::{ContractPlan, EventPlan, Plan, Retention};

use crate::format::count;

/// Names that a sentence lists before it only counts the rest.
const MAX_NAMES: usize = 4;

/// Returns the name of a node, else its slug.
pub fn display_name(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}

/// Returns the name of a rate: the operation, event type, or kind of event.
pub fn rate_name(node: &Node, rate: &Rate) -> String {
    match rate.trigger {
        Trigger::Operation(index) => node.operations[index].name.clone(),
        Trigger::StateChange => "state changes".to_owned(),
        Trigger::Metric => "metrics".to_owned(),
        Trigger::Declared(index) => node.events[index].event_type.clone(),
    }
}

/// Returns problems to fix, each a sentence.
pub fn warnings(plan: &Plan<'_>) -> Vec<String> {
    let mut warnings: Vec<_> = plan
        .problems
        .iter()
        .map(|text| visible_line(text))
        .collect();
    for topic in &plan.topics {
        let (said, needed) = (topic.partitions.configured, topic.partitions.needed);
        if let (true, Some(said), Some(needed)) = (topic.partitions.are_too_few(), said, needed) {
            let name = visible_line(&topic.name);
            warnings.push(format!(
                "`{name}` needs {needed} partitions at its highest rate; its contract sets {said}"
            ));
        }
    }
    for event in events(plan).filter(|event| event.is_too_large) {
        let name = visible_line(&event.event_type);
        warnings.push(format!(
            "`{name}` can be larger than 1 MiB, the default limit of Kafka (`max.message.bytes`); \
             it is counted as 1 MiB"
        ));
    }
    warnings
}

/// Returns assumptions and omissions, each a sentence.
pub fn notes(plan: &Plan<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    without_rate(plan, &mut notes);
    assumed_rates(plan, &mut notes);
    open_events(plan, &mut notes);
    notes.push(format!(
        "sizes are measured on an example, uncompressed, with key, headers and a batch of its own \
         ({BATCH} B); strings without a limit have {} characters, lists {} items",
        herald_catalog::sample::TEXT_LENGTH,
        herald_catalog::sample::ITEMS
    ));
    if plan.total.events_per_second.is_some() {
        about_topics(plan, &mut notes);
    }
    notes
}

fn without_rate(plan: &Plan<'_>, notes: &mut Vec<String>) {
    let contracts = plan.contracts.iter();
    let without = contracts.filter(|contract| contract.requests_per_second.is_none());
    let without: Vec<_> = without
        .map(|contract| display_name(contract.node).to_owned())
        .collect();
    if !without.is_empty() {
        notes.push(format!(
            "no request rate: {}; give --rate, or set `volume: {{requests_per_second: …}}` in the \
             contract",
            names(&without)
        ));
    }
}

fn assumed_rates(plan: &Plan<'_>, notes: &mut Vec<String>) {
    let assumed: Vec<_> = rates(plan)
        .filter(|(_, rate)| !rate.is_declared)
        .map(|(contract, rate)| rate_name(contract.node, rate))
        .collect();
    if !assumed.is_empty() {
        notes.push(format!(
            "assumed once per request, because `per_request` is not set: {}",
            names(&assumed)
        ));
    }
    let unknown: Vec<_> = rates(plan)
        .filter(|(_, rate)| matches!(rate.trigger, Trigger::Operation(_)))
        .filter(|(_, rate)| rate.failure_ratio.is_none())
        .map(|(contract, rate)| rate_name(contract.node, rate))
        .collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "no `failure_ratio`, so both the completed and the failed topic are planned for all runs; \
             the total counts each run once: {}",
            names(&unknown)
        ));
    }
}

fn open_events(plan: &Plan<'_>, notes: &mut Vec<String>) {
    let open = events(plan).filter(|event| event.is_open);
    let open: Vec<_> = open.map(|event| event.event_type.clone()).collect();
    if !open.is_empty() {
        let events = count(open.len(), "event");
        notes.push(format!(
            "{events} may have undeclared fields, which are not counted: {}",
            names(&open)
        ));
    }
}

fn about_topics(plan: &Plan<'_>, notes: &mut Vec<String>) {
    notes.push(
        "a day is 86,400 seconds at the rate; partitions are for the highest rate; disk excludes \
         active segments"
            .to_owned(),
    );
    let of_kept = |kept: Retention| {
        let topics = plan.topics.iter().filter(|topic| topic.retention == kept);
        topics.map(|topic| topic.name.clone()).collect::<Vec<_>>()
    };
    for (kept, what) in [
        (
            Retention::Unknown,
            "no retention time, so no disk estimate; give --retention, or set `volume: {retention: 7d}`",
        ),
        (Retention::Forever, "kept forever, disk usage only grows"),
        (
            Retention::Compacted,
            "compacted, disk usage depends on the number of keys",
        ),
    ] {
        let topics = of_kept(kept);
        if !topics.is_empty() {
            notes.push(format!("{what}: {}", names(&topics)));
        }
    }
    let topics = plan.topics.iter();
    let single = topics.filter(|t| t.replication_factor.is_none() && t.disk_bytes.is_some());
    let single: Vec<_> = single.map(|topic| topic.name.clone()).collect();
    if !single.is_empty() {
        notes.push(format!(
            "no replication factor, so one copy is counted; give --replication: {}",
            names(&single)
        ));
    }
}

fn rates<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = (&'a ContractPlan<'a>, &'a Rate)> {
    let contracts = plan.contracts.iter();
    contracts.flat_map(|contract| contract.rates.iter().map(move |rate| (contract, rate)))
}

fn events<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = &'a EventPlan> {
    plan.contracts.iter().flat_map(|contract| &contract.events)
}

/// `a, b, c, d and 3 more`.
fn names(names: &[String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(MAX_NAMES)
        .map(|name| visible_line(name))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
