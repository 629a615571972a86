//! `herald doctor`, with and without a cluster.

use std::net::TcpListener;

use serde_json::Value;

use crate::runtime_topics::{contract, fresh, real_kafka};
use crate::support::Sandbox;

/// The check of a subject.
fn check<'a>(document: &'a Value, subject: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["subject"] == subject);
    found.unwrap_or_else(|| panic!("{subject}: {document}"))
}

#[test]
fn cluster_that_nobody_named_or_nobody_serves_is_a_problem_with_advice() {
    let sandbox = Sandbox::with(&[("shop.yaml", &contract("shop.x", "{}"))]);
    // A port that is taken and does not answer like Kafka.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    drop(silent);
    let run = sandbox
        .herald(&["doctor", "shop.yaml", "--bootstrap-servers", &address])
        .exits(1);
    for part in [
        "contracts",
        "problem  cluster",
        "→ start the broker, or check the address",
        "1 problem",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn contract_with_errors_is_reported_as_check_does() {
    let sandbox = Sandbox::with(&[("shop.yaml", "node_type: effect\nservice_name: 7\n")]);
    let run = sandbox.herald(&["doctor", "shop.yaml"]).exits(2);
    assert!(run.stderr.contains("shop.yaml:2"), "{}", run.stderr);
}

#[test]
fn names_missing_topics_and_is_content_once_they_exist() {
    if !real_kafka() {
        return;
    }
    let topic = fresh("doctor");
    let sandbox = Sandbox::with(&[(
        "shop.yaml",
        &contract(&topic, "{partitions: 2, config: {max.message.bytes: 5000}}"),
    )]);
    let spool = ["--spool", "var/shop.db"];
    let doctor = [&["doctor", "shop.yaml", "--format", "json"][..], &spool].concat();
    let document = sandbox.herald(&doctor).exits(1).json();
    let topics = check(&document, "topics");
    assert_eq!(topics["verdict"], "problem");
    assert!(
        topics["text"].as_str().unwrap().contains(&topic),
        "{topics}"
    );
    assert_eq!(topics["fix"], "herald topics apply --yes shop.yaml");

    sandbox
        .herald(&["topics", "apply", "shop.yaml", "--yes"])
        .exits(0);
    let document = sandbox.herald(&doctor).exits(0).json();
    for subject in [
        "contracts",
        "cluster",
        "tls",
        "login",
        "topics",
        "rights",
        "size",
        "spool",
    ] {
        assert_eq!(check(&document, subject)["verdict"], "ok", "{document}");
    }
    let size = check(&document, "size")["text"].as_str().unwrap();
    assert!(size.contains("5000"), "{size}");
}

#[test]
fn topics_are_those_of_the_namespace_in_the_environment() {
    if !real_kafka() {
        return;
    }
    let text = "node_type: effect\nservice_name: shop\noperations: [charge]\n";
    let sandbox = Sandbox::with(&[("shop.yaml", text)]);
    let mut command = sandbox.command("", &["doctor", "shop.yaml", "--format", "json"]);
    command.env("HERALD_NAMESPACE", "stage");
    let output = command.output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let topics = check(&document, "topics")["text"].as_str().unwrap();
    assert!(topics.contains("stage.shop.effect"), "{topics}");
}
