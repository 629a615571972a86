//! A plan, for programs: in events, bytes and seconds.

use herald_catalog::kind::Kind;
use herald_catalog::volume::Range;
use herald_volume::rates::{self, Rate, Trigger};
use herald_volume::{ContractPlan, EventPlan, Plan, Retention, TopicPlan, Total};
use serde_json::{Number, Value, json};

use super::messages;

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// `{"contracts": [ … ], "topics": [ … ], "total": { … }, "warnings": [ … ], "notes": [ … ]}`.
pub fn document(plan: &Plan<'_>) -> Value {
    json!({
        "contracts": plan.contracts.iter().map(contract).collect::<Vec<_>>(),
        "topics": plan.topics.iter().map(topic).collect::<Vec<_>>(),
        "total": total(&plan.total),
        "warnings": messages::warnings(plan),
        "notes": messages::notes(plan),
    })
}

fn contract(contract: &ContractPlan<'_>) -> Value {
    let node = contract.node;
    json!({
        "path": node.origin.path,
        "name": messages::display_name(node),
        "kind": node.kind.map(Kind::as_str),
        "requests_per_second": contract.requests_per_second.map(range),
        "events_per_request": range(contract.events_per_request),
        "bytes_per_request": range(contract.bytes_per_request),
        "rates": contract.rates.iter().map(|one| rate(contract, one)).collect::<Vec<_>>(),
        "events": contract.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn rate(contract: &ContractPlan<'_>, rate: &Rate) -> Value {
    let of = match rate.trigger {
        Trigger::Operation(_) => "operation",
        Trigger::StateChange => "state_change",
        Trigger::Metric => "metric",
        Trigger::Declared(_) => "declared",
    };
    json!({
        "of": of,
        "name": messages::rate_name(contract.node, rate),
        "per_request": range(rate.per_request),
        "assumed": !rate.is_declared,
        "failure_ratio": rate.failure_ratio.map(range),
        "events_per_request": range(rates::per_request(std::slice::from_ref(rate), |_| 1.0)),
    })
}

fn event(event: &EventPlan) -> Value {
    json!({
        "event_type": event.event_type,
        "topic": event.topic,
        "per_request": range(event.per_request),
        "bytes": {
            "key": event.size.key,
            "headers": event.size.headers,
            "value": event.size.value,
            "stored": event.size.stored,
        },
        "open": event.is_open,
    })
}

fn topic(topic: &TopicPlan) -> Value {
    let partitions = topic.partitions;
    let (kept, seconds) = match topic.retention {
        Retention::For(time) => ("for", Some(number(time.as_secs_f64()))),
        Retention::Forever => ("forever", None),
        Retention::Compacted => ("compacted", None),
        Retention::Unknown => ("unknown", None),
    };
    let flow = flow(topic.events_per_second, topic.bytes_per_second);
    let mut document = json!({
        "topic": topic.name,
        "contracts": topic.contracts,
        "event_types": topic.event_types,
        "event_bytes": range(topic.size),
        "events_per_request": range(topic.events_per_request),
        "bytes_per_request": range(topic.bytes_per_request),
        "partitions": {
            "planned": partitions.planned(),
            "needed": partitions.needed,
            "contract": partitions.configured,
        },
        "replication_factor": topic.replication_factor,
        "kept": kept,
        "retention_seconds": seconds,
        "retention_bytes": topic.retention_bytes,
        "disk_bytes": topic.disk_bytes.map(range),
    });
    extend(&mut document, flow);
    document
}

fn total(total: &Total) -> Value {
    let mut document = json!({
        "events_per_request": range(total.events_per_request),
        "bytes_per_request": range(total.bytes_per_request),
        "partitions": total.partitions,
        "disk_bytes": total.disk_bytes.map(range),
    });
    extend(
        &mut document,
        flow(total.events_per_second, total.bytes_per_second),
    );
    document
}

fn flow(events: Option<Range>, bytes: Option<Range>) -> Value {
    json!({
        "events_per_second": events.map(range),
        "events_per_day": events.map(|rate| range(rate * SECONDS_OF_A_DAY)),
        "bytes_per_second": bytes.map(range),
        "bytes_per_day": bytes.map(|rate| range(rate * SECONDS_OF_A_DAY)),
    })
}

fn extend(document: &mut Value, more: Value) {
    if let (Value::Object(document), Value::Object(more)) = (document, more) {
        document.extend(more);
    }
}

fn range(range: Range) -> Value {
    json!({"low": number(range.low), "high": number(range.high)})
}

/// Twelve digits, which leave out what binary fractions add; whole where it is whole.
fn number(number: f64) -> Option<Number> {
    let rounded = format!("{number:.11e}").parse::<f64>().unwrap_or(number);
    if rounded.fract() == 0.0 && rounded < 9e15 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, small enough and not negative"
        )]
        return Some(Number::from(rounded as u64));
    }
    Number::from_f64(rounded)
}
