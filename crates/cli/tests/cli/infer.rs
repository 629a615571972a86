//! `herald infer`: a first contract from events.

use serde_json::Value;

use crate::support::Sandbox;
use crate::verify::placed;

fn sandbox(services: &[&str]) -> Sandbox {
    let event = |(number, service): (u32, &&str)| {
        let mut event = placed(number);
        event["source_service"] = Value::from(*service);
        event.to_string()
    };
    let lines: Vec<_> = (0..).zip(services).map(event).collect();
    Sandbox::with(&[("events.jsonl", &lines.join("\n"))])
}

#[test]
fn the_events_conform_with_the_contract_that_was_inferred_from_them() {
    let sandbox = sandbox(&["shop"; 3]);
    let run = sandbox
        .herald(&["infer", "--from-file", "events.jsonl"])
        .exits(0);
    assert!(
        run.stdout.contains("    partition_key: order\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr
            .starts_with("inferred 1 event type of 1 service from 3 records"),
        "{}",
        run.stderr
    );
    sandbox.write("contract.yaml", run.stdout);
    sandbox.herald(&["check", "contract.yaml"]).exits(0);
    let verify = [
        "verify",
        "contract.yaml",
        "--from-file",
        "events.jsonl",
        "--require-coverage",
    ];
    sandbox.herald(&verify).exits(0);
}

#[test]
fn several_services_get_a_file_each_and_nothing_is_overwritten() {
    let sandbox = sandbox(&["shop", "mail"]);
    let run = sandbox
        .herald(&["infer", "--from-file", "events.jsonl"])
        .exits(2);
    assert!(
        run.stderr.contains("of 2 services: mail, shop"),
        "{}",
        run.stderr
    );
    let all = ["infer", "--from-file", "events.jsonl", "--out", "contracts"];
    sandbox.herald(&all).exits(0);
    assert!(
        sandbox
            .read("contracts/mail.yaml")
            .contains("service_name: mail")
    );
    let run = sandbox.herald(&all).exits(2);
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
}

#[test]
fn without_events_there_is_no_contract() {
    let sandbox = Sandbox::with(&[("events.jsonl", "hello\n")]);
    let run = sandbox
        .herald(&["infer", "--from-file", "events.jsonl"])
        .exits(2);
    assert!(
        run.stderr.contains("1 record, 1 of them not envelopes"),
        "{}",
        run.stderr
    );
}
