//! `herald breaking` as a user runs it.

use std::process::Command;

use serde_json::json;

use crate::support::Sandbox;

pub const OLD: &str = "\
node_type: effect
service_name: shop
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: goods.returned
    topic: shop.goods.returned.v1
    payload:
      kind: {type: string, enum: [refund, voucher]}
";

/// Returns the contract with one more value of the enum.
fn new() -> String {
    OLD.replace("voucher]", "voucher, goodwill]")
}

pub fn git(sandbox: &Sandbox, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@localhost"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .current_dir(sandbox.path(""))
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{output:?}");
}

/// A repository whose only commit, `main`, has the old contract.
fn repository() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("contracts/shop.yaml", OLD),
        ("herald.yaml", "contracts: [contracts]\n"),
    ]);
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "first"]);
    sandbox
}

#[test]
fn shows_both_places_and_a_witness() {
    let sandbox = Sandbox::with(&[("old/shop.yaml", OLD), ("new/shop.yaml", &new())]);
    let run = sandbox
        .herald(&["breaking", "new", "--against", "old"])
        .exits(1);
    for part in [
        "error[enum.value_added]: `kind` in the payload of `goods.returned` may be `goodwill` now",
        "--> new/shop.yaml:10:7",
        "::: old/shop.yaml (before):10:7",
        "`{\"kind\":\"goodwill\"}` can be published now, and consumers generated before reject it",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    assert_eq!(
        run.stderr,
        "1 breaking change (consumer 1, producer 0, source 0; 1 contract compared with old)\n"
    );
}

#[test]
fn thirty_thousand_fields_are_compared() {
    let fields: Vec<_> = (1..30_000)
        .map(|number| format!("      f{number}: string\n"))
        .collect();
    let fields = fields.concat();
    let old = format!("{OLD}      name: string\n{fields}");
    let new = format!(
        "{OLD}      title: {{type: string, renamed_from: name}}\n{fields}      extra: string\n"
    );
    let sandbox = Sandbox::with(&[("old.yaml", &*old), ("new.yaml", &new)]);
    let run = sandbox
        .herald(&["breaking", "new.yaml", "--against", "old.yaml"])
        .exits(1);
    for part in ["error[field.renamed]", "error[field.added_required]"] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("field.removed"), "{}", run.stdout);
}

#[test]
fn exit_code_follows_the_chosen_directions() {
    let sandbox = Sandbox::with(&[("old.yaml", OLD), ("new.yaml", &new())]);
    let of = |direction| {
        sandbox.herald(&[
            "breaking",
            "new.yaml",
            "--against",
            "old.yaml",
            "--direction",
            direction,
        ])
    };
    of("consumer").exits(1);
    let run = of("producer").exits(0);
    assert_eq!(
        run.stderr,
        "nothing breaks: 1 contract compared with old.yaml\n"
    );
    let run = of("sideways").exits(2);
    assert!(
        run.stderr.contains("use consumer, producer or source"),
        "{}",
        run.stderr
    );
}

#[test]
fn describes_changes_as_json() {
    let consumer = "node_type: effect\nservice_name: billing\noperations: [charge]\n";
    let onex = "name: node_desk\nnode_type: effect\nevent_bus:\n  \
        subscribe_topics: [shop.goods.returned.v1]\n";
    let sandbox = Sandbox::with(&[
        ("old/shop.yaml", OLD),
        ("new/shop.yaml", &new()),
        ("new/billing.yaml", consumer),
        ("new/desk/contract.yaml", onex),
    ]);
    let run = sandbox
        .herald(&["breaking", "new", "--against", "old", "--format", "json"])
        .exits(1);
    let document = run.json();
    assert_eq!(
        document["summary"],
        json!({"consumer": 1, "producer": 0, "source": 0})
    );
    assert_eq!(document["contracts"], 3);
    let change = &document["changes"][0];
    assert_eq!(change["rule"], "enum.value_added");
    assert_eq!(change["breaks"], json!(["consumer"]));
    assert_eq!(change["events"], json!(["goods.returned"]));
    assert_eq!(change["topics"], json!(["shop.goods.returned.v1"]));
    assert_eq!(change["consumers"], json!(["node_desk"]));
    assert_eq!(
        change["witness"],
        json!({"value": {"kind": "goodwill"}, "breaks": ["consumer"]})
    );
    assert_eq!(change["old"]["path"], "old/shop.yaml");
    assert_eq!(change["new"]["line"], 10);
}

#[test]
fn names_the_consumers_of_the_workspace() {
    let sandbox = Sandbox::with(&[
        ("old/shop.yaml", OLD),
        ("new/shop.yaml", &new()),
        (
            "mail/mail.yaml",
            "node_type: effect\nservice_name: mail\noperations: []\nconsumes: [shop.goods.returned.v1]\n",
        ),
        ("herald.yaml", "workspace: [new, mail, ../gone]\n"),
    ]);
    let args = ["breaking", "new", "--against", "old"];
    let run = sandbox.herald(&args).exits(1);
    assert!(
        run.stdout.contains("its consumers are mail"),
        "{}",
        run.stdout
    );
    let part = "the workspace was not read completely, so consumers may be missing";
    assert!(run.stderr.contains(part), "{}", run.stderr);
}

#[test]
fn compares_with_a_commit() {
    let sandbox = repository();
    sandbox
        .herald(&["breaking", "--against", "git:main"])
        .exits(0);
    sandbox.write("contracts/shop.yaml", new());
    let run = sandbox
        .herald(&["breaking", "--against", "git:main"])
        .exits(1);
    assert!(
        run.stdout.contains("::: git:main:contracts/shop.yaml:10:7"),
        "{}",
        run.stdout
    );
    // From a folder below, with a path, and with the path of that time.
    for args in [
        ["breaking", "shop.yaml", "--against", "git:HEAD"],
        ["breaking", "*.yaml", "--against", "git:HEAD"],
        ["breaking", ".", "--against", "git:HEAD:contracts"],
    ] {
        sandbox.herald_in("contracts", &args).exits(1);
    }
}

#[test]
fn compares_with_a_commit_of_another_repository() {
    let released = repository();
    let folder = released.path("");
    let folder = folder.to_str().expect("UTF-8").trim_end_matches('/');
    let sandbox = Sandbox::with(&[("contracts/shop.yaml", &new())]);
    for reference in ["@main", "/contracts@HEAD", "@main:contracts"] {
        let against = format!("git:{folder}{reference}");
        let run = sandbox
            .herald(&["breaking", "contracts", "--against", &against])
            .exits(1);
        assert!(
            run.stdout.contains(":contracts/shop.yaml:10:7"),
            "{}",
            run.stdout
        );
    }
    for (reference, message) in [
        ("git:./gone@main".to_owned(), "git:FOLDER@REF[:PATH]"),
        (format!("git:{folder}"), "git:FOLDER@REF[:PATH]"),
        (
            format!("git:{folder}@release"),
            "git has no commit `release`",
        ),
        ("git:./contracts@main".to_owned(), "not in a git repository"),
    ] {
        let run = sandbox
            .herald(&["breaking", "contracts", "--against", &reference])
            .exits(2);
        assert!(run.stderr.contains(message), "{message}\n{}", run.stderr);
    }
}

#[test]
fn compares_with_the_namespace_of_that_time() {
    let generated = OLD.replace("operations: []", "operations: [take]");
    let sandbox = Sandbox::with(&[
        ("contracts/shop.yaml", generated.as_str()),
        ("herald.yaml", "contracts: [contracts]\nnamespace: prod\n"),
    ]);
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "first"]);
    sandbox.write("herald.yaml", "contracts: [contracts]\nnamespace: live\n");
    let run = sandbox
        .herald(&["breaking", "--against", "git:main", "--format", "json"])
        .exits(1);
    assert_eq!(run.json()["changes"][0]["rule"], "node.namespace_changed");
}

#[test]
fn says_why_there_is_nothing_to_compare_with() {
    let outside = Sandbox::with(&[("shop.yaml", OLD)]);
    let elsewhere = outside.path("shop.yaml");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    let sandbox = repository();
    sandbox.write(
        "broken/shop.yaml",
        "node_type: efect\nservice_name: a\noperations: [b]\n",
    );
    for (args, message) in [
        (
            vec!["--against", "git:release"],
            "git has no commit `release`",
        ),
        (vec!["--against", "git:--all"], "git has no commit `--all`"),
        (
            vec!["--against", "git:main:gone"],
            "there are no contracts in `gone` at git:main",
        ),
        (
            vec!["--against", "gone"],
            "there are no contracts in `gone` to compare with",
        ),
        (
            vec!["broken", "--against", "git:main:contracts"],
            "fix them first",
        ),
        (vec!["contracts", "--against", "broken"], "fix them first"),
        (
            vec![elsewhere, "--against", "git:main"],
            "outside of the git repository",
        ),
    ] {
        let args: Vec<_> = std::iter::once("breaking").chain(args).collect();
        let run = sandbox.herald(&args).exits(2);
        assert!(run.stderr.contains(message), "{message}\n{}", run.stderr);
    }
    let sandbox = Sandbox::with(&[("shop.yaml", OLD)]);
    let run = sandbox
        .herald(&["breaking", "--against", "git:main"])
        .exits(2);
    assert!(
        run.stderr.contains("not in a git repository"),
        "{}",
        run.stderr
    );
}

#[test]
fn explains_its_rules() {
    let sandbox = Sandbox::new();
    let run = sandbox.herald(&["explain", "field.removed"]).exits(0);
    assert!(run.stdout.contains("a field is gone"), "{}", run.stdout);
    let run = sandbox.herald(&["explain"]).exits(0);
    assert!(run.stdout.contains("version.not_bumped"), "{}", run.stdout);
}

#[test]
fn the_proposed_part_of_the_contract_breaks_nobody() {
    let old = OLD.replace("operations: []", "operations: []\nversion: 1.4.2");
    let new = old.replace("voucher]", "voucher, goodwill]");
    let sandbox = Sandbox::with(&[("old.yaml", &old), ("new.yaml", &new)]);
    let against = ["breaking", "new.yaml", "--against", "old.yaml"];
    let run = sandbox.herald(&against).exits(1);
    for part in [
        "the contract stays at version 1.4.2, and what changed breaks",
        "proposal: publish both versions until all consumers read the new one. In new.yaml, with `version: 1.5.0`",
        "      - event_type: goods.returned\n        version: 1\n        topic: shop.goods.returned.v1\n",
        "      - event_type: goods.returned\n        version: 2\n        topic: shop.goods.returned.v2\n",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    let run = sandbox
        .herald(&[&against[..], &["--format", "json"]].concat())
        .exits(1);
    let proposal = run.json()["proposals"][0].clone();
    assert_eq!(
        proposal["events"][0]["next_topic"],
        "shop.goods.returned.v2"
    );
    let fragment = proposal["contract"].as_str().expect("a text");
    let (head, _) = new.split_once("events:\n").expect("events");
    let head = head.replace("1.4.2", proposal["version"].as_str().expect("a text"));
    sandbox.write("new.yaml", format!("{head}{fragment}"));
    sandbox.herald(&["check", "new.yaml"]).exits(0);
    sandbox.herald(&["generate", "new.yaml"]).exits(0);
    let run = sandbox
        .herald(
            &[
                &against[..],
                &["--direction", "consumer", "--direction", "producer"],
            ]
            .concat(),
        )
        .exits(0);
    let renamed = "is `goods_returned_v1` in generated code instead of `goods_returned`";
    assert!(!run.stdout.contains(renamed), "{}", run.stdout);
    let run = sandbox.herald(&against);
    assert!(run.stdout.contains(renamed), "{}", run.stdout);
}
