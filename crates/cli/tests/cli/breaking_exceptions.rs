//! `breaking` of `herald.yaml`: directions, rules, agreed breaks and unstable parts.

use crate::support::{Run, Sandbox};

const OLD: &str = "\
node_type: effect
service_name: shop
version: 1.0.0
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: goods.returned
    topic: shop.goods.returned.v1
    payload: {kind: {type: string, enum: [refund, voucher]}, note: string}
";

/// Runs `herald breaking` for a contract without a field, with these settings.
fn run(breaking: &str) -> Run {
    let new = OLD.replace(", note: string", "");
    let project = format!("contracts: [new]\nbreaking:\n{breaking}");
    let sandbox = Sandbox::with(&[
        ("old/shop.yaml", OLD),
        ("new/shop.yaml", &new),
        ("herald.yaml", &project),
    ]);
    sandbox.herald(&["breaking", "--against", "old"])
}

#[test]
fn directions_and_rules_of_the_project_apply() {
    run("  use: [consumer]\n").exits(1);
    run("  use: [producer]\n").exits(0);
    let run = run("  except: [field.removed]\n").exits(0);
    // Its version was only wrong because of the field.
    assert!(run.stderr.contains("nothing breaks"), "{}", run.stderr);
}

#[test]
fn agreed_breaks_are_counted_and_not_reported() {
    for ignore in [
        "{rule: field.removed, reason: nobody reads it}",
        "{rule: field.removed, path: new/shop.yaml, until: 2999-01-31, reason: nobody reads it}",
        "{rule: field.removed, path: \"new/*\", event: \"goods.*\", reason: nobody reads it}",
    ] {
        let run = run(&format!("  ignore: [{ignore}]\n")).exits(0);
        assert!(
            run.stderr
                .contains("1 breaking change allowed by herald.yaml"),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
}

#[test]
fn expired_and_unused_exceptions_are_reported_at_their_place() {
    let expired = "{rule: field.removed, until: 2020-01-31, reason: nobody reads it}";
    let found = run(&format!("  ignore: [{expired}]\n")).exits(1);
    for part in [
        "warning[config.expired]: the exception from `field.removed` expired on 2020-01-31",
        "--> herald.yaml:3:19",
    ] {
        assert!(found.stderr.contains(part), "{part}\n{}", found.stderr);
    }
    let elsewhere = "{rule: field.removed, path: old/shop.yaml, reason: typo}";
    let found = run(&format!("  ignore: [{elsewhere}]\n")).exits(1);
    let part = "warning[config.unused]: the exception from `field.removed` matches nothing";
    assert!(found.stderr.contains(part), "{}", found.stderr);
}

#[test]
fn unstable_parts_may_change_in_any_way() {
    for glob in ["goods.*", "shop.*.*.v1", "new/**"] {
        run(&format!("  unstable: [\"{glob}\"]\n")).exits(0);
    }
    run("  unstable: [\"beta.*\"]\n").exits(1);
}

#[test]
fn a_renamed_field_is_a_rename() {
    let new = OLD.replace("note: string", "text: {type: string, renamed_from: note}");
    let sandbox = Sandbox::with(&[("old.yaml", OLD), ("new.yaml", &new)]);
    let run = sandbox
        .herald(&["breaking", "new.yaml", "--against", "old.yaml"])
        .exits(1);
    let part = "error[field.renamed]: `note` in the payload of `goods.returned` changed its name to `text`";
    assert!(run.stdout.contains(part), "{}", run.stdout);
    assert!(!run.stdout.contains("field.removed"), "{}", run.stdout);
    assert!(!run.stdout.contains("field.added"), "{}", run.stdout);
}
