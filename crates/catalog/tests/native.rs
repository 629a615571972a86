//! The native format: decoding, and agreement with its JSON Schema.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use herald_catalog::contract::Format;
use herald_catalog::fields::{Privacy, Type};
use herald_catalog::instrument::{Instrument, InstrumentedEvents};
use herald_catalog::kind::Kind;
use herald_catalog::load::{Loaded, Options, load_text};
use herald_catalog::{Node, schema};
use herald_diagnostics::Diagnostic;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

static CONTRACT_SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema::contract()).expect("a schema"));

fn read(text: &str) -> Loaded {
    load_text("contract.yaml", text, &Options::default())
}

fn node(text: &str) -> Node {
    let mut loaded = read(text);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    loaded.catalog.nodes.pop().expect("a contract is a node")
}

fn event_types(node: &Node) -> Vec<&str> {
    node.events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect()
}

fn topics(node: &Node) -> Vec<String> {
    node.events
        .iter()
        .map(|event| event.topic.as_template())
        .collect()
}

const SMALLEST: &str = "\
node_type: orchestrator
service_name: orchestrator
operations: [orchestration, routing, intelligence_query]
include_state_events: true
include_metric_events: true
";

#[test]
fn the_smallest_contract_has_eleven_events() {
    let node = node(SMALLEST);
    assert_eq!(node.kind, Some(Kind::Orchestrator));
    assert_eq!(node.service_name, "orchestrator");
    assert_eq!(
        event_types(&node),
        [
            "orchestrator.orchestration.started",
            "orchestrator.orchestration.completed",
            "orchestrator.orchestration.failed",
            "orchestrator.routing.started",
            "orchestrator.routing.completed",
            "orchestrator.routing.failed",
            "orchestrator.intelligence_query.started",
            "orchestrator.intelligence_query.completed",
            "orchestrator.intelligence_query.failed",
            "orchestrator.state.changed",
            "orchestrator.metric.recorded",
        ]
    );
    assert_eq!(
        topics(&node)[0],
        "{namespace}.orchestrator.orchestrator.orchestration.started.v1"
    );
}

#[test]
fn absent_keys_have_the_defaults_of_the_schema() {
    let smaller = "node_type: orchestrator\nservice_name: orchestrator\n\
        operations: [orchestration, routing, intelligence_query]\n";
    assert_eq!(event_types(&node(smaller)), event_types(&node(SMALLEST)));

    let schema = schema::contract();
    let default = |key: &str| schema["properties"][key]["default"].clone();
    assert_eq!(default("include_state_events"), json!(true));
    assert_eq!(default("include_metric_events"), json!(true));
    assert_eq!(default("version"), json!("1.0.0"));
    assert_eq!(default("operations"), json!([]));
}

#[test]
fn state_and_metric_events_can_be_left_out() {
    let node = node(
        "node_type: effect\nservice_name: orders\noperations: [place]\n\
         include_state_events: false\ninclude_metric_events: false\n",
    );
    assert_eq!(
        event_types(&node),
        [
            "effect.place.started",
            "effect.place.completed",
            "effect.place.failed"
        ]
    );
}

const EVERYTHING: &str = r#"
node_type: reducer
service_name: orders
description: Keeps the book of orders.
version: {major: 2, minor: 1}
node_version: "0.3.0-rc.1"
namespace: prod
operations:
  - name: order.place
    description: Takes an order.
    input:
      order_id: uuid
      customer:
        type: string
        description: Who orders.
        privacy: public
        nullable: true
      channel: {type: string, enum: [web, shop], default: web}
      lines: {type: list, min_items: 1, max_items: 99, items: {type: list, items: {type: decimal, minimum: 0}}}
      postcode: {type: string, min_length: 5, max_length: 10, pattern: "^[0-9]+$"}
      discount: {type: number, exclusive_minimum: 0, exclusive_maximum: 1.5, maximum: 1.0}
    result: {total: [number, "null"]}
    per_request: [0, 1.5]
    failure_ratio: 0.01
    instrument:
      events: outcomes
      sample_started: 0.25
      fields: {team: checkout, tier: 1, billed: true}
  - cancel
states:
  names: [open, paid, closed]
  initial: open
  terminal: [closed]
  transitions:
    - {from: open, to: paid, trigger: payment}
    - {from: "*", to: closed}
metrics:
  - latency
  - {name: backlog, unit: messages, description: What waits.}
events:
  - order.archived
  - event_type: order.shipped
    description: It left the house.
    topic: "{namespace}.orders.shipped"
    payload:
      order_id: uuid
      address: {type: Address, privacy: private, required: false}
    partition_key: order_id
    schema_ref: OrderShipped
    topic_settings:
      partitions: 12
      replication_factor: 3
      config: {retention.ms: 604800000, cleanup.policy: compact}
definitions:
  Address:
    description: Where it goes.
    fields:
      city: string
      phone: {type: string, privacy: private}
      country: Country
      forwarded: {type: "list[Address]", required: false}
  Country: {fields: {code: {type: string, pattern: "^[A-Z]{2}$"}}}
instrument:
  sample_started: 0.5
  fields: {team: shop, region: eu}
volume: {requests_per_second: [20, 80], metrics_per_request: 2, retention: 7d, replication_factor: 3}
redact: ["card=[0-9]+"]
"#;

#[test]
fn reads_limits_of_types_and_items() {
    let node = node(EVERYTHING);
    let limits: Vec<_> = node.operations[0].input.iter().map(|f| &f.limits).collect();
    assert!(limits[..3].iter().all(|limits| limits.is_empty()));
    let text = |number: &Option<serde_json::Number>| number.as_ref().map(ToString::to_string);
    assert_eq!(
        (limits[3].min_items, limits[3].max_items),
        (Some(1), Some(99))
    );
    let items = limits[3].items.as_deref().expect("limits of items");
    let items = items.items.as_deref().expect("limits of their items");
    assert_eq!(text(&items.minimum).as_deref(), Some("0"));
    assert_eq!(
        (limits[4].min_length, limits[4].max_length),
        (Some(5), Some(10))
    );
    assert_eq!(limits[4].pattern.as_deref(), Some("^[0-9]+$"));
    assert_eq!(text(&limits[5].exclusive_minimum).as_deref(), Some("0"));
    assert_eq!(text(&limits[5].exclusive_maximum).as_deref(), Some("1.5"));
    assert_eq!(text(&limits[5].maximum).as_deref(), Some("1.0"));
}

#[test]
fn definitions_refer_to_each_other() {
    let node = node(EVERYTHING);
    let names: Vec<_> = node.definitions.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["Address", "Country"]);
    let (_, shipped) = node.declared().nth(1).expect("two events");
    assert_eq!(shipped.payload[1].ty, Type::Defined("Address".to_owned()));
    let address = node.definition("Address").expect("it is defined");
    assert_eq!(address.description.as_deref(), Some("Where it goes."));
    let types: Vec<_> = address.fields.iter().map(|f| f.ty.clone()).collect();
    let own = Type::Defined("Address".to_owned());
    let country = Type::Defined("Country".to_owned());
    assert_eq!(
        types,
        [
            Type::String,
            Type::String,
            country,
            Type::List(Box::new(own))
        ]
    );
    let public: Vec<_> = address
        .fields
        .iter()
        .map(|f| f.privacy == Privacy::Public)
        .collect();
    assert_eq!(public, [true, false, true, true]);
}

#[test]
fn definitions_that_differ_in_case_get_distinct_identifiers() {
    let loaded = read(
        "node_type: effect\nservice_name: orders\noperations: [place]\n\
         definitions:\n  Order: {fields: {id: uuid}}\n  ORDER: {fields: {id: uuid}}\n",
    );
    let idents: Vec<_> = loaded.catalog.nodes[0]
        .definitions
        .iter()
        .map(|definition| definition.ident.as_str())
        .collect();
    assert_eq!(idents, ["Order", "ORDER_2"]);
    assert!(loaded.has_errors());
}

#[test]
fn operations_override_the_instrumentation_of_the_contract() {
    let node = node(EVERYTHING);
    let [place, cancel] = [0, 1].map(|index| &node.operations[index].instrument);
    assert_eq!(
        (place.events, cancel.events),
        (InstrumentedEvents::Outcomes, InstrumentedEvents::All)
    );
    let shares = [place.sample_started, cancel.sample_started].map(|share| share.to_string());
    assert_eq!(shares, ["0.25", "0.5"]);
    let fields = |instrument: &Instrument| -> Map<String, Value> {
        instrument.fields.iter().cloned().collect()
    };
    assert_eq!(
        Value::from(fields(place)),
        json!({"region": "eu", "team": "checkout", "tier": 1, "billed": true})
    );
    assert_eq!(
        Value::from(fields(cancel)),
        json!({"team": "shop", "region": "eu"})
    );
    let silent = crate::node(SMALLEST);
    assert_eq!(silent.operations[0].instrument, Instrument::default());
}

#[test]
fn reads_states_and_metrics() {
    let node = node(EVERYTHING);
    let states = node.states.as_ref().expect("states");
    assert_eq!(states.states, ["open", "paid", "closed"]);
    assert_eq!(states.initial.as_deref(), Some("open"));
    assert_eq!(states.terminal, ["closed"]);
    let ways: Vec<_> = states
        .transitions
        .iter()
        .map(|t| {
            (
                t.from.value.as_str(),
                t.to.value.as_str(),
                t.trigger.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        ways,
        [("open", "paid", Some("payment")), ("*", "closed", None)]
    );

    let metrics: Vec<_> = node
        .metrics
        .iter()
        .map(|metric| (metric.name.value.as_str(), metric.unit.as_deref()))
        .collect();
    assert_eq!(metrics, [("latency", None), ("backlog", Some("messages"))]);
}

#[test]
fn every_key_has_an_effect() {
    let node = node(EVERYTHING);
    assert_eq!(node.format, Format::Native);
    assert_eq!(
        node.description.as_deref(),
        Some("Keeps the book of orders.")
    );
    assert_eq!(node.namespace.as_deref(), Some("prod"));
    let version = |version: &Option<herald_catalog::version::Version>| {
        version
            .as_ref()
            .map(|version| (version.major, version.text.clone()))
    };
    assert_eq!(
        version(&node.identity.contract_version),
        Some((2, "2.1.0".into()))
    );
    assert_eq!(
        version(&node.identity.node_version),
        Some((0, "0.3.0-rc.1".into()))
    );

    let place = &node.operations[0];
    assert_eq!(
        (place.name.as_str(), place.ident.as_str()),
        ("order.place", "order_place")
    );
    assert_eq!(place.description.as_deref(), Some("Takes an order."));
    let types: Vec<_> = place
        .input
        .iter()
        .map(|field| field.ty.to_string())
        .collect();
    assert_eq!(
        types,
        [
            "uuid",
            "string | null",
            "enum(web, shop)",
            "list[list[decimal]]",
            "string",
            "number"
        ]
    );
    let public: Vec<_> = place
        .input
        .iter()
        .map(|f| f.privacy == Privacy::Public)
        .collect();
    assert_eq!(public, [false, true, false, false, false, false]);
    let required: Vec<_> = place.input.iter().map(|field| field.required).collect();
    assert_eq!(required, [true, true, false, true, true, true]);
    assert_eq!(
        place.result[0].ty,
        Type::Union(vec![Type::Number, Type::Null])
    );
    assert_eq!(node.operations[1].name, "cancel");

    let declared: Vec<_> = node.declared().collect();
    let (archived, shipped) = (&declared[0], &declared[1]);
    assert_eq!(
        archived.0.topic.as_template(),
        "{namespace}.orders.order.archived.v1"
    );
    assert!(archived.1.payload.is_empty());
    assert_eq!(shipped.0.topic.in_namespace("prod"), "prod.orders.shipped");
    assert_eq!(shipped.0.ident, "order_shipped");
    assert_eq!(shipped.1.partition_key.as_deref(), Some("order_id"));
    assert_eq!(shipped.1.schema_ref.as_deref(), Some("OrderShipped"));
    assert_eq!(shipped.1.payload[0].privacy, Privacy::Public);
    assert_eq!(shipped.1.payload[1].privacy, Privacy::Private);
    assert!(!shipped.1.payload[1].required);
    let settings = shipped.1.settings.as_ref().expect("settings");
    assert_eq!(
        (settings.partitions, settings.replication_factor),
        (Some(12), Some(3))
    );
    assert_eq!(settings.config["retention.ms"], "604800000");
    assert_eq!(node.redact, ["card=[0-9]+"]);
}

#[test]
fn reads_versions_as_text_number_or_mapping() {
    for (written, text, major) in [
        ("1", "1", 1),
        ("1.10", "1.10", 1),
        ("'2.0.0'", "2.0.0", 2),
        ("0.1.0", "0.1.0", 0),
        ("{major: 3}", "3.0.0", 3),
        ("{major: 3, patch: 1}", "3.0.1", 3),
    ] {
        let text_of_contract = format!(
            "node_type: effect\nservice_name: orders\noperations: [place]\nversion: {written}\n"
        );
        let node = node(&text_of_contract);
        let version = node.identity.contract_version.clone().expect("a version");
        assert_eq!(version.text, text);
        assert_eq!(version.major, major, "{written}");
        // Topics have versions of their own.
        assert!(
            topics(&node)[0].rsplit('.').next() == Some("v1"),
            "{written}"
        );
    }
}

#[test]
fn the_schema_accepts_the_examples() {
    for text in [SMALLEST, EVERYTHING] {
        let json = json_of(text);
        let errors: Vec<_> = CONTRACT_SCHEMA
            .iter_errors(&json)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

/// Converts a document to JSON with Herald's own parser.
#[test]
fn the_examples_of_the_documentation_are_valid() {
    let page = include_str!("../../../docs/types.md");
    let (_, rest) = page.split_once("```yaml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let node = node(example);
    assert_eq!(node.definitions.len(), 2);
    assert!(CONTRACT_SCHEMA.is_valid(&json_of(example)));
}

fn json_of(text: &str) -> Value {
    let source = herald_diagnostics::Source::new("contract.yaml", text);
    let mut diagnostics = Vec::new();
    let tree =
        herald_catalog::yaml::parse(herald_diagnostics::SourceId(0), &source, &mut diagnostics);
    tree.expect("it is YAML").to_json()
}

/// Returns the codes of diagnostics about the shape of a contract, which a schema can express.
fn shape_diagnostics(diagnostics: &[Diagnostic]) -> BTreeSet<&'static str> {
    const SHAPE: [&str; 6] = [
        "contract.unknown_key",
        "contract.wrong_type",
        "contract.missing_key",
        "kind.node_type_missing",
        "kind.unknown",
        "identity.name_missing",
    ];
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.rule.code)
        .filter(|code| SHAPE.contains(code))
        .collect()
}

/// Texts that are almost blank, a number, a version or a word.
fn text() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "",
        " ",
        "\t\r\n",
        "\u{a0}",
        "\u{feff}",
        "\u{85}",
        "é",
        "日本",
        "*",
        "null",
        "true",
        "yes",
        "1",
        "1.0",
        "v1",
        "1.2.3-rc.1",
        "1234567890",
        "123456789.",
        "1.é",
        "public",
        "Public",
        "effect",
        "EFFECT",
        "reducer",
        "list[string]",
        "floot",
        "order.placed",
        "a b",
        "\"",
        "\\",
        "\u{1}",
        "\u{7f}",
        "{namespace}.x",
        "- x",
        "a: b",
        "#",
        "~",
        "0x10",
        ".inf",
    ];
    prop_oneof![3 => select(KNOWN).prop_map(str::to_owned), 1 => "[a-z]{1,6}", 1 => ".{0,4}"]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..5_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&[0.0, -0.0, 1.0, 1.5, 2_147_483_647.0, 2_147_483_648.0, 1e300][..])
            .prop_map(Value::from),
        select(&[2_147_483_647_i64, 2_147_483_648][..]).prop_map(Value::from),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        2 => number(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

/// Keys of the format at any level, and unknown keys.
fn key() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "node_type",
        "service_name",
        "description",
        "version",
        "node_version",
        "namespace",
        "operations",
        "include_state_events",
        "include_metric_events",
        "states",
        "metrics",
        "events",
        "redact",
        "major",
        "minor",
        "patch",
        "name",
        "input",
        "result",
        "type",
        "required",
        "default",
        "enum",
        "items",
        "nullable",
        "privacy",
        "names",
        "initial",
        "terminal",
        "transitions",
        "from",
        "to",
        "trigger",
        "unit",
        "event_type",
        "topic",
        "payload",
        "partition_key",
        "topic_settings",
        "schema_ref",
        "partitions",
        "replication_factor",
        "config",
        "definitions",
        "fields",
        "instrument",
        "sample_started",
        "minimum",
        "exclusive_maximum",
        "min_length",
        "pattern",
        "max_items",
        "volume",
        "requests_per_second",
        "per_request",
        "failure_ratio",
        "retention",
        "Address",
    ];
    prop_oneof![8 => select(KNOWN).prop_map(str::to_owned), 1 => "[a-z]{1,5}"]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The complete contract above, changed in a few places.
fn contract() -> impl Strategy<Value = Value> {
    let change = (any::<Index>(), 0..5_u8, key(), anything());
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let mut contract = json_of(EVERYTHING);
        for (place, how, key, value) in changes {
            let mut places = 0;
            count(&contract, &mut places);
            let mut left = place.index(places);
            change_at(&mut contract, &mut left, &mut Some((how, key, value)));
        }
        contract
    })
}

fn count(value: &Value, places: &mut usize) {
    *places += 1;
    match value {
        Value::Array(items) => items.iter().for_each(|item| count(item, places)),
        Value::Object(entries) => entries.values().for_each(|item| count(item, places)),
        _ => {}
    }
}

/// Changes the value after `left` others: replaces it, or one of its entries.
fn change_at(value: &mut Value, left: &mut usize, change: &mut Option<(u8, String, Value)>) {
    if *left == 0 {
        if let Some((how, key, new)) = change.take() {
            match (how, &mut *value) {
                (1, Value::Object(entries)) => {
                    entries.insert(key, new);
                }
                (2, Value::Object(entries)) => {
                    let first = entries.keys().next().cloned();
                    entries.remove(&first.unwrap_or_default());
                }
                (3, Value::Array(items)) => items.push(new),
                (4, Value::Object(entries)) => entries.clear(),
                _ => *value = new,
            }
        }
        return;
    }
    *left -= 1;
    let children: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(entries) => Box::new(entries.values_mut()),
        _ => return,
    };
    for child in children {
        if change.is_none() {
            return;
        }
        change_at(child, left, change);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_schema_accepts_the_same_contracts_as_the_reader(contract in contract()) {
        // With words of the other format it may be one of that.
        prop_assume!(contract.get("service_name").is_some() && contract.get("name").is_none());
        let text = serde_json::to_string_pretty(&contract).expect("JSON");
        let loaded = read(&text);
        let found = shape_diagnostics(&loaded.diagnostics);
        let errors: Vec<_> = CONTRACT_SCHEMA.iter_errors(&contract).map(|e| e.to_string()).collect();
        prop_assert_eq!(found.is_empty(), errors.is_empty(), "{}\n{:?}\n{:?}", text, errors, found);
    }

    #[test]
    fn a_contract_of_known_keys_is_a_node_or_an_error(
        entries in prop::collection::vec((key(), anything()), 0..8),
    ) {
        let contract: Map<String, Value> = entries.into_iter().collect();
        let text = serde_json::to_string_pretty(&contract).expect("JSON");
        let loaded = read(&text);
        prop_assert!(loaded.catalog.nodes.len() == 1 || loaded.has_errors());
    }
}

#[test]
fn event_type_and_version_are_the_identity_of_an_event() {
    let node = node(
        "node_type: effect\nservice_name: orders\nversion: 3.0.0\ntopic_version: 2\n\
         operations: [place]\nevents:\n\
         - {event_type: order.placed, topic: orders.placed.v1}\n\
         - {event_type: order.placed, topic: orders.placed.v2}\n\
         - {event_type: order.placed, version: 3}\n\
         - {event_type: order.shipped, topic: orders.shipped}\n\
         - {event_type: order.lost, topic: orders.lost.v7}\n",
    );
    let of = |event: &herald_catalog::Event| {
        let topic = event.topic.as_template();
        format!("{} {} {topic}", event.ident, event.wire_version())
    };
    let declared: Vec<_> = node.declared().map(|(event, _)| of(event)).collect();
    assert_eq!(
        declared,
        [
            "order_placed_v1 1.0 orders.placed.v1",
            "order_placed_v2 2.0 orders.placed.v2",
            "order_placed_v3 3.0 {namespace}.orders.order.placed.v3",
            "order_shipped 1.0 orders.shipped",
            "order_lost 7.0 orders.lost.v7",
        ]
    );
    assert_eq!(
        of(&node.events[0]),
        "place_started 2.0 {namespace}.orders.effect.place.started.v2"
    );
}

#[test]
fn single_values_and_nested_objects_are_types() {
    let contract = "node_type: effect\nservice_name: orders\noperations: []\nevents:\n\
        - event_type: order.placed\n  payload:\n    status: Status\n    sku: list[Sku]\n\
        \x20   size: {type: integer, enum: [1, 2.0], open: true}\n    wait: duration\n    at: datetime\n\
        \x20   to: {fields: {town: string, at: {type: list, items: {fields: {x: number}}}}}\n\
        definitions:\n  Status: {type: string, enum: [open, paid], open: true}\n\
        \x20 Sku: {type: string, max_length: 9}\n";
    let node = node(contract);
    let (_, declared) = node.declared().next().expect("an event");
    let types: Vec<_> = declared
        .payload
        .iter()
        .map(|field| field.ty.to_string())
        .collect();
    let expected = [
        "Status | string",
        "list[Sku]",
        "enum(1, 2) | integer",
        "duration",
        "datetime",
        "OrderPlacedTo",
    ];
    assert_eq!(types, expected);
    let names: Vec<_> = node.definitions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["OrderPlacedTo", "OrderPlacedToAt"]);
    let check = |payload: &serde_json::Value| {
        let payload = payload.as_object().expect("an object");
        herald_catalog::value::check(&declared.payload, payload, &node.definitions, "payload")
    };
    let good = serde_json::json!({
        "status": "lost", "sku": ["A-1"], "size": 7, "wait": "P1DT2H", "at": "2026-01-01T12:00:00Z",
        "to": {"town": "Bonn", "at": [{"x": 1.5}]},
    });
    assert_eq!(check(&good), [""; 0]);
    let mut years = good.clone();
    years["wait"] = "-P1Y35DT1H".into();
    assert_eq!(check(&years), [""; 0]);
    let mut bad = good.clone();
    bad["sku"] = serde_json::json!(["A-1", "0123456789"]);
    bad["wait"] = "P1M".into();
    bad["at"] = "2026-01-01T12:00:00".into();
    bad["to"]["at"][0]["x"] = "far".into();
    assert_eq!(
        check(&bad),
        [
            "payload.sku[1] must have at most 9 characters, found 10",
            "payload.wait must be a duration such as P1DT2H30M, found other text",
            "payload.at must be a time with an offset, such as 2025-11-05T12:00:00Z, found a time \
             without an offset",
            "payload.to.at[0].x must be a number, found other text",
        ]
    );
}

#[test]
fn definitions_are_objects_or_single_values() {
    for (definition, message) in [
        (
            "Box: {description: Empty.}",
            "has neither fields nor a type",
        ),
        ("Box: {type: list}", "has the type `list[any]`"),
        (
            "Box: {type: integer, enum: [one]}",
            "is not a value of the type",
        ),
        (
            "Box: {fields: {a: {type: uuid, fields: {b: string}}}}",
            "`fields` are those of an object",
        ),
        (
            "Box: {fields: {a: {type: number, multiple_of: 2}}}",
            "`multiple_of` is a limit",
        ),
        (
            "Box: {fields: {a: {type: 'list[uuid]', unique_items: true}}}",
            "`unique_items` is a limit",
        ),
    ] {
        let text = format!(
            "node_type: effect\nservice_name: a\noperations: [b]\ndefinitions:\n  {definition}\n"
        );
        let loaded = load_text("a", &text, &Options::default());
        let messages: Vec<_> = loaded
            .diagnostics
            .iter()
            .map(|it| it.message.clone())
            .collect();
        assert!(
            messages.iter().any(|it| it.contains(message)),
            "{definition}: {messages:?}"
        );
    }
}
