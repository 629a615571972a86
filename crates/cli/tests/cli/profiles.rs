//! Commands with events of each envelope profile.

use herald_envelope::Profile;
use herald_envelope::headers::{CONTENT_TYPE, CORRELATION_ID, EVENT_ID, EVENT_TYPE, NAMES};
use herald_publish::kafka::DevCluster;
use herald_spool::{Record, Spool, SpoolOptions};
use serde_json::{Value, json};

use crate::support::{Run, Sandbox};

const TOPIC: &str = "shop.order.placed.v1";

const CONTRACT: &str = "\
node_type: effect
service_name: shop
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: shop.order.placed.v1
    partition_key: order
    payload: {order: string, total: decimal}
";

const EVENT: &str = r#"{"event_type":"order.placed","payload":{"order":"o-7","total":"12.50"},"correlation_id":"00000000-0000-0000-0000-000000000007"}"#;

/// A cluster with one event in the envelope of the contract.
struct World {
    sandbox: Sandbox,
    cluster: DevCluster,
}

impl World {
    fn with(profile: Profile) -> Self {
        let contract = format!("{CONTRACT}envelope: {profile}\n");
        let world = Self {
            sandbox: Sandbox::with(&[("shop.yaml", &contract), ("events.jsonl", EVENT)]),
            cluster: DevCluster::start(1).expect("a cluster"),
        };
        (world.cluster.create_topic(TOPIC, 3, 1)).expect("a topic");
        let args = [
            "publish",
            "--jsonl",
            "events.jsonl",
            "--contract",
            "shop.yaml",
        ];
        world.herald(&args).exits(0);
        world
    }

    fn herald(&self, args: &[&str]) -> Run {
        let mut command = self.sandbox.command("", args);
        command.env("KAFKA_BOOTSTRAP_SERVERS", self.cluster.bootstrap_servers());
        command.output().expect("herald runs").into()
    }

    fn listen(&self, args: &[&str]) -> Run {
        let all = ["listen", TOPIC, "--from", "beginning", "--count", "1"];
        self.herald(&[&all, args].concat()).exits(0)
    }
}

#[test]
fn events_of_every_profile_are_shown_and_filtered() {
    for profile in Profile::all() {
        let world = World::with(profile);
        let run = world.listen(&["--event-type", "order.*", "--source", "shop"]);
        for part in [
            "order.placed  shop.order.placed.v1/",
            "correlation 00000000-0000-0000-0000-000000000007",
            "key o-7",
            "from shop/herald-cli",
            "{\"order\":\"o-7\",\"total\":\"12.50\"}",
        ] {
            assert!(
                run.stdout.contains(part),
                "{profile}: {part}: {}",
                run.stdout
            );
        }
    }
}

#[test]
fn events_of_every_profile_conform_from_kafka_and_from_files() {
    for profile in Profile::all() {
        let world = World::with(profile);
        let run = world.herald(&["verify", "shop.yaml"]).exits(0);
        assert!(run.stderr.contains("conform: 1 event"), "{}", run.stderr);
        let lines = world.listen(&["--format", "jsonl"]).stdout;
        world.sandbox.write("lines.jsonl", &lines);
        let from_file = ["verify", "shop.yaml", "--from-file", "lines.jsonl"];
        world.herald(&from_file).exits(0);
        let inferred = world
            .herald(&["infer", "--from-file", "lines.jsonl"])
            .exits(0);
        for part in ["event_type: order.placed", "partition_key: order"] {
            assert!(
                inferred.stdout.contains(part),
                "{profile}: {}",
                inferred.stdout
            );
        }
    }
}

#[test]
fn verify_reports_another_profile_than_that_of_the_contract() {
    for profile in Profile::all() {
        let world = World::with(profile);
        for other in Profile::all().filter(|other| *other != profile) {
            world
                .sandbox
                .write("shop.yaml", format!("{CONTRACT}envelope: {other}\n"));
            let run = world
                .herald(&["verify", "shop.yaml", "--format", "json"])
                .exits(1);
            let problem = &run.json()["problems"][0];
            assert_eq!(problem["kind"], "envelope");
            let message =
                format!("the envelope is `{profile}`, and that of the contract is `{other}`");
            assert_eq!(problem["message"], message);
        }
        world.sandbox.write("shop.yaml", CONTRACT);
        world.herald(&["verify", "shop.yaml"]).exits(0);
    }
}

#[test]
fn spooled_events_of_every_profile_have_their_type_and_ids() {
    for profile in Profile::all() {
        let world = World::with(profile);
        let lines = world.listen(&["--format", "jsonl"]).stdout;
        let line: Value = serde_json::from_str(&lines).expect("it is JSON");
        let mut record = Record::new(TOPIC, line["envelope"].to_string());
        for header in line["headers"].as_array().expect("a list") {
            let text = |name: &str| header[name].as_str().expect("text").to_owned();
            record = record.with_header(text("name"), text("value"));
        }
        let path = world.sandbox.spool_path();
        let (spool, _) = Spool::open(SpoolOptions::new(path)).expect("a spool");
        spool.append(record).unwrap().wait().unwrap();
        drop(spool);
        let run = world.sandbox.spool(&["list", "--format", "jsonl"]).exits(0);
        let row: Value = serde_json::from_str(&run.stdout).expect("one line");
        assert_eq!(
            row["event_type"], "order.placed",
            "{profile}: {}",
            run.stdout
        );
        assert_eq!(
            row["correlation_id"],
            "00000000-0000-0000-0000-000000000007"
        );
        assert!(row["event_id"].is_string());
        let args = ["list", "--event-type", "order.placed"];
        assert!(world.sandbox.spool(&args).exits(0).stdout.contains(TOPIC));
    }
}

/// Content type of a dry run.
fn content_type(sandbox: &Sandbox, args: &[&str], environment: Option<&str>) -> String {
    let always = ["publish", "--dry-run", "--jsonl", "events.jsonl"];
    let mut command = sandbox.command("", &[&always, args].concat());
    if let Some(name) = environment {
        command.env("HERALD_ENVELOPE", name);
    }
    let run = Run::from(command.output().expect("herald runs")).exits(0);
    let line = run
        .stdout
        .lines()
        .find(|line| line.contains("content-type"));
    let line = line.unwrap_or_else(|| panic!("{}", run.stdout));
    let names: Vec<_> = ["ce_id", "source_service"]
        .into_iter()
        .filter(|name| run.stdout.contains(&format!("  {name} ")))
        .collect();
    format!(
        "{} {}",
        line.split_whitespace().nth(1).unwrap(),
        names.join("")
    )
}

#[test]
fn contract_precedes_argument_environment_and_project() {
    let sandbox = Sandbox::with(&[
        ("events.jsonl", EVENT),
        ("shop.yaml", CONTRACT),
        (
            "own.yaml",
            &format!("{CONTRACT}envelope: cloudevents-binary\n"),
        ),
    ]);
    let shop = ["--contract", "shop.yaml"];
    let own = ["--contract", "own.yaml", "--envelope", "none"];
    let none = ["--no-contract", "--topic", "t", "--envelope", "none"];
    let nothing = ["--no-contract", "--topic", "t"];
    assert_eq!(content_type(&sandbox, &shop, None), "application/json ");
    assert_eq!(content_type(&sandbox, &own, None), "application/json ce_id");
    assert_eq!(
        content_type(&sandbox, &none, Some("cloudevents")),
        "application/json source_service"
    );
    let structured = "application/cloudevents+json; ";
    assert_eq!(
        content_type(&sandbox, &nothing, Some("cloudevents")),
        structured
    );
    assert_eq!(
        content_type(&sandbox, &shop, Some("cloudevents")),
        structured
    );
    sandbox.write("herald.yaml", "envelope: cloudevents\n");
    assert_eq!(content_type(&sandbox, &nothing, None), structured);
    assert_eq!(content_type(&sandbox, &shop, None), structured);
    assert_eq!(content_type(&sandbox, &own, None), "application/json ce_id");
    let generated = sandbox.herald(&["inspect", "shop.yaml"]).exits(0).json();
    assert!(
        generated
            .to_string()
            .contains(r#""envelope":"cloudevents""#),
        "{generated}"
    );
}

#[test]
fn headers_of_the_contract_precede_those_of_the_project() {
    let sandbox = Sandbox::with(&[
        ("events.jsonl", EVENT),
        ("shop.yaml", CONTRACT),
        ("own.yaml", &format!("{CONTRACT}headers: [event_id]\n")),
        ("none.yaml", &format!("{CONTRACT}headers: []\n")),
    ]);
    let headers = |source: &[&str]| {
        let args = ["publish", "--dry-run", "--jsonl", "events.jsonl"];
        let run = sandbox.herald(&[&args[..], source].concat());
        let text = run.exits(0).stdout;
        let found = NAMES.into_iter();
        let found = found.filter(|name| text.contains(&format!("  {name} ")));
        found.collect::<Vec<_>>()
    };
    let nothing = ["--no-contract", "--topic", "t"];
    let all = [CONTENT_TYPE, EVENT_ID, EVENT_TYPE, CORRELATION_ID];
    assert_eq!(headers(&nothing), all);
    assert_eq!(headers(&["--contract", "shop.yaml"]), all);
    sandbox.write("herald.yaml", "headers: [event_type]\n");
    assert_eq!(headers(&nothing), [EVENT_TYPE]);
    assert_eq!(headers(&["--contract", "shop.yaml"]), [EVENT_TYPE]);
    assert_eq!(headers(&["--contract", "own.yaml"]), [EVENT_ID]);
    assert_eq!(headers(&["--contract", "none.yaml"]), [""; 0]);

    let inspected = |path| sandbox.herald(&["inspect", path]).exits(0).json();
    let contract = |path| inspected(path)["contracts"][0]["headers"].clone();
    assert_eq!(contract("shop.yaml"), json!(["event_type"]));
    assert_eq!(contract("none.yaml"), json!([]));
    let bytes = |path| {
        let run = sandbox.herald(&["volume", path, "--format", "json"]);
        run.exits(0).json()["contracts"][0]["events"][0]["bytes"]["headers"].clone()
    };
    assert_eq!(bytes("none.yaml"), 1);
    // Its name and its value, each with a length.
    assert_eq!(bytes("shop.yaml"), 1 + (1 + 10) + (1 + 12));
}

#[test]
fn verify_accepts_events_without_the_headers_of_the_contract() {
    let contract = format!("{CONTRACT}headers: [event_type, correlation_id]\n");
    let line = json!({
        "topic": TOPIC, "partition": 0, "offset": 0, "timestamp": null, "key": "A-17",
        "headers": [], "envelope": {
            "envelope_version": "1.0",
            "event_id": "00000000-0000-4000-8000-000000000001",
            "event_type": "order.placed",
            "event_version": "1.0",
            "event_timestamp": "2026-11-24T03:30:12.019304+00:00",
            "source_node_id": "shop-1", "source_service": "shop", "source_version": "1.0.0",
            "correlation_id": "00000000-0000-4000-8000-000000000007", "environment": "test",
            "partition_key": "A-17",
            "payload": {"order": "A-17", "total": "12.50"}, "metadata": {},
        },
    });
    let sandbox = Sandbox::with(&[
        ("shop.yaml", &contract),
        ("events.jsonl", &line.to_string()),
    ]);
    let args = ["verify", "shop.yaml", "--from-file", "events.jsonl"];
    sandbox.herald(&args).exits(0);
}

#[test]
fn unknown_headers_are_errors_with_the_known_names() {
    let sandbox = Sandbox::with(&[("shop.yaml", &format!("{CONTRACT}headers: [event-type]\n"))]);
    let run = sandbox.herald(&["check", "shop.yaml"]).exits(1);
    let names = "one of content-type, event_id, event_type, correlation_id, traceparent";
    for part in ["shop.yaml:11:11", names] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
}

#[test]
fn unknown_profiles_are_errors_with_the_known_names() {
    let sandbox = Sandbox::with(&[
        ("shop.yaml", &format!("{CONTRACT}envelope: cloudevent\n")),
        ("project/herald.yaml", "envelope: avro\n"),
    ]);
    let names = "one of onex-v1, onex-event-envelope, cloudevents, cloudevents-binary, none";
    let run = sandbox.herald(&["check", "shop.yaml"]).exits(1);
    for part in ["shop.yaml:11:11", names] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    let run = sandbox.herald_in("project", &["check"]);
    let text = run.stdout.clone() + &run.stderr;
    for part in ["herald.yaml:1:11", names] {
        assert!(text.contains(part), "{text}");
    }
    let payload = ["publish", "--dry-run", "--jsonl", "x", "--envelope", "avro"];
    let run = sandbox.herald(&payload).exits(2);
    assert!(
        run.stderr.contains("the profiles are onex-v1"),
        "{}",
        run.stderr
    );
}
