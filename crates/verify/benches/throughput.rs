//! CPU time of the verification of events in memory, for different numbers of event types.
//!
//! `cargo bench -p herald-verify [-- TYPES…]`

use std::fmt::Write as _;
use std::ops::Range;

use herald_catalog::Catalog;
use herald_catalog::load::{self, Options};
use herald_verify::Verifier;
use serde_json::json;

/// Events of a run, unless `HERALD_BENCH_EVENTS` sets another number.
const EVENTS: u32 = 500_000;

/// Most different lines, so that they do not all stay in the caches of the processor.
const LINES: u32 = 100_000;

/// Event types of a contract; more are in several contracts.
const TYPES_PER_CONTRACT: u32 = 1_000;

fn main() {
    let wanted: Vec<u32> = std::env::args()
        .filter_map(|text| text.parse().ok())
        .collect();
    let wanted = if wanted.is_empty() {
        vec![1, 100, 10_000]
    } else {
        wanted
    };
    println!(
        "{:>12} {:>14} {:>12} {:>10}",
        "event types", "events/s", "us/event", "peak MiB"
    );
    for types in wanted {
        measure(types);
    }
}

fn measure(types: u32) {
    let events = std::env::var("HERALD_BENCH_EVENTS").ok();
    let events = events.and_then(|text| text.parse().ok()).unwrap_or(EVENTS);
    let line_count = events.min(LINES);
    let mut catalog = Catalog::default();
    for first in (0..types).step_by(TYPES_PER_CONTRACT as usize) {
        let text = contract(first..types.min(first + TYPES_PER_CONTRACT));
        let mut loaded = load::load_text("shop.yaml", &text, &Options::default());
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        catalog.nodes.append(&mut loaded.catalog.nodes);
    }
    let mut lines: Vec<(String, usize)> = (0..line_count)
        .map(|number| {
            let line = line(number, types);
            let id = line.find("\"event_id\":\"").expect("an id") + "\"event_id\":\"".len();
            (line, id)
        })
        .collect();
    let mut verifier = Verifier::new(
        &catalog,
        herald_verify::Options {
            namespace: None,
            run_timeout_seconds: 300,
            has_beginning: true,
        },
    );
    let started = cpu_seconds();
    for round in 0..events / line_count {
        for (number, (line, id)) in (0..).zip(&mut lines) {
            // An id of its own: duplicates would be problems.
            line.replace_range(
                *id..*id + 8,
                &format!("{:08x}", round * line_count + number),
            );
            verifier.judge_line(line.as_bytes(), number.into());
        }
    }
    let seconds = cpu_seconds() - started;
    let report = verifier.finish();
    assert_eq!(report.findings, [], "the events conform");
    let events = f64::from(events / line_count * line_count);
    println!(
        "{types:>12} {:>14.0} {:>12.2} {:>10.0}",
        events / seconds,
        seconds * 1e6 / events,
        peak_mebibytes()
    );
}

/// A contract with these event types, of ten fields each.
fn contract(types: Range<u32>) -> String {
    let mut text = format!(
        "node_type: effect\nservice_name: shop{}\noperations: []\ninclude_metric_events: false\n\
         include_state_events: false\nevents:\n",
        types.start / TYPES_PER_CONTRACT
    );
    for number in types {
        let _ = write!(
            text,
            "  - event_type: order{number}.placed
    topic: shop.order{number}.placed.v1
    partition_key: order
    payload:
      order: string
      customer: uuid
      placed_at: datetime
      total: decimal
      currency: {{type: string, enum: [EUR, USD, GBP]}}
      items: integer
      express: boolean
      channel: {{type: string, max_length: 20, pattern: '^[a-z]+$'}}
      tags: {{type: 'list[string]'}}
      note: {{type: 'string | null', required: false, max_length: 200}}
"
        );
    }
    text
}

fn line(number: u32, types: u32) -> String {
    let of_type = number % types;
    let order = format!("A-{number:08}");
    let envelope = json!({
        "envelope_version": "1.0",
        "event_id": format!("{number:08x}-5b7e-4cc1-8d2f-6b6f0a1b2c3d"),
        "event_type": format!("order{of_type}.placed"),
        "event_version": "1.0",
        "event_timestamp": "2026-01-31T12:34:56.789012+00:00",
        "source_node_id": "shop-7f9c",
        "source_service": format!("shop{}", of_type / TYPES_PER_CONTRACT),
        "source_version": "1.4.2",
        "correlation_id": format!("{number:08x}-5b7e-4cc1-8d2f-6b6f0a1b2c3e"),
        "environment": "production",
        "partition_key": order,
        "payload": {
            "order": order,
            "customer": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
            "placed_at": "2026-01-31T12:34:56.789012+00:00",
            "total": "129.90",
            "currency": "EUR",
            "items": 3,
            "express": false,
            "channel": "web",
            "tags": ["spring", "new"],
            "note": "Please leave it with the neighbours.",
        },
        "metadata": {},
    });
    let topic = format!("shop.order{of_type}.placed.v1");
    json!({
        "topic": topic, "partition": number % 12, "offset": number,
        "timestamp": "2026-01-31T12:34:56.789Z", "key": order,
        "headers": [{"name": "event_type", "value": format!("order{of_type}.placed")}],
        "envelope": envelope,
    })
    .to_string()
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name")..]
        .split(' ')
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    // User and system time, in the ticks of 10 ms that Linux reports.
    (ticks(12) + ticks(13)) / 100.0
}

fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes
        .and_then(|text| text.parse::<f64>().ok())
        .expect("a number")
        / 1024.0
}
