//! The page of `herald catalog --format markdown`.

use crate::support::Sandbox;

const SHOP: &str = "\
node_type: effect
service_name: shop
description: |
  Takes orders.
  # No heading, see http://example.com and [a link](x).
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: shop.order.placed.v1
    description: An order was accepted.
    partition_key: order_id
    topic_settings: {partitions: 6, config: {retention.ms: '604800000'}}
    payload:
      order_id: uuid
      total: {type: decimal, minimum: 0}
      'we|ird': {type: string, max_length: 5, required: false, description: 'a | b'}
      email: {type: string, privacy: private}
      lines: list[Line]
      stage: {type: Stage, default: new}
definitions:
  Stage: {type: string, enum: [new, paid], open: true}
  Line: {fields: {sku: string | null}}
";

const MAIL: &str = "\
node_type: effect
service_name: mail
operations: [send]
consumes: [shop.order.placed.v1]
";

const ARGS: [&str; 5] = ["catalog", "--format", "markdown", "--out", "EVENTS.md"];

fn sandbox() -> Sandbox {
    Sandbox::with(&[
        ("herald.yaml", "contracts: [contracts]\n"),
        ("contracts/shop.yaml", SHOP),
        ("contracts/mail.yaml", MAIL),
    ])
}

#[test]
fn page_has_topics_keys_payloads_producers_and_consumers() {
    let sandbox = sandbox();
    sandbox.herald(&ARGS).exits(0);
    let page = sandbox.read("EVENTS.md");
    for line in [
        "| `shop.order.placed.v1` | `order.placed` | shop | mail |",
        "effect, contract `contracts/shop.yaml`",
        "Takes orders. \\# No heading, see http\\://example.com and \\[a link\\](x).",
        "- key: `order_id` of the payload",
        "- consumed by: mail",
        "- topic settings: 6 partitions, `retention.ms=604800000`",
        "| `total` | `decimal`, at least 0 | yes |  |",
        "| we\\|ird | `string`, at most 5 characters | no | a \\| b |",
        "| `email` | `string`, private | yes |  |",
        "| `lines` | `list[Line]` | yes |  |",
        "| `sku` | string \\| null | yes |  |",
        "| `Stage` | enum(new, paid), more may come |  |",
        "| operation lifecycle | `effect.send.started` |",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(!page.contains("\n# No heading"));
}

#[test]
fn page_is_the_same_from_every_folder_and_check_finds_a_stale_one() {
    let sandbox = sandbox();
    let check = [&ARGS[..], &["--check"]].concat();
    sandbox.herald(&check).exits(1);
    assert!(!sandbox.exists("EVENTS.md"));
    sandbox.herald(&ARGS).exits(0);
    sandbox.herald(&check).exits(0);
    let below = [
        "catalog",
        "--format",
        "markdown",
        "--out",
        "../EVENTS.md",
        "--check",
    ];
    sandbox.herald_in("contracts", &below).exits(0);
    sandbox.write(
        "contracts/shop.yaml",
        SHOP.replace("partitions: 6", "partitions: 12"),
    );
    let run = sandbox.herald(&check).exits(1);
    assert!(
        run.stdout.contains("+- topic settings: 12 partitions"),
        "{}",
        run.stdout
    );
    sandbox.herald(&ARGS).exits(0);
    sandbox.herald(&check).exits(0);
}

#[test]
fn files_of_others_are_kept() {
    let sandbox = sandbox();
    sandbox.write("EVENTS.md", "# Ours\n");
    let run = sandbox.herald(&ARGS).exits(2);
    assert!(
        run.stderr.contains("was not written by Herald"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.read("EVENTS.md"), "# Ours\n");
    let run = sandbox.herald(&["catalog", "--out", "x.md"]).exits(2);
    assert!(run.stderr.contains("--format markdown"), "{}", run.stderr);
}
