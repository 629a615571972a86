//! AsyncAPI documents: as people review them, and as the official parser reads them.
//!
//! `HERALD_BLESS=1 cargo test -p herald-render --test asyncapi` writes the golden file anew.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use herald_catalog::load::{Options, load, load_text};
use herald_catalog::{Consumed, Node};
use herald_envelope::headers::NAMES;
use herald_envelope::{Place, Profile};
use herald_render::{BuiltInTarget, Context, Target, TargetError, is_ours};
use serde_json::{Value, json};

fn read(contract: &str) -> Node {
    let mut loaded = load_text("contract.yaml", contract, &Options::default());
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.catalog.nodes.remove(0)
}

fn shop() -> Node {
    read(include_str!("golden/shop.yaml"))
}

fn render(nodes: &[&Node]) -> Result<String, TargetError> {
    render_as("asyncapi", nodes)
}

fn render_as(target: &str, nodes: &[&Node]) -> Result<String, TargetError> {
    let name = format!("{target}.json");
    let target = BuiltInTarget::find(target).expect("there is a target for AsyncAPI");
    let mut files = target.render(nodes, &Context::default(), true)?;
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].path, name);
    Ok(files.remove(0).contents)
}

fn document(nodes: &[&Node]) -> Value {
    let text = render(nodes).expect("it renders");
    assert!(is_ours(text.as_bytes()));
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn document_matches_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shop/asyncapi.json");
    let text = render(&[&shop()]).expect("it renders");
    if std::env::var_os("HERALD_BLESS").is_some() {
        fs::write(&path, &text).expect("written");
    }
    let golden = fs::read_to_string(&path).expect("the golden file is there");
    assert!(text == golden, "{} differs: HERALD_BLESS=1", path.display());
}

#[test]
fn document_of_version_3_0_differs_in_the_version_only() {
    let text = render_as("asyncapi-3.0", &[&shop()]).expect("it renders");
    let mut document: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(document["asyncapi"], "3.0.0");
    document["asyncapi"] = json!("3.1.0");
    assert_eq!(document, self::document(&[&shop()]));
}

const ORDERS: &str = "node_type: effect
service_name: orders
version: 2.1.0
description: Takes orders.
include_state_events: false
include_metric_events: false
operations: []
definitions:
  Money: {fields: {amount: decimal, currency: string}}
events:
  - event_type: order.placed
    topic: shop.order.placed.v1
    partition_key: order_id
    payload:
      order_id: string
      $ref: string
      total: Money
      card: {type: string, privacy: private}
    topic_settings: {partitions: 12, replication_factor: 3, config: {cleanup.policy: 'compact,delete', retention.ms: '604800000', min.insync.replicas: '2'}}
";

const BILLING: &str = "node_type: effect
service_name: billing
include_state_events: false
include_metric_events: false
operations: [charge]
";

fn billing() -> Node {
    let mut node = read(BILLING);
    for topic in ["shop.order.placed.v1", "shop.refunds.v1"] {
        node.consumed.push(Consumed {
            topic: topic.to_owned(),
            event_type: None,
            conforming: false,
            sources: Vec::new(),
            location: node.location,
        });
    }
    node
}

#[test]
fn channel_has_topic_settings_in_the_types_of_the_kafka_binding() {
    let document = document(&[&read(ORDERS)]);
    assert_eq!(
        document["channels"]["shop.order.placed.v1"]["bindings"]["kafka"],
        json!({
            "partitions": 12,
            "replicas": 3,
            "topicConfiguration": {
                "cleanup.policy": ["compact", "delete"],
                "min.insync.replicas": "2",
                "retention.ms": 604_800_000,
            },
            "bindingVersion": "0.5.0",
        })
    );
}

#[test]
fn payload_hides_private_fields_and_refers_to_components() {
    let document = document(&[&read(ORDERS)]);
    let payload = &document["components"]["schemas"]["orders.order_placed.payload"];
    let properties = &payload["properties"];
    assert_eq!(properties["card"]["type"], "string");
    assert_eq!(properties.get("$ref"), None);
    let total = "#/components/schemas/orders.Money";
    assert_eq!(properties["total"]["$ref"], total);
    assert!(document.pointer(&total[1..]).is_some());
    // Parsers would open the file that an example of the field `$ref` names.
    let message = &document["components"]["messages"]["orders.order_placed"];
    assert_eq!(message.get("examples"), None);
}

#[test]
fn namespace_that_no_contract_sets_is_a_parameter() {
    let open = document(&[&billing()]);
    let channel = &open["channels"]["dev.billing.effect.charge.started.v1"];
    assert_eq!(
        channel["address"],
        "{namespace}.billing.effect.charge.started.v1"
    );
    assert_eq!(channel["parameters"]["namespace"]["default"], "dev");

    let set = document(&[&read(&format!("namespace: prod\n{BILLING}"))]);
    let channel = &set["channels"]["prod.billing.effect.charge.started.v1"];
    assert_eq!(channel["address"], "prod.billing.effect.charge.started.v1");
    assert_eq!(channel.get("parameters"), None);
}

#[test]
fn consumers_receive_from_the_channel_of_the_publisher_or_from_one_of_their_own() {
    let document = document(&[&read(ORDERS), &billing()]);
    let operations = &document["operations"];
    assert_eq!(operations["orders.send.order_placed"]["action"], "send");
    let receive = &operations["billing.receive.shop.order.placed.v1"];
    assert_eq!(receive["action"], "receive");
    assert_eq!(
        receive["channel"]["$ref"],
        "#/channels/shop.order.placed.v1"
    );
    let of_others = &document["channels"]["shop.refunds.v1"];
    assert_eq!(of_others["address"], "shop.refunds.v1");
}

#[test]
fn topic_of_exactly_the_consumed_name_comes_before_one_with_a_namespace() {
    let namespaced = ORDERS
        .replace("service_name: orders", "service_name: archive")
        .replace("topic: shop.", "topic: all.shop.");
    let document = document(&[&read(&namespaced), &read(ORDERS), &billing()]);
    let receive = &document["operations"]["billing.receive.shop.order.placed.v1"];
    assert_eq!(
        receive["channel"]["$ref"],
        "#/channels/shop.order.placed.v1"
    );
}

#[test]
fn contracts_that_disagree_about_a_topic_give_no_document() {
    let other = ORDERS
        .replace("service_name: orders", "service_name: returns")
        .replace("partitions: 12", "partitions: 6");
    let error = render(&[&read(ORDERS), &read(&other)]).expect_err("12 and 6 partitions");
    let messages = error.messages();
    assert!(messages[0].contains("partitions is 12"), "{messages:?}");
}

/// Node packages of the project, where they are installed.
fn node_packages() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/node");
    let is_there = folder.join("node_modules/@asyncapi/parser").is_dir();
    if !is_there {
        // Not by a macro: the test harness would keep that for itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: `make .tools/node/.stamp` installs AsyncAPI's parser"
        );
    }
    is_there.then_some(folder)
}

/// Errors and warnings of the official parser. Hints at what a document could also have are left
/// out, such as a contact.
fn problems(packages: &Path, documents: &[(String, String)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = Vec::new();
    for (name, text) in documents {
        let path = folder.path().join(format!("{name}.json"));
        fs::write(&path, text).expect("written");
        paths.push(path);
    }
    let output = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parse_asyncapi.mjs"))
        .arg(packages)
        .args(paths)
        .output()
        .expect("node runs");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let is_problem = |line: &&str| {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        line["severity"].as_u64() < Some(2)
    };
    lines
        .lines()
        .filter(is_problem)
        .map(str::to_owned)
        .collect()
}

#[test]
fn official_parser_takes_the_documents() {
    let Some(packages) = node_packages() else {
        return;
    };
    let (shop, orders, billing) = (shop(), read(ORDERS), billing());
    let mut documents = vec![
        ("shop".to_owned(), render(&[&shop])),
        ("all".to_owned(), render(&[&shop, &orders, &billing])),
        (
            "version_3_0".to_owned(),
            render_as("asyncapi-3.0", &[&shop, &orders, &billing]),
        ),
        (
            "profiles".to_owned(),
            Ok(format!("{:#}", document_of_profiles())),
        ),
    ];
    let real =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/onex-contracts");
    let real = load(
        &[real.to_string_lossy().into_owned()],
        &Options::default(),
        &|| (),
    );
    for (number, node) in real.catalog.nodes.iter().enumerate() {
        documents.push((format!("{}-{number}", node.identity.slug), render(&[node])));
    }
    let documents: Vec<_> = documents
        .into_iter()
        .map(|(name, document)| (name, document.expect("it renders")))
        .collect();
    let problems = problems(&packages, &documents);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A document of contracts of all envelope profiles.
fn document_of_profiles() -> Value {
    let nodes: Vec<_> = Profile::all()
        .map(|profile| {
            let name = profile.as_str().replace('-', "_");
            read(&format!(
                "node_type: effect\nservice_name: {name}\nenvelope: {profile}\n\
                 include_state_events: false\ninclude_metric_events: false\noperations: []\n\
                 events:\n  - event_type: {name}.placed\n    payload: {{total: decimal}}\n"
            ))
        })
        .collect();
    document(&nodes.iter().collect::<Vec<_>>())
}

#[test]
fn headers_are_those_that_are_written() {
    let contract = |service: &str, more: &str| {
        read(&format!(
            "node_type: effect\nservice_name: {service}\noperations: []\n\
             include_state_events: false\ninclude_metric_events: false\n{more}\n\
             events:\n  - event_type: {service}.placed\n    payload: {{total: decimal}}\n"
        ))
    };
    let nodes = [
        contract("all", ""),
        contract("some", "headers: [event_type, event_id]"),
        contract("none", "headers: []"),
        contract(
            "binary",
            "envelope: cloudevents-binary\nheaders: [event_type]",
        ),
    ];
    let document = document(&nodes.iter().collect::<Vec<_>>());
    let components = &document["components"];
    let headers = |service: &str| {
        let message = &components["messages"][format!("{service}.{service}_placed")];
        let path = message["traits"][0]["$ref"].as_str().expect("a trait");
        let name = path.rsplit('/').next().unwrap().to_owned();
        let of_trait = &components["messageTraits"][&name];
        let properties = of_trait["headers"]["properties"].as_object();
        let headers: Vec<_> = properties.expect("it has").keys().cloned().collect();
        (name, headers.join(" "))
    };
    let (name, all) = headers("all");
    assert_eq!(name, "OnexEnvelopeV1");
    assert_eq!(all, NAMES.join(" "));
    let (name, some) = headers("some");
    assert_eq!(name, "OnexEnvelopeV1.event_id.event_type");
    assert_eq!(some, "event_id event_type");
    let (name, none) = headers("none");
    assert_eq!(name, "OnexEnvelopeV1.no_optional_headers");
    assert_eq!(none, "");
    // The profile needs all of its headers but one.
    let (name, binary) = headers("binary");
    assert_eq!(name, "CloudEventHeaders.no_optional_headers");
    assert!(
        binary.starts_with("content-type ce_specversion "),
        "{binary}"
    );
    assert!(!binary.ends_with(" traceparent"), "{binary}");
}

#[test]
fn messages_have_the_form_of_their_envelope_profile() {
    let document = document_of_profiles();
    let messages = document["components"]["messages"]
        .as_object()
        .expect("it has");
    for profile in Profile::all() {
        let described = profile.describe();
        let event_type = format!("{}.placed", profile.as_str().replace('-', "_"));
        let mut messages = messages.values();
        let message = messages
            .find(|message| message["name"] == event_type)
            .expect("each profile has an event");
        let path = format!("#/components/messageTraits/{}", described.name);
        assert_eq!(message["traits"][0]["$ref"], path);
        let of_trait = &document["components"]["messageTraits"][described.name];
        assert_eq!(of_trait["contentType"], described.content_type);
        let is_envelope = described.value.is_some();
        assert_eq!(message["payload"].get("allOf").is_some(), is_envelope);
        let example = &message["examples"][0];
        let payload = match described.payload {
            Some(member) => &example["payload"][member],
            None => &example["payload"],
        };
        assert!(payload.is_object(), "{profile}: {example}");
        assert_eq!(example.get("headers").is_some(), !is_envelope);
        let at = |place: Place, of: &Value| match place {
            Place::Member(name) => of["payload"][name].clone(),
            Place::Header(name) => of["headers"][name].clone(),
        };
        assert_eq!(at(described.event_type, example), event_type);
        if let Place::Header(name) = described.event_type {
            assert_eq!(message["headers"]["properties"][name]["const"], event_type);
        }
    }
}
