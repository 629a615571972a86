//! Text format of an estimate.

use std::fmt::Write as _;

use herald_catalog::kind::Kind;
use herald_catalog::volume::Range;
use herald_diagnostics::plural;
use herald_diagnostics::render::visible_line;
use herald_volume::rates::{self, Trigger};
use herald_volume::{ContractPlan, Plan, Retention, TopicPlan, Total};

use super::messages;
use crate::quantity::{UNKNOWN, bytes, number};
use crate::table::{Column, Table};
use crate::terminal::{BOLD, DIM, YELLOW};

const SECONDS_OF_A_DAY: f64 = 86_400.0;

static FLOW: [Column; 5] = [
    Column::main("TOPIC"),
    Column::number("EVENTS/S"),
    Column::number("EVENTS/DAY"),
    Column::number("BYTES/S"),
    Column::number("BYTES/DAY"),
];

static STORAGE: [Column; 6] = [
    Column::main("TOPIC"),
    Column::number("EVENTS/REQUEST"),
    Column::number("SIZE"),
    Column::number("PARTITIONS"),
    Column::number("RETENTION"),
    Column::number("DISK"),
];

static REQUEST: [Column; 4] = [
    Column::main("TOPIC"),
    Column::number("EVENTS/REQUEST"),
    Column::number("SIZE"),
    Column::number("BYTES/REQUEST"),
];

/// Formats contracts, topics, warnings and notes.
pub fn tables(plan: &Plan<'_>, width: Option<usize>) -> String {
    let mut text = String::new();
    for contract in &plan.contracts {
        block(&mut text, contract);
    }
    if plan.total.events_per_second.is_some() {
        text.push_str(&table(plan, &FLOW, width, flow, total_flow));
        text.push('\n');
        text.push_str(&table(plan, &STORAGE, width, storage, total_storage));
    } else {
        text.push_str(&table(plan, &REQUEST, width, request, total_request));
    }
    text.push('\n');
    for warning in messages::warnings(plan) {
        let _ = writeln!(text, "{YELLOW}warning{YELLOW:#}: {warning}");
    }
    for note in messages::notes(plan) {
        let _ = writeln!(text, "{DIM}note: {note}{DIM:#}");
    }
    text
}

/// Writes the events of one request of a contract, a line for each rate.
fn block(text: &mut String, contract: &ContractPlan<'_>) {
    let node = contract.node;
    let kind = node.kind.map_or("unknown kind", Kind::as_str);
    let requests = match contract.requests_per_second {
        Some(rate) => format!("{} requests/s", number(rate)),
        None => "no request rate".to_owned(),
    };
    let _ = writeln!(
        text,
        "{BOLD}{}{BOLD:#}  {DIM}{kind}, {requests}{DIM:#}",
        visible_line(messages::display_name(node))
    );
    let mut rows = Vec::new();
    for rate in &contract.rates {
        let of_one = std::slice::from_ref(rate);
        let events = rates::per_request(of_one, |_| 1.0);
        let size = rates::per_request(of_one, |at| contract.events[at].bytes());
        let often = match rate.trigger {
            Trigger::Operation(_) if rate.per_request == Range::exactly(1.0) => "1 run".to_owned(),
            Trigger::Operation(_) => format!("{} runs", number(rate.per_request)),
            _ => number(rate.per_request),
        };
        let mark = if rate.is_declared {
            String::new()
        } else {
            format!("{DIM}  assumed{DIM:#}")
        };
        let name = visible_line(&messages::rate_name(node, rate));
        rows.push([name, often, count_events(events), bytes(size), mark]);
    }
    rows.push([
        "per request".to_owned(),
        String::new(),
        count_events(contract.events_per_request),
        bytes(contract.bytes_per_request),
        String::new(),
    ]);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [name, often, events, size] = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
    for row in &rows {
        let _ = writeln!(
            text,
            "  {:name$}  {:>often$}  {:>events$}  {:>size$}{}",
            row[0], row[1], row[2], row[3], row[4]
        );
    }
    text.push('\n');
}

fn count_events(range: Range) -> String {
    let events = plural("event", range == Range::exactly(1.0));
    format!("{} {events}", number(range))
}

fn table(
    plan: &Plan<'_>,
    columns: &'static [Column],
    width: Option<usize>,
    row: fn(&TopicPlan) -> Vec<String>,
    total: fn(&Total) -> Vec<String>,
) -> String {
    let mut rows: Vec<_> = plan.topics.iter().map(row).collect();
    rows.push(total(&plan.total));
    Table::new(columns, width).rows_to_text(&rows)
}

/// Formats the value per day of a rate per second.
pub fn daily(rate: Option<Range>, show: fn(Range) -> String) -> String {
    known(rate.map(|rate| rate * SECONDS_OF_A_DAY), show)
}

/// Formats a value, or a dash if it is unknown.
pub fn known(range: Option<Range>, show: fn(Range) -> String) -> String {
    range.map_or_else(|| UNKNOWN.to_owned(), show)
}

/// Retention time and replication factor of a topic.
pub fn kept(topic: &TopicPlan) -> String {
    let time = match topic.retention {
        Retention::For(time) => duration(time.as_secs_f64()),
        Retention::Forever => "forever".to_owned(),
        Retention::Compacted => "compacted".to_owned(),
        Retention::Unknown => UNKNOWN.to_owned(),
    };
    match topic.replication_factor {
        Some(replicas) => format!("{time} ×{replicas}"),
        None => time,
    }
}

fn duration(seconds: f64) -> String {
    let units = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)];
    let unit = units.iter().find(|(_, unit)| seconds >= *unit);
    let (name, unit) = unit.unwrap_or(&("s", 1.0));
    format!("{} {name}", number(Range::exactly(seconds / unit)))
}

/// Number of partitions to plan for, with that of the contract if it is too low.
pub fn partitions(topic: &TopicPlan) -> String {
    let planned = topic.partitions.planned();
    let planned = planned.map_or_else(|| UNKNOWN.to_owned(), |planned| planned.to_string());
    match topic.partitions.configured {
        Some(said) if topic.partitions.are_too_few() => format!("{planned} (has {said})"),
        _ => planned,
    }
}

fn flow(topic: &TopicPlan) -> Vec<String> {
    let mut cells = vec![visible_line(&topic.name)];
    cells.extend(rates_of(topic.events_per_second, topic.bytes_per_second));
    cells
}

fn total_flow(total: &Total) -> Vec<String> {
    let mut cells = vec!["total".to_owned()];
    cells.extend(rates_of(total.events_per_second, total.bytes_per_second));
    cells
}

fn rates_of(events: Option<Range>, size: Option<Range>) -> [String; 4] {
    [
        known(events, number),
        daily(events, number),
        known(size, bytes),
        daily(size, bytes),
    ]
}

fn storage(topic: &TopicPlan) -> Vec<String> {
    vec![
        visible_line(&topic.name),
        number(topic.events_per_request),
        bytes(topic.size),
        partitions(topic),
        kept(topic),
        known(topic.disk_bytes, bytes),
    ]
}

fn total_storage(total: &Total) -> Vec<String> {
    vec![
        "total".to_owned(),
        number(total.events_per_request),
        String::new(),
        total.partitions.to_string(),
        String::new(),
        known(total.disk_bytes, bytes),
    ]
}

fn request(topic: &TopicPlan) -> Vec<String> {
    vec![
        visible_line(&topic.name),
        number(topic.events_per_request),
        bytes(topic.size),
        bytes(topic.bytes_per_request),
    ]
}

fn total_request(total: &Total) -> Vec<String> {
    vec![
        "total".to_owned(),
        number(total.events_per_request),
        String::new(),
        bytes(total.bytes_per_request),
    ]
}
