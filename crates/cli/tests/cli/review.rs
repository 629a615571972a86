//! `herald review` as a user runs it. `tests/review` runs it as services do.

use crate::breaking::{OLD as CONTRACT, git};
use crate::support::Sandbox;

/// A repository whose only commit has a contract and its generated file.
fn repository() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("contracts/shop.yaml", CONTRACT),
        ("herald.yaml", "contracts: [contracts]\n"),
    ]);
    sandbox.herald(&["generate"]).exits(0);
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "first"]);
    sandbox
}

#[test]
fn reports_all_parts_of_a_change() {
    let sandbox = repository();
    let changed = CONTRACT.replace("voucher]", "voucher, goodwill]");
    sandbox.write("contracts/shop.yaml", changed);
    let run = sandbox
        .herald(&["review", "--against", "git:main"])
        .exits(1);
    for part in [
        "error[enum.value_added]",
        "error[generated.stale]: `generated/shop_events.py` is not as the contracts generate it",
        "Proposal: publish both versions",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    let verdicts: Vec<_> = run
        .stderr
        .lines()
        .map(|line| line.split_whitespace().next().unwrap_or_default())
        .collect();
    assert_eq!(verdicts, ["ok", "problem", "problem", "skipped"]);
}

#[test]
fn paths_begin_at_the_top_of_the_repository() {
    let sandbox = Sandbox::with(&[("shop/shop.yaml", CONTRACT)]);
    git(&sandbox, &["init", "--quiet"]);
    let files = ["github=a.txt", "gitlab=a.json", "markdown=a.md"];
    let args = files.iter().flat_map(|file| ["--write", file]);
    let args: Vec<_> = ["review"].into_iter().chain(args).collect();
    sandbox.herald_in("shop", &args).exits(1);
    for file in ["a.txt", "a.json", "a.md"] {
        let text = sandbox.read(&format!("shop/{file}"));
        assert!(text.contains("shop/generated/shop_events.py"), "{text}");
    }
}

#[test]
fn generated_files_are_not_compared_if_the_project_does_not_commit_them() {
    let sandbox = Sandbox::with(&[
        ("contracts/shop.yaml", CONTRACT),
        (
            "herald.yaml",
            "contracts: [contracts]\nrules: {generated.stale: off}\n",
        ),
    ]);
    let run = sandbox.herald(&["review"]).exits(0);
    assert!(
        run.stderr
            .contains("herald.yaml switches generated.stale off"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_file_whose_contract_is_gone_is_stale() {
    let sandbox = repository();
    let other = CONTRACT.replace("service_name: shop", "service_name: other");
    sandbox.write("contracts/shop.yaml", other);
    sandbox.herald(&["generate"]).exits(0);
    let run = sandbox.herald(&["review"]).exits(1);
    assert!(
        run.stdout
            .contains("`generated/shop_events.py` is obsolete: its contract is gone"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_old_version_that_can_not_be_compared_does_not_fail_the_change_that_fixes_it() {
    let sandbox = repository();
    for broken in [Some("node_type: efect\n"), None] {
        git(&sandbox, &["checkout", "--quiet", "--orphan", "broken"]);
        match broken {
            Some(text) => sandbox.write("contracts/shop.yaml", text),
            None => std::fs::remove_file(sandbox.path("contracts/shop.yaml")).unwrap(),
        }
        git(&sandbox, &["add", "--all"]);
        git(&sandbox, &["commit", "--quiet", "-m", "broken"]);
        git(&sandbox, &["checkout", "--quiet", "main"]);
        let run = sandbox
            .herald(&["review", "--against", "git:broken"])
            .exits(0);
        assert!(
            run.stderr.contains("skipped  Breaking changes"),
            "{}",
            run.stderr
        );
        git(&sandbox, &["branch", "--quiet", "-D", "broken"]);
    }
}

#[test]
fn an_old_version_that_does_not_exist_is_a_failure() {
    let sandbox = repository();
    let run = sandbox
        .herald(&["review", "--against", "git:nowhere"])
        .exits(2);
    assert!(
        run.stderr.contains("git has no commit `nowhere`"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_output_is_a_format_and_a_file() {
    let sandbox = repository();
    for (output, reason) in [
        ("review.md", "expected FORMAT=FILE"),
        ("markdown=", "expected FORMAT=FILE"),
        ("html=a", "expected one of human, json, github, gitlab"),
    ] {
        let run = sandbox.herald(&["review", "--write", output]).exits(2);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    }
}

#[test]
fn an_exception_from_breaking_changes_that_nothing_needs_is_reported() {
    let sandbox = repository();
    let unused = "{rule: enum.value_added, reason: agreed}";
    sandbox.write(
        "herald.yaml",
        format!("contracts: [contracts]\nbreaking: {{ignore: [{unused}]}}\n"),
    );
    let run = sandbox
        .herald(&["review", "--against", "git:main"])
        .exits(0);
    assert!(run.stderr.contains("config.unused"), "{}", run.stderr);
}
