//! Volume estimates of contracts.

use std::time::Duration;

use herald_catalog::example::Example;
use herald_catalog::load::{Loaded, Options as Reading, load, load_text};
use herald_catalog::value;
use herald_catalog::volume::Range;
use herald_volume::{Options, Plan, Retention, TopicPlan};
use proptest::prelude::*;

fn read(text: &str) -> Loaded {
    let contract = format!("service_name: orders\n{text}\n");
    let loaded = load_text("orders.yaml", &contract, &Reading::default());
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded
}

fn plan<'a>(loaded: &'a Loaded, options: &Options) -> Plan<'a> {
    Plan::new(&loaded.catalog.nodes, options)
}

fn topic<'a>(plan: &'a Plan<'_>, part: &str) -> &'a TopicPlan {
    let mut topics = plan.topics.iter();
    topics
        .find(|topic| topic.name.contains(part))
        .expect("the topic")
}

/// Binary fractions are not exact, so twelve digits are compared.
#[track_caller]
fn is(range: impl Into<Option<Range>>, low: f64, high: f64) {
    let range = range.into().expect("it is known");
    let close = |one: f64, other: f64| (one - other).abs() <= other.abs() * 1e-12;
    assert!(
        close(range.low, low) && close(range.high, high),
        "{range:?} is not {low} to {high}"
    );
}

const BARE: &str = "node_type: effect\noperations: [place]\n\
                    include_state_events: false\ninclude_metric_events: false";

#[test]
fn examples_publish_3_to_25_and_2_to_18_events() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/volume");
    let loaded = load(&[folder.to_owned()], &Reading::default(), &|| ());
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let plan = plan(&loaded, &Options::default());
    let [orchestrator, reducer] = &plan.contracts[..] else {
        panic!("two contracts");
    };
    is(orchestrator.events_per_request, 3.0, 25.0);
    is(reducer.events_per_request, 2.0, 18.0);
    assert!(
        plan.contracts
            .iter()
            .flat_map(|c| &c.rates)
            .all(|rate| rate.is_declared)
    );
    // 20 × 3 + 10 × 2, and 80 × 25 + 10 × 18.
    is(plan.total.events_per_second, 80.0, 2_180.0);
}

#[test]
fn missing_rates_are_assumed_and_marked() {
    let loaded = read("node_type: effect\noperations: [place]\nmetrics: [a, b]\nevents: [placed]");
    let plan = plan(&loaded, &Options::default());
    // Started and an end, a change of state, each of two metrics, the declared event.
    is(plan.contracts[0].events_per_request, 6.0, 6.0);
    assert!(plan.contracts[0].rates.iter().all(|rate| !rate.is_declared));
    assert_eq!(plan.total.events_per_second, None);
    assert_eq!(plan.total.disk_bytes, None);
    assert_eq!(topic(&plan, "placed").partitions.planned(), None);
}

#[test]
fn metric_rates_are_total_or_per_metric() {
    let metrics = "metrics: [{name: a, per_request: [0, 4]}, b]";
    for (volume, low, high) in [("{}", 1.0, 5.0), ("{metrics_per_request: 7}", 7.0, 7.0)] {
        let loaded = read(&format!(
            "node_type: effect\noperations: [x]\n{metrics}\nvolume: {volume}"
        ));
        is(
            topic(&plan(&loaded, &Options::default()), "metric").events_per_request,
            low,
            high,
        );
    }
}

#[test]
fn a_run_is_counted_once_for_every_outcome() {
    let of = |more: &str| {
        let loaded = read(&format!("{BARE}\n{more}"));
        let plan = plan(&loaded, &Options::default());
        let rates =
            ["started", "completed", "failed"].map(|stage| topic(&plan, stage).events_per_request);
        (
            rates,
            plan.total.events_per_request,
            plan.total.bytes_per_request,
        )
    };
    let ([started, completed, failed], total, size) = of("volume: {failure_ratio: [0.01, 0.25]}");
    is(started, 1.0, 1.0);
    is(completed, 0.75, 0.99);
    is(failed, 0.01, 0.25);
    is(total, 2.0, 2.0);
    // A failure is larger than a completion, so bytes depend on the share even so.
    assert!(size.low < size.high);
    let ([_, completed, failed], total, _) = of("");
    is(completed, 0.0, 1.0);
    is(failed, 0.0, 1.0);
    is(total, 2.0, 2.0);
}

#[test]
fn failure_ratio_of_an_operation_overrides_the_contract() {
    let loaded = read(
        "node_type: effect\noperations: [{name: a, failure_ratio: 0.5}, b]\n\
         volume: {failure_ratio: 0.1}",
    );
    let plan = plan(&loaded, &Options::default());
    is(topic(&plan, "a.failed").events_per_request, 0.5, 0.5);
    is(topic(&plan, "b.failed").events_per_request, 0.1, 0.1);
}

#[test]
fn instrumentation_changes_the_number_of_events() {
    for (instrument, low, high) in [
        ("{}", 2.0, 2.0),
        ("{sample_started: 0.25}", 1.25, 1.25),
        ("{events: outcomes}", 1.0, 1.0),
        ("{events: outcomes, sample_started: 0.5}", 1.0, 1.0),
        ("{events: failures}", 0.0, 1.0),
    ] {
        let loaded = read(&format!("{BARE}\ninstrument: {instrument}"));
        is(
            plan(&loaded, &Options::default()).total.events_per_request,
            low,
            high,
        );
    }
    let failures = read(&format!(
        "{BARE}\ninstrument: {{events: failures}}\nvolume: {{failure_ratio: [0.1, 0.2]}}"
    ));
    let plan = plan(&failures, &Options::default());
    is(plan.total.events_per_request, 0.1, 0.2);
    is(topic(&plan, "completed").events_per_request, 0.0, 0.0);
}

#[test]
fn rates_are_multiplied_and_ranges_stay_ranges() {
    let loaded = read(
        "events: [{event_type: placed, per_request: [0.5, 2], payload: {id: uuid}}]\n\
         node_type: effect\noperations: []\n\
         include_state_events: false\ninclude_metric_events: false\n\
         volume: {requests_per_second: [10, 40], retention: 1h, replication_factor: 3}",
    );
    let plan = plan(&loaded, &Options::default());
    let size = plan.contracts[0].events[0].bytes();
    let placed = topic(&plan, "placed");
    is(placed.events_per_second, 5.0, 80.0);
    is(placed.bytes_per_second, 5.0 * size, 80.0 * size);
    is(
        placed.disk_bytes,
        5.0 * size * 10_800.0,
        80.0 * size * 10_800.0,
    );
    is(
        plan.total.disk_bytes,
        5.0 * size * 10_800.0,
        80.0 * size * 10_800.0,
    );
    assert_eq!(placed.retention, Retention::For(Duration::from_secs(3_600)));
}

#[test]
fn options_override_topic_settings_override_contract() {
    let loaded = read(
        "node_type: effect\noperations: []\nevents:\n\
         - {event_type: own, topic_settings: {replication_factor: 2, config: {retention.ms: 1000}}}\n\
         - other\n\
         volume: {requests_per_second: 1, retention: 7d, replication_factor: 3}",
    );
    let said = plan(&loaded, &Options::default());
    let kept =
        |plan: &Plan<'_>, name: &str| (topic(plan, name).retention, topic(plan, name).replicas());
    assert_eq!(
        kept(&said, "own"),
        (Retention::For(Duration::from_secs(1)), 2)
    );
    assert_eq!(
        kept(&said, "other"),
        (Retention::For(Duration::from_secs(604_800)), 3)
    );
    let asked = Options {
        requests_per_second: Some(Range::exactly(7.0)),
        retention: Some(Duration::from_secs(60)),
        replication_factor: Some(5),
        ..Options::default()
    };
    let asked = plan(&loaded, &asked);
    assert_eq!(
        kept(&asked, "own"),
        (Retention::For(Duration::from_secs(60)), 5)
    );
    is(topic(&asked, "own").events_per_second, 7.0, 7.0);
}

#[test]
fn retention_is_ignored_for_compacted_topics() {
    let asked = Options {
        retention: Some(Duration::from_secs(60)),
        ..Options::default()
    };
    for (policy, kept) in [
        ("compact", Retention::Compacted),
        ("'compact,delete'", Retention::For(Duration::from_secs(60))),
        ("delete", Retention::For(Duration::from_secs(60))),
    ] {
        let loaded = read(&format!(
            "node_type: effect\noperations: []\nevents:\n\
             - {{event_type: x, topic_settings: {{config: {{cleanup.policy: {policy}}}}}}}\n\
             volume: {{requests_per_second: 10, retention: 7d}}"
        ));
        let plan = plan(&loaded, &asked);
        let x = topic(&plan, ".x.");
        assert_eq!(x.retention, kept, "{policy}");
        assert_eq!(
            x.disk_bytes.is_some(),
            kept != Retention::Compacted,
            "{policy}"
        );
    }
}

#[test]
fn disk_is_limited_by_retention_bytes() {
    let event = |config: &str| {
        format!(
            "node_type: effect\noperations: []\n\
             include_state_events: false\ninclude_metric_events: false\nevents:\n\
             - {{event_type: x, topic_settings: {{partitions: 4, config: {config}}}}}\n\
             volume: {{requests_per_second: [0, 1000], replication_factor: 2}}"
        )
    };
    for (config, most) in [
        ("{retention.bytes: 1000000, retention.ms: 604800000}", 8e6),
        ("{retention.bytes: 1000000, retention.ms: -1}", 8e6),
    ] {
        let loaded = read(&event(config));
        let plan = plan(&loaded, &Options::default());
        is(topic(&plan, "x").disk_bytes, 0.0, most);
        is(plan.total.disk_bytes, 0.0, most);
    }
    for (config, kept) in [
        ("{retention.ms: -1}", Retention::Forever),
        (
            "{cleanup.policy: compact, retention.ms: 1000}",
            Retention::Compacted,
        ),
        ("{}", Retention::Unknown),
    ] {
        let loaded = read(&event(config));
        let plan = plan(&loaded, &Options::default());
        assert_eq!(
            (topic(&plan, "x").retention, topic(&plan, "x").disk_bytes),
            (kept, None)
        );
        assert_eq!(plan.total.disk_bytes, None);
    }
}

#[test]
fn partitions_cover_the_highest_rate_and_the_configured_number() {
    let loaded = read(
        "node_type: effect\noperations: []\nevents:\n\
         - {event_type: few, topic_settings: {partitions: 2}}\n\
         - {event_type: many, topic_settings: {partitions: 50}}\n\
         - rest\n\
         volume: {requests_per_second: [1, 1000], consumer_events_per_second: 300}",
    );
    let said = plan(&loaded, &Options::default());
    let of = |plan: &Plan<'_>, name: &str| topic(plan, name).partitions;
    // 1000 / 300, rounded up; what bytes take is 1.
    assert_eq!(
        (of(&said, "few").needed, of(&said, "few").planned()),
        (Some(4), Some(4))
    );
    assert!(of(&said, "few").are_too_few());
    assert_eq!(of(&said, "many").planned(), Some(50));
    assert!(!of(&said, "many").are_too_few() && !of(&said, "rest").are_too_few());

    let options = Options {
        partition_bytes_per_second: Some(10_000),
        consumer_events_per_second: Some(1_000_000),
        ..Options::default()
    };
    let by_bytes = plan(&loaded, &options);
    let rest = topic(&by_bytes, "rest");
    let bytes = rest.bytes_per_second.expect("a rate").high;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    let needed = (bytes / 10_000.0).ceil() as u64;
    assert!(needed > 10, "{bytes}");
    assert_eq!(rest.partitions.needed, Some(needed));
}

#[test]
fn contracts_add_up_and_share_topics() {
    let contract = |service: &str, rate: &str| {
        format!(
            "node_type: effect\nservice_name: {service}\noperations: []\n\
             include_state_events: false\ninclude_metric_events: false\n\
             events: [{{event_type: '{service}.x', topic: shared}}, {{event_type: '{service}.y', topic: '{service}'}}]\n\
             {rate}\n"
        )
    };
    let texts = [
        contract("a", "volume: {requests_per_second: 10}"),
        contract("b", "volume: {requests_per_second: [1, 5]}"),
        contract("c", ""),
    ];
    let mut nodes = Vec::new();
    for text in &texts {
        nodes.extend(load_text("c.yaml", text, &Reading::default()).catalog.nodes);
    }
    let plan = Plan::new(&nodes, &Options::default());
    let names: Vec<_> = plan
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c", "shared"]);
    let shared = topic(&plan, "shared");
    assert_eq!(shared.event_types, ["a.x", "b.x", "c.x"]);
    is(shared.events_per_request, 3.0, 3.0);
    // What has no rate is left out of what is by the second.
    is(shared.events_per_second, 11.0, 15.0);
    is(plan.total.events_per_second, 22.0, 30.0);
    let only_c = plan
        .topics
        .iter()
        .find(|topic| topic.name == "c")
        .expect("it");
    assert_eq!(only_c.events_per_second, None);
}

/// A contract with every type and limit, none of it private.
const TYPES: &str = r#"
node_type: effect
operations: []
events:
  - event_type: x
    partition_key: code
    payload:
      id: uuid
      at: datetime
      day: date
      total: {type: decimal, minimum: 5000, exclusive_maximum: 6000}
      share: {type: number, exclusive_minimum: 0, maximum: 1}
      count: {type: integer, exclusive_minimum: 2, maximum: 3}
      big: {type: integer, minimum: 1000000}
      blob: bytes
      yes: boolean
      code: {type: string, pattern: "^[A-Z]{2}-[0-9]+$", min_length: 9, max_length: 12}
      name: {type: string, min_length: 40}
      short: {type: string, max_length: 3}
      currency: {type: string, enum: [EUR, POINTS]}
      lines: {type: "list[Line]", min_items: 5, max_items: 9}
      tags: "map[string]"
      maybe: {type: "string | null", required: false}
      channel: {type: string, default: web}
      anything: any
definitions:
  Line: {fields: {sku: string, parts: {type: "list[Line]", required: false}, others: "map[Line]", next: "Line | null"}}
"#;

#[test]
fn examples_are_valid_for_the_contract() {
    let loaded = read(TYPES);
    let node = &loaded.catalog.nodes[0];
    let (event, declared) = node.declared().next().expect("an event");
    let example = Example::typical(node, event);
    let payload = &example.envelope.payload;
    let problems = value::check(&declared.payload, payload, &node.definitions, "payload");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(payload.len(), declared.payload.len());
    assert_eq!(payload["channel"], "web");
    assert_eq!(payload["currency"], "POINTS");
    assert_eq!(payload["lines"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        example.envelope.key().as_str(),
        payload["code"].as_str().expect("text")
    );
    assert!(!example.is_cut && example.is_open);
}

#[test]
fn private_fields_count_with_their_type_name() {
    let of = |privacy: &str| {
        let loaded = read(&format!(
            "node_type: effect\noperations: [{{name: x, input: {{a: {{type: string, min_length: 500, privacy: {privacy}}}}}}}]"
        ));
        let plan = plan(&loaded, &Options::default());
        plan.contracts[0].events[0].size.value
    };
    // `"str"` instead of a text of 500 characters.
    assert_eq!(of("public") - of("private"), 497);
}

#[test]
fn fields_of_the_instrument_are_in_the_size() {
    let of = |fields: &str| {
        let loaded = read(&format!("{BARE}\ninstrument: {{fields: {fields}}}"));
        let plan = plan(&loaded, &Options::default());
        plan.contracts[0]
            .events
            .iter()
            .map(|event| event.size.value)
            .collect::<Vec<_>>()
    };
    let added = r#","metadata":{"team":"shop","tier":1}"#.len();
    let without = of("{}");
    let with = of("{team: shop, tier: 1}");
    assert!(
        without
            .iter()
            .zip(&with)
            .all(|(without, with)| with - without == added)
    );
}

#[test]
fn too_large_examples_are_cut_and_reported() {
    let loaded = read(
        "node_type: effect\noperations: []\nevents:\n\
         - {event_type: text, payload: {a: {type: string, min_length: 2147483647}}}\n\
         - {event_type: pattern, payload: {a: {type: string, pattern: '^[a-z]*$', min_length: 2147483647}}}\n\
         - {event_type: lists, payload: {a: {type: list, min_items: 2147483647, items: {type: list, min_items: 2147483647, items: T}}}}\n\
         - {event_type: maps, payload: {a: 'map[map[map[map[map[map[map[map[map[map[map[map[map[map[map[map[T]]]]]]]]]]]]]]]]'}}\n\
         definitions: {T: {fields: {x: 'list[T]', y: 'map[T]', z: string}}}",
    );
    let plan = plan(&loaded, &Options::default());
    for event in plan.contracts[0]
        .events
        .iter()
        .filter(|event| event.size.stored > 10_000)
    {
        assert!(event.is_too_large, "{}", event.event_type);
        assert!(
            event.size.stored < 5_000_000,
            "{}: {:?}",
            event.event_type,
            event.size
        );
    }
    assert_eq!(
        plan.contracts[0]
            .events
            .iter()
            .filter(|event| event.is_too_large)
            .count(),
        4
    );
}

fn range() -> impl Strategy<Value = (f64, f64)> {
    (0.0..1e6_f64, 0.0..1e6_f64).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

proptest! {
    #[test]
    fn a_total_is_within_the_sums_of_its_topics(
        rate in range(), runs in range(), failed in (0.0..1.0_f64, 0.0..1.0_f64), share in 0.0..1.0_f64,
    ) {
        let failed = (failed.0.min(failed.1), failed.0.max(failed.1));
        let loaded = read(&format!(
            "{BARE}\ninstrument: {{sample_started: {share:.6}}}\n\
             volume: {{requests_per_second: [{:.6}, {:.6}], retention: 1h, failure_ratio: [{:.6}, {:.6}]}}\n\
             events: [{{event_type: x, per_request: [{:.6}, {:.6}]}}]",
            rate.0, rate.1, failed.0, failed.1, runs.0, runs.1,
        ));
        let plan = plan(&loaded, &Options::default());
        for (total, of_topics) in [
            (plan.total.events_per_second, plan.topics.iter().filter_map(|t| t.events_per_second).sum::<Range>()),
            (plan.total.bytes_per_second, plan.topics.iter().filter_map(|t| t.bytes_per_second).sum()),
            (plan.total.disk_bytes, plan.topics.iter().filter_map(|t| t.disk_bytes).sum()),
        ] {
            let total = total.expect("there is a rate");
            prop_assert!(total.low <= total.high);
            prop_assert!(total.low >= of_topics.low * (1.0 - 1e-9));
            prop_assert!(total.high <= of_topics.high * (1.0 + 1e-9));
        }
    }
}
