//! The other commands as a user runs them.

use std::process::{Command, Stdio};

use crate::support::Sandbox;
use herald_catalog::checks::rules;
use serde_json::json;

const ORCHESTRATOR: &str = "\
node_type: orchestrator
service_name: orchestrator
operations: [orchestration, routing, intelligence_query]
";
const ORDERS: &str = "\
node_type: effect
service_name: orders
operations: [place]
include_state_events: false
include_metric_events: false
events: [{event_type: order.placed, topic: shop.orders.v1}]
";

#[test]
fn catalog_of_one_contract_is_an_object() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORCHESTRATOR)]);
    let run = sandbox
        .herald(&["catalog", "contract.yaml", "--format", "json"])
        .exits(0);
    assert_eq!(
        run.json(),
        json!({
            "operation_lifecycle": [
                "orchestrator.orchestration.started",
                "orchestrator.orchestration.completed",
                "orchestrator.orchestration.failed",
                "orchestrator.routing.started",
                "orchestrator.routing.completed",
                "orchestrator.routing.failed",
                "orchestrator.intelligence_query.started",
                "orchestrator.intelligence_query.completed",
                "orchestrator.intelligence_query.failed",
            ],
            "state_events": ["orchestrator.state.changed"],
            "metric_events": ["orchestrator.metric.recorded"],
            "declared": [],
        })
    );
}

#[test]
fn catalog_of_several_contracts_is_a_list() {
    let sandbox = Sandbox::with(&[("a.yaml", ORCHESTRATOR), ("b.yaml", ORDERS)]);
    let run = sandbox
        .herald(&["catalog", "--format", "json", "--topics"])
        .exits(0);
    let catalog = run.json();
    assert_eq!(catalog[0]["node"], "orchestrator");
    assert_eq!(catalog[1]["node"], "orders");
    assert_eq!(
        catalog[1]["operation_lifecycle"][0],
        json!({"event_type": "effect.place.started", "topic": "dev.orders.effect.place.started.v1"})
    );
    assert_eq!(
        catalog[1]["declared"],
        json!([{"event_type": "order.placed", "topic": "shop.orders.v1"}])
    );
}

#[test]
fn catalog_prints_every_format() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let print = |format: &str| {
        sandbox
            .herald(&["catalog", "contract.yaml", "--topics", "--format", format])
            .exits(0)
            .stdout
    };
    assert!(
        print("yaml").contains("state_events: []"),
        "{}",
        print("yaml")
    );
    assert!(print("markdown").contains("| `shop.orders.v1` | `order.placed` | orders | – |"));
    assert!(
        print("table").contains("order.placed            shop.orders.v1"),
        "{}",
        print("table")
    );
}

#[test]
fn inspect_prints_paths_relative_to_the_directory() {
    let sandbox = Sandbox::with(&[("nodes/a/contract.yaml", ORCHESTRATOR)]);
    let contracts = sandbox
        .herald(&["inspect", "nodes", "--format", "json"])
        .exits(0)
        .json();
    let contract = &contracts["contracts"][0];
    assert_eq!(contract["path"], "a/contract.yaml");
    assert_eq!(contract["identity"]["name"], "orchestrator");
    assert_eq!(contract["kind"], "orchestrator");
    assert_eq!(contract["operations"][2]["ident"], "intelligence_query");
    assert_eq!(contract["diagnostics"], json!([]));
}

#[test]
fn check_exits_with_0_1_or_2() {
    let sandbox = Sandbox::with(&[
        ("good.yaml", ORDERS),
        ("bad.yaml", "node_type: effect\nservice_name: ''\n"),
        ("empty/readme.txt", ""),
        ("other/docker-compose.yml", "services: {}\n"),
    ]);
    sandbox.herald(&["check", "good.yaml"]).exits(0);
    let run = sandbox.herald(&["check", "good.yaml", "bad.yaml"]).exits(1);
    assert!(run.stdout.contains("bad.yaml:2:15"), "{}", run.stdout);
    assert!(run.stderr.contains(", 2 contracts read"), "{}", run.stderr);
    for nothing in ["missing.yaml", "empty", "other", "*.yml"] {
        let run = sandbox.herald(&["check", nothing]).exits(2);
        assert!(
            !run.stderr.is_empty(),
            "{nothing}: a check that saw no data must say so"
        );
    }
    let run = sandbox.herald(&["check", "godo.yaml"]).exits(2);
    assert!(
        run.stderr.contains("did you mean `good.yaml`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn check_prints_every_format() {
    let sandbox = Sandbox::with(&[(
        "contract.yaml",
        "node_type: efect\nservice_name: a\noperations: [b]\n",
    )]);
    let check = |format: &str| {
        sandbox
            .herald(&["check", "contract.yaml", "--format", format])
            .exits(1)
    };
    assert!(check("human").stdout.contains("error[kind.unknown]"));
    assert_eq!(
        check("json").json()["diagnostics"][0]["code"],
        "kind.unknown"
    );
    assert_eq!(
        check("sarif").json()["runs"][0]["results"][0]["ruleId"],
        "kind.unknown"
    );
    assert!(
        check("github")
            .stdout
            .starts_with("::error file=contract.yaml,line=1,")
    );
    sandbox.herald(&["check", "--format", "xml"]).exits(2);
}

#[test]
fn project_sets_rule_severities() {
    let sandbox = Sandbox::with(&[
        (
            "contract.yaml",
            "node_type: effect\nservice_name: a\noperations: [import]\n",
        ),
        ("herald.yaml", ""),
    ]);
    let run = sandbox.herald(&["check"]).exits(0);
    assert!(
        run.stdout.contains("warning[names.python_keyword]"),
        "{}",
        run.stdout
    );
    sandbox.write("herald.yaml", "rules: {names.python_keyword: error}\n");
    sandbox.herald(&["check"]).exits(1);
    sandbox.write("herald.yaml", "rules: {names.python_keyword: off}\n");
    assert_eq!(sandbox.herald(&["check"]).exits(0).stdout, "");
    sandbox.write("herald.yaml", "rules: {names.python_keyword: loud}\n");
    let run = sandbox.herald(&["check"]).exits(2);
    assert!(run.stderr.contains("herald.yaml:1:"), "{}", run.stderr);
    sandbox.write("herald.yaml", "rules: {names.pyton_keyword: off}\n");
    let run = sandbox.herald(&["check"]).exits(2);
    assert!(
        run.stderr.contains("did you mean `names.python_keyword`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn init_creates_a_valid_project() {
    let sandbox = Sandbox::new();
    sandbox.herald(&["init", "shop"]).exits(0);
    let run = sandbox.herald_in("shop", &["check"]).exits(0);
    assert_eq!(run.stdout, "");
    sandbox.herald_in("shop", &["generate"]).exits(0);
    assert!(sandbox.exists("shop/generated/orders_events.py"));
    let contract = sandbox.read("shop/contracts/orders.yaml");
    let run = sandbox.herald(&["init", "shop"]).exits(2);
    assert!(run.stderr.contains("already exists"), "{}", run.stderr);
    assert_eq!(sandbox.read("shop/contracts/orders.yaml"), contract);
}

#[test]
fn explains_every_code() {
    let sandbox = Sandbox::new();
    let list = sandbox.herald(&["explain"]).exits(0).stdout;
    for rule in rules() {
        assert!(list.contains(rule.code), "{} is not listed", rule.code);
        let text = sandbox.herald(&["explain", rule.code]).exits(0).stdout;
        assert!(
            text.contains(rule.title) && text.contains("Bad") && text.contains("Good"),
            "{text}"
        );
    }
    let run = sandbox.herald(&["explain", "topic.invald"]).exits(2);
    assert!(
        run.stderr.contains("did you mean `topic.invalid`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn prints_schemas_and_completions() {
    let sandbox = Sandbox::new();
    let schema = sandbox.herald(&["schema", "contract"]).exits(0).json();
    assert_eq!(schema["required"], json!(["node_type", "service_name"]));
    sandbox.herald(&["schema", "config"]).exits(0).json();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.herald(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("herald"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    let page = sandbox.herald(&["man"]).exits(0).stdout;
    assert!(page.contains("herald\\-check(1)"), "{page}");
    let run = sandbox.herald(&["man", "--out", "man1"]).exits(0);
    let pages = sandbox.files();
    assert!(
        run.stderr
            .contains(&format!("wrote {} pages in man1", pages.len())),
        "{}",
        run.stderr
    );
    for name in ["herald", "herald-check", "herald-topics-plan"] {
        assert!(pages.contains(&format!("man1/{name}.1")), "{pages:?}");
    }
    // Written again, they are replaced.
    sandbox.herald(&["man", "--out", "man1"]).exits(0);
    assert_eq!(sandbox.files(), pages);
    for page in pages {
        let groff = ["-k", "-man", "-Tutf8", "-ww", "-z", &page];
        let checked = Command::new("groff")
            .args(groff)
            .current_dir(sandbox.path(""))
            .output();
        let Ok(checked) = checked else {
            eprintln!("skipped: groff is not installed");
            return;
        };
        let warnings = String::from_utf8_lossy(&checked.stderr);
        assert!(
            checked.status.success() && warnings.is_empty(),
            "{page}: {warnings}"
        );
    }
}

#[test]
fn bash_reads_the_completions() {
    let sandbox = Sandbox::new();
    let script = sandbox.herald(&["completions", "bash"]).exits(0).stdout;
    sandbox.write("herald.bash", script);
    let completed = Command::new("bash")
        .args(["--norc", "-c"])
        .arg(
            "source herald.bash; COMP_WORDS=(herald topics pl); COMP_CWORD=2; \
             _herald herald pl topics; echo \"${COMPREPLY[@]}\"",
        )
        .current_dir(sandbox.path(""))
        .output()
        .expect("bash runs");
    assert_eq!(
        String::from_utf8_lossy(&completed.stdout).trim(),
        "plan",
        "{}",
        String::from_utf8_lossy(&completed.stderr)
    );
}

#[test]
fn colors_need_a_terminal_or_color_always() {
    let sandbox = Sandbox::with(&[(
        "contract.yaml",
        "node_type: efect\nservice_name: a\noperations: [b]\n",
    )]);
    let plain = sandbox.herald(&["check", "contract.yaml"]).exits(1);
    assert!(!plain.stdout.contains('\x1b') && !plain.stderr.contains('\x1b'));
    let coloured = sandbox
        .herald(&["check", "contract.yaml", "--color", "always"])
        .exits(1);
    assert!(coloured.stdout.contains('\x1b'));
}

#[test]
fn catalog_ends_quietly_on_a_closed_pipe() {
    let many: Vec<_> = (0..2000).map(|n| format!("operation_{n}")).collect();
    let contract = format!(
        "node_type: effect\nservice_name: orders\noperations: [{}]\n",
        many.join(", ")
    );
    let sandbox = Sandbox::with(&[("contract.yaml", &contract)]);
    let mut child = sandbox
        .command("", &["catalog", "contract.yaml", "--topics"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn escapes_text_of_contracts() {
    let contract = "\
node_type: effect
service_name: orders
operations: [place]
description: \"# Heading <script> | cell\\n\\e[31m\"
events:
  - {event_type: \"a|b `c`\\e[2J\", topic: t}
";
    let sandbox = Sandbox::with(&[("contract.yaml", contract)]);
    for args in [
        &["catalog", "contract.yaml"][..],
        &["catalog", "contract.yaml", "--format", "markdown"],
        &["catalog", "contract.yaml", "--format", "yaml"],
        &["catalog", "contract.yaml", "--format", "json"],
        &["inspect", "contract.yaml"],
        &["check", "contract.yaml"],
        &["generate", "contract.yaml", "--stdout"],
    ] {
        let run = sandbox.herald(args).exits(0);
        assert!(!run.stdout.contains('\x1b'), "{args:?}: {}", run.stdout);
        assert!(!run.stderr.contains('\x1b'), "{args:?}: {}", run.stderr);
    }
    let markdown = sandbox
        .herald(&["catalog", "contract.yaml", "--format", "markdown"])
        .stdout;
    assert!(
        markdown.contains("\\# Heading \\<script\\> \\| cell"),
        "{markdown}"
    );
    assert!(markdown.contains("a\\|b \\`c\\`"), "{markdown}");
}

#[test]
fn limits_printed_diagnostics_per_file() {
    let unknown: Vec<_> = (0..3000).map(|n| format!("key_{n}: 1")).collect();
    let sandbox = Sandbox::with(&[(
        "contract.yaml",
        &format!("{{service_name: a, {}}}", unknown.join(", ")),
    )]);
    let run = sandbox.herald(&["check", "contract.yaml"]).exits(1);
    assert!(run.stdout.matches("error[").count() <= 50);
    assert!(
        run.stdout.contains("more diagnostics in the same files"),
        "{}",
        run.stdout
    );
    let all = sandbox
        .herald(&["check", "contract.yaml", "--format", "json"])
        .exits(1)
        .json();
    assert!(all["diagnostics"].as_array().unwrap().len() > 3000);
}

#[test]
fn published_schema_is_up_to_date() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/orders/contracts/contract.schema.json"
    );
    let published: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = Sandbox::new()
        .herald(&["schema", "contract"])
        .exits(0)
        .json();
    assert_eq!(
        published, schema,
        "write it again: herald schema contract > {path}"
    );
}

#[test]
fn generated_code_of_the_examples_is_up_to_date() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    for example in ["orders", "fastapi", "faststream"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_herald"))
            .args(["generate", "--check"])
            .current_dir(format!("{examples}/{example}"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{example}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn severity_of_fatal_rules_cannot_be_changed() {
    let sandbox = Sandbox::with(&[("good.yaml", ORDERS), ("broken.yaml", "node_type: [")]);
    for code in [
        "yaml.syntax",
        "file.not_found",
        "redact.invalid_pattern",
        "names.output_collision",
    ] {
        sandbox.write("herald.yaml", format!("rules: {{{code}: off}}\n"));
        let run = sandbox.herald(&["check"]).exits(2);
        assert!(
            run.stderr.contains("can't be set"),
            "{code}: {}",
            run.stderr
        );
    }
}

#[test]
fn failed_check_prints_machine_formats() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .herald(&["check", "missing.yaml", "--format", "sarif"])
        .exits(2);
    assert_eq!(
        run.json()["runs"][0]["results"][0]["ruleId"],
        "file.not_found"
    );
    let run = sandbox
        .herald(&["check", "missing.yaml", "--format", "json"])
        .exits(2);
    assert_eq!(run.json()["diagnostics"][0]["code"], "file.not_found");
}

#[test]
fn escapes_control_characters_in_file_names() {
    let sandbox = Sandbox::with(&[("\x1b]0;title\x07.yaml", "services: {}\n")]);
    let run = sandbox.herald(&["check"]).exits(2);
    assert!(
        !run.stderr.contains('\x1b') && !run.stderr.contains('\x07'),
        "{:?}",
        run.stderr
    );
}

#[test]
fn inspects_a_file_with_100000_diagnostics() {
    let keys = "a: 1\n".repeat(100_000);
    let sandbox = Sandbox::with(&[("contract.yaml", &format!("{ORCHESTRATOR}{keys}"))]);
    let run = sandbox.herald(&["inspect", "contract.yaml"]);
    let found = run.json()["contracts"][0]["diagnostics"]
        .as_array()
        .unwrap()
        .len();
    assert!(found > 90_000, "{found}");
}
