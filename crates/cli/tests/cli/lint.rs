//! `herald check` as a linter: suppression, overrides, the baseline and fixes.

use crate::support::Sandbox;

const SHOP: &str = "\
node_type: effect
service_name: shop
operations: [place]
events:
  - event_type: order.placed
    payload:
      order: uuid
      email: string
      phone: string
";

fn shop(text: &str) -> Sandbox {
    Sandbox::with(&[
        ("herald.yaml", "contracts: [contracts]\n"),
        ("contracts/shop.yaml", text),
    ])
}

fn codes(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let mut all = vec!["check", "--format", "json"];
    all.extend(args);
    let document = sandbox.herald(&all).json();
    let found = document["diagnostics"].as_array().expect("a list").iter();
    found
        .map(|one| {
            format!(
                "{}:{}",
                one["code"].as_str().unwrap(),
                one["span"]["start"]["line"]
            )
        })
        .collect()
}

#[test]
fn comments_suppress_a_rule_in_their_line_the_next_one_or_the_file() {
    assert_eq!(
        codes(&shop(SHOP), &[]),
        ["lint.personal_data:8", "lint.personal_data:9"]
    );
    let behind = SHOP.replace(
        "email: string",
        "email: string # herald: ignore[lint.personal_data] Receipts.",
    );
    assert_eq!(codes(&shop(&behind), &[]), ["lint.personal_data:9"]);
    let above = SHOP.replace(
        "      email",
        "      # herald: ignore[lint.personal_data] Receipts.\n      # Not a rule.\n      email",
    );
    assert_eq!(codes(&shop(&above), &[]), ["lint.personal_data:11"]);
    let file = format!("# herald: ignore-file[lint.personal_data] All of it is agreed.\n{SHOP}");
    assert!(codes(&shop(&file), &[]).is_empty());
}

#[test]
fn comments_that_do_nothing_are_reported() {
    let text = SHOP
        .replace(
            "order: uuid",
            "order: uuid # herald: ignore[lint.personal_data] Wrong line.",
        )
        .replace(
            "email: string",
            "email: string # herald: ignore[lint.personal_data]",
        )
        .replace(
            "phone: string",
            "phone: string # herald: ignore[lint.personaldata] Typo.",
        );
    let found = codes(&shop(&text), &[]);
    assert_eq!(
        found,
        [
            "lint.ignore_unused:7",
            "lint.ignore_invalid:8",
            "lint.personal_data:9",
            "lint.ignore_invalid:9",
        ]
    );
    let errors = SHOP.replace(
        "uuid",
        "uuid\n      order: x # herald: ignore[yaml.syntax] No.",
    );
    assert!(codes(&shop(&errors), &[]).contains(&"lint.ignore_invalid:8".to_owned()));
}

#[test]
fn rules_that_are_off_are_switched_on_for_a_project_or_a_path() {
    let sandbox = shop(SHOP);
    sandbox.write(
        "herald.yaml",
        "contracts: [contracts]\nrules: {lint.description_missing: warning}\n",
    );
    assert!(codes(&sandbox, &[]).contains(&"lint.description_missing:5".to_owned()));
    let overrides = "\
contracts: [contracts]
rules: {lint.personal_data: error}
overrides:
  - {path: 'contracts/*', rules: {lint.personal_data: off}}
  - {path: contracts/bank.yaml, rules: {lint.personal_data: warning}}
";
    sandbox.write("herald.yaml", overrides);
    sandbox.herald(&["check"]).exits(0);
    sandbox.write(
        "contracts/bank.yaml",
        SHOP.replace("service_name: shop", "service_name: bank"),
    );
    sandbox
        .herald_in("contracts", &["check", "shop.yaml"])
        .exits(0);
    let run = sandbox.herald_in("contracts", &["check"]).exits(0);
    assert!(
        run.stdout.contains("warning[lint.personal_data]"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("2 warnings in 1 file"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_baseline_hides_what_was_there_and_nothing_new() {
    let sandbox = shop(SHOP);
    let write = [
        "check",
        "--write-baseline",
        "--reason",
        "from before",
        "--owner",
        "shop",
        "--until",
        "2999-01-31",
    ];
    let run = sandbox.herald(&write).exits(0);
    assert_eq!(
        run.stderr,
        "wrote herald-baseline.yaml (2 known diagnostics)\n"
    );
    let text = sandbox.read("herald-baseline.yaml");
    for part in [
        "- rule: lint.personal_data",
        "path: contracts/shop.yaml",
        "reason: \"from before\"",
        "owner: shop",
        "until: \"2999-01-31\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let run = sandbox.herald(&["check"]).exits(0);
    assert_eq!(
        run.stderr,
        "no problems in 1 contract\n2 known diagnostics in the baseline not shown\n"
    );
    // Lines move, and one more is new.
    let more = SHOP.replace(
        "      order: uuid\n",
        "      order: uuid\n      iban: string\n",
    );
    sandbox.write("contracts/shop.yaml", format!("# Shop.\n{more}"));
    assert_eq!(codes(&sandbox, &[]), ["lint.personal_data:9"]);
    assert_eq!(codes(&sandbox, &["--no-baseline"]).len(), 3);
    // What is solved is reported, and goes at the next write, which keeps the reasons of others.
    sandbox.write(
        "contracts/shop.yaml",
        SHOP.replace("      phone: string\n", ""),
    );
    let run = sandbox.herald(&["check"]).exits(0);
    assert!(run.stderr.contains("config.unused"), "{}", run.stderr);
    sandbox.herald(&["check", "--write-baseline"]).exits(0);
    let text = sandbox.read("herald-baseline.yaml");
    assert!(
        text.contains("from before") && !text.contains("phone"),
        "{text}"
    );
    sandbox.write("herald-baseline.yaml", text.replace("2999", "2020"));
    let run = sandbox.herald(&["check"]).exits(0);
    assert!(run.stderr.contains("config.expired"), "{}", run.stderr);
    assert!(run.stdout.contains("lint.personal_data"), "{}", run.stdout);
    sandbox.write("herald-baseline.yaml", "known: [{rule: 7}]\n");
    let run = sandbox.herald(&["check"]).exits(2);
    assert!(
        run.stderr.contains("herald-baseline.yaml:1:"),
        "{}",
        run.stderr
    );
}

#[test]
fn fixes_are_written_and_the_rest_is_reported() {
    let text = "\
node_type: effect
service_name: shop
operations: [place] # herald: ignore[names.python_keyword] No reason any more.
events:
  - event_type: goods.sized
    payload: {size: {type: string, enum: [1, true, \"3\"]}, email: string}
";
    let sandbox = shop(text);
    let run = sandbox.herald(&["check"]).exits(0);
    assert!(
        run.stderr.contains("3 problems fixable with --fix"),
        "{}",
        run.stderr
    );
    let run = sandbox.herald(&["check", "--fix"]).exits(0);
    assert!(run.stderr.contains("fixed 3 problems"), "{}", run.stderr);
    let fixed = sandbox.read("contracts/shop.yaml");
    assert!(fixed.contains("operations: [place]\n"), "{fixed}");
    assert!(fixed.contains("enum: [\"1\", \"true\", \"3\"]"), "{fixed}");
    assert_eq!(codes(&sandbox, &[]), ["lint.personal_data:6"]);
    sandbox.herald(&["check", "--fix"]).exits(0);
    assert_eq!(sandbox.read("contracts/shop.yaml"), fixed);
}

#[test]
fn rules_are_listed_with_their_level_in_the_project() {
    let sandbox = shop(SHOP);
    sandbox.write(
        "herald.yaml",
        "rules: {lint.personal_data: error}\nbreaking: {except: [field.removed]}\n",
    );
    let document = sandbox
        .herald(&["rules", "--format", "json"])
        .exits(0)
        .json();
    let rule = |code: &str| {
        let mut rules = document["rules"].as_array().expect("a list").iter();
        rules
            .find(|rule| rule["rule"] == code)
            .expect("a rule")
            .clone()
    };
    assert_eq!(rule("lint.personal_data")["level"], "error");
    assert_eq!(rule("lint.unbounded_text")["level"], "off");
    assert_eq!(rule("field.removed")["level"], "off");
    assert_eq!(rule("field.removed")["breaks"][0], "consumer");
    assert_eq!(rule("lint.ignore_unused")["fixable"], true);
    let run = sandbox.herald(&["rules"]).exits(0);
    assert!(run.stdout.contains("lint.personal_data"), "{}", run.stdout);
}
