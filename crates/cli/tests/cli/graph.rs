//! `herald graph` as a user runs it.

use crate::breaking::git;
use crate::support::Sandbox;

const SHOP: &str = "\
node_type: effect
service_name: shop
operations: [place]
events:
  - {event_type: order.placed, topic: \"{namespace}.order.placed.v2\", payload: {order: uuid, total: decimal}}
  - {event_type: order.lost, topic: order.lost.v1}
";

const MAIL: &str = "\
node_type: effect
service_name: mail
operations: []
consumes:
  - order.placed.v1
  - {topic: order.placed.v2, event_type: order.payed}
  - bank.paid.v1 # herald: ignore[graph.not_published] Published by the bank.
  - customer.moved.v1
";

fn system() -> Sandbox {
    Sandbox::with(&[("shop/shop.yaml", SHOP), ("mail/mail.yaml", MAIL)])
}

#[test]
fn shows_who_publishes_and_who_consumes_each_topic() {
    let run = system().herald(&["graph"]).exits(0);
    let rows: Vec<_> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "TOPIC EVENTS PUBLISHED BY CONSUMED BY",
            "bank.paid.v1 - - mail",
            "customer.moved.v1 - - mail",
            "dev.order.placed.v2 order.placed shop mail",
            "order.lost.v1 order.lost shop -",
            "order.placed.v1 - - mail",
        ]
    );
    for part in [
        "warning[graph.version_skew]: nobody publishes `order.placed.v1`, but `dev.order.placed.v2` is published",
        "--> ./mail/mail.yaml:5:5",
        "warning[graph.event_type_unknown]: `order.payed` is not published to `dev.order.placed.v2`",
        "warning[graph.not_published]: nobody publishes `customer.moved.v1`",
        "1 info not shown; --focus and --format json show them",
    ] {
        assert!(run.stderr.contains(part), "{part}\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("`bank.paid.v1`"), "{}", run.stderr);
    assert!(
        run.stderr.contains("7 topics of generated events"),
        "{}",
        run.stderr
    );
}

#[test]
fn comments_about_the_graph_are_no_problem_of_check() {
    let run = system().herald(&["check"]).exits(0);
    assert!(!run.stdout.contains("lint.ignore"), "{}", run.stdout);
}

#[test]
fn different_payloads_of_one_event_and_shared_topics_are_found() {
    let kiosk = SHOP
        .replace("service_name: shop", "service_name: kiosk")
        .replace("total: decimal", "total: integer");
    let sandbox = Sandbox::with(&[("shop.yaml", SHOP), ("kiosk.yaml", &kiosk)]);
    let run = sandbox.herald(&["graph", "--focus", "*order*"]).exits(1);
    let part = "error[graph.payloads_differ]: `order.placed` on `dev.order.placed.v2` has different payloads";
    assert!(run.stderr.contains(part), "{}", run.stderr);
    let part = "info[graph.two_owners]: `kiosk` and `shop` publish to `dev.order.placed.v2`";
    assert!(run.stderr.contains(part), "{}", run.stderr);
}

#[test]
fn commands_in_a_circle_are_found() {
    let node = |name: &str, own: &str, other: &str| {
        format!(
            "node_type: effect\nservice_name: {name}\noperations: []\nevents: [{{event_type: {other}, topic: x.cmd.{other}.v1}}]\nconsumes: [x.cmd.{own}.v1]\n"
        )
    };
    let sandbox = Sandbox::with(&[
        ("a.yaml", &node("a", "a", "b")),
        ("b.yaml", &node("b", "b", "a")),
    ]);
    let run = sandbox.herald(&["graph"]).exits(0);
    let part = "warning[graph.command_cycle]: `a`, `b` command each other in a circle";
    assert!(run.stderr.contains(part), "{}", run.stderr);
}

#[test]
fn the_workspace_may_be_paths_and_lock_files_and_levels_apply() {
    let sandbox = system();
    sandbox.herald_in("shop", &["lock"]).exits(0);
    sandbox.write(
        "herald.yaml",
        "workspace: [mail, shop/herald.lock]\nrules: {graph.version_skew: error}\n",
    );
    let run = sandbox.herald(&["graph", "--format", "json"]).exits(1);
    let document = run.json();
    let nodes: Vec<_> = document["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].clone())
        .collect();
    assert_eq!(nodes, ["mail", "shop"]);
    let rules: Vec<_> = document["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].clone())
        .collect();
    assert!(rules.contains(&"graph.version_skew".into()), "{rules:?}");
    let run = sandbox.herald(&["graph", "nowhere"]).exits(2);
    assert!(
        run.stderr.contains("`nowhere` does not exist"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_workspace_may_be_commits_of_other_repositories() {
    let sandbox = Sandbox::with(&[("mail/mail.yaml", MAIL), ("shop/contracts/shop.yaml", SHOP)]);
    sandbox.herald_in("shop", &["lock"]).exits(0);
    git(&sandbox, &["init", "--quiet", "shop"]);
    git(&sandbox, &["-C", "shop", "add", "."]);
    git(
        &sandbox,
        &["-C", "shop", "commit", "--quiet", "-m", "first"],
    );
    // The commit counts, not the files of now.
    sandbox.write("shop/contracts/shop.yaml", "node_type: [");
    sandbox.write("shop/herald.lock", "");
    for reference in [
        "@main:contracts",
        "@HEAD",
        "@main:herald.lock",
        "/contracts@main",
    ] {
        let workspace = format!("workspace: [../mail, 'git:../shop{reference}']\n");
        sandbox.write("app/herald.yaml", &workspace);
        let run = sandbox.herald_in("app", &["graph"]).exits(0);
        assert!(run.stdout.contains("order.lost.v1"), "{}", run.stdout);
    }
}

#[test]
fn topics_of_sources_that_no_contract_declares_are_found() {
    let sandbox = system();
    sandbox.write(
        "app/service.py",
        "\
from aiokafka import AIOKafkaConsumer
import shop.models.v1

# topic = \"order.forgotten.v1\"
TOPIC = \"order.palced.v2\"
LOST_TOPIC = f\"{env}.order.lost.v1\"
consumer = AIOKafkaConsumer(\"dev.order.placed.v2\", \"prod.order.placed.v2\", \"bank.paid.v1\")
await producer.send_and_wait(\"mail.sent\", b\"\")
OLD_TOPIC = \"order.old.v1\"  # herald: ignore[graph.topic_undeclared] Of the old shop.
",
    );
    sandbox.write(
        "app/web/client.ts",
        "\
import { Kafka } from 'kafkajs'
await producer.send({ topic: 'order.refunded.v1', messages })
await consumer.subscribe({ topic: `order.lost.v1` })
// herald: ignore[graph.topic_undeclared] Of the bank.
const topic = 'bank.refused.v1'
",
    );
    sandbox.write("app/tests/test_service.py", "topic = 'order.test.v1'\n");
    let run = sandbox.herald(&["graph", "--sources", "app"]).exits(0);
    for part in [
        "warning[graph.topic_undeclared]: `order.palced.v2` is in no contract",
        "--> app/service.py:5:9",
        "did you mean `order.placed.v2`?",
        "`mail.sent` is in no contract",
        "--> app/service.py:8:30",
        "`order.refunded.v1` is in no contract",
        "--> app/web/client.ts:2:30",
    ] {
        assert!(run.stderr.contains(part), "{part}\n{}", run.stderr);
    }
    let count = run.stderr.matches("[graph.topic_undeclared]").count();
    assert_eq!(count, 3, "{}", run.stderr);
    sandbox.write("herald.yaml", "rules: {graph.topic_undeclared: error}\n");
    let json = [
        "graph",
        "--sources",
        "app/web/client.ts",
        "--format",
        "json",
    ];
    let document = sandbox.herald(&json).exits(1).json();
    let of_rule = |one: &&serde_json::Value| one["code"] == "graph.topic_undeclared";
    let found: Vec<_> = document["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of_rule)
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["path"], "app/web/client.ts");
}

#[test]
fn pictures_show_hostile_names_as_text() {
    let hostile = SHOP
        .replace("order.lost,", "'<img src=x onerror=alert(1)>\"]',")
        .replace(
            "service_name: shop",
            "service_name: '\"><script>alert(1)</script>'",
        );
    let sandbox = Sandbox::with(&[("shop.yaml", &hostile), ("mail.yaml", MAIL)]);
    for format in ["html", "mermaid"] {
        let run = sandbox.herald(&["graph", "--format", format, "--all"]);
        assert!(
            !run.stdout.contains("<script>alert"),
            "{format}\n{}",
            run.stdout
        );
        if format == "html" {
            assert!(!run.stdout.contains("<img"), "{}", run.stdout);
            assert!(run.stdout.contains("default-src 'none'"), "{}", run.stdout);
            assert_eq!(run.stdout.matches("<script>").count(), 1);
        }
    }
}

#[test]
fn a_focus_shows_a_part_of_the_system() {
    let sandbox = system();
    let run = sandbox
        .herald(&["graph", "--focus", "shop", "--format", "mermaid"])
        .exits(0);
    assert!(run.stdout.contains("order.lost.v1"), "{}", run.stdout);
    assert!(!run.stdout.contains("customer.moved.v1"), "{}", run.stdout);
    let run = sandbox.herald(&["graph", "--focus", "nobody"]).exits(2);
    assert!(run.stderr.contains("is named `nobody`"), "{}", run.stderr);
}
