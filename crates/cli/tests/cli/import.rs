//! `herald import` as a user runs it. `tests/python` has the schemas of real libraries.

#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::breaking::git;
use crate::support::Sandbox;

const CONTRACT: &str = "\
node_type: effect
service_name: shop
operations: [place]
events:
  - event_type: order.placed
    partition_key: order_id
    payload: {python: \"shop.events:OrderPlaced\"}
";

/// A class with the methods of a pydantic model.
const CODE: &str = "
class OrderPlaced:
    model_config = {}

    def model_dump(self): ...

    @classmethod
    def model_json_schema(cls, by_alias, mode, **_):
        assert by_alias and mode == 'serialization'
        order_id = {'type': 'string', 'format': 'uuid'}
        return {'type': 'object', 'properties': {'order_id': order_id}, 'required': ['order_id']}
";

/// A project with this code in its package; `None` where there is no Python.
fn project(code: &str) -> Option<Sandbox> {
    if Command::new("python3").arg("-V").output().is_err() {
        eprintln!("skipped: there is no python3");
        return None;
    }
    Some(Sandbox::with(&[
        ("herald.yaml", "contracts: [contracts]\n"),
        ("contracts/shop.yaml", CONTRACT),
        ("src/shop/__init__.py", ""),
        ("src/shop/events.py", code),
    ]))
}

fn import(sandbox: &Sandbox, args: &[&str]) -> crate::support::Run {
    let mut command = sandbox.command("", &[&["import"], args].concat());
    for variable in ["VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"] {
        command.env_remove(variable);
    }
    command.output().expect("herald runs").into()
}

#[test]
fn classes_are_imported_once_and_read_without_python_afterwards() {
    let Some(sandbox) = project(CODE) else { return };
    let run = sandbox.herald(&["check"]).exits(1);
    assert!(
        run.stdout.contains("payload.not_imported") || run.stderr.contains("payload.not_imported")
    );
    let run = import(&sandbox, &[]).exits(0);
    assert_eq!(run.stdout, "added shop.events:OrderPlaced\n");
    assert!(
        run.stderr.contains("wrote ./herald.lock.json (1 schema)"),
        "{}",
        run.stderr
    );
    sandbox.write("src/shop/events.py", "raise RuntimeError");
    let mut check = sandbox.command("", &["inspect"]);
    let run: crate::support::Run = check.env("PATH", "").output().expect("herald runs").into();
    assert!(run.exits(0).stdout.contains("\"order_id\""));
}

#[test]
fn check_lists_the_changes_of_a_stale_file() {
    let Some(sandbox) = project(CODE) else { return };
    let run = import(&sandbox, &["--check"]).exits(1);
    assert!(run.stderr.contains("does not exist"), "{}", run.stderr);
    assert!(!sandbox.exists("herald.lock.json"));
    import(&sandbox, &[]).exits(0);
    import(&sandbox, &["--check"]).exits(0);
    let before = sandbox.read("herald.lock.json");
    sandbox.write("src/shop/events.py", CODE.replace("'uuid'", "'date'"));
    let run = import(&sandbox, &["--check"]).exits(1);
    assert_eq!(
        run.stdout,
        "changed shop.events:OrderPlaced: #/properties/order_id/format\n"
    );
    assert!(run.stderr.contains("is stale"), "{}", run.stderr);
    assert_eq!(sandbox.read("herald.lock.json"), before);
    import(&sandbox, &[]).exits(0);
    assert!(sandbox.read("herald.lock.json").contains("\"date\""));
}

#[test]
fn failures_point_at_the_contract_and_write_nothing() {
    for (code, message) in [
        ("", "the module `shop.events` has no `OrderPlaced`"),
        ("class OrderPlacd: ...", "did you mean `OrderPlacd`?"),
        (
            "class OrderPlaced: ...",
            "is not a model, but a value of type `type`",
        ),
        (
            "import missing_library",
            "raised ModuleNotFoundError: No module named 'missing_library'",
        ),
        (
            "def f():\n    1 / 0\nf()",
            "raised ZeroDivisionError: division by zero",
        ),
        ("import os\nos._exit(3)", "ended without an answer"),
        ("import sys\nsys.exit(3)", "raised SystemExit: 3"),
        (
            "class OrderPlaced:\n    model_config = {}\n    model_dump = 1\n    def model_json_schema(**_):\n        \
             return {'properties': {'order_id': {'$ref': 'https://example.com/a.json'}}}",
            "only references within the file",
        ),
        (
            "class OrderPlaced:\n    model_config = {}\n    model_dump = 1\n    def model_json_schema(**_):\n        \
             return {'properties': {'other': {}}}",
            "the payload has no field `order_id`",
        ),
    ] {
        let Some(sandbox) = project(code) else { return };
        let run = import(&sandbox, &[]).exits(1);
        assert!(run.stderr.contains(message), "{code}\n{}", run.stderr);
        assert!(
            run.stderr.contains("contracts/shop.yaml:"),
            "{}",
            run.stderr
        );
        assert!(!sandbox.exists("herald.lock.json"));
        if code.contains("1 / 0") {
            assert!(run.stderr.contains("line 2, in f"), "{}", run.stderr);
            assert!(!run.stderr.contains("importlib"), "{}", run.stderr);
        }
    }
    let Some(sandbox) = project(CODE) else { return };
    sandbox.write(
        "contracts/shop.yaml",
        CONTRACT.replace("shop.events:", "shop.event:"),
    );
    let run = import(&sandbox, &[]).exits(1);
    assert!(
        run.stderr
            .contains("there is no Python module `shop.event`"),
        "{}",
        run.stderr
    );
}

#[test]
fn code_that_does_not_end_is_stopped_with_its_children() {
    let code = "import subprocess, time\nsubprocess.Popen(['sleep', '600'])\nprint('started', flush=True)\ntime.sleep(600)\n";
    let Some(sandbox) = project(code) else { return };
    let started = Instant::now();
    let run = import(&sandbox, &["--timeout", "1"]).exits(1);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(
        run.stderr.contains("took more than 1 seconds"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("started"), "{}", run.stderr);
}

#[test]
fn the_interpreter_is_that_of_the_project() {
    let Some(sandbox) = project(CODE) else { return };
    let run = import(&sandbox, &["--python", "missing/python"]).exits(2);
    assert!(
        run.stderr.contains("--python names `missing/python`"),
        "{}",
        run.stderr
    );
    // A virtual environment, as `uv` and `venv` place it.
    sandbox.write(
        ".venv/bin/python",
        "#!/bin/sh\necho from the environment >&2\nexit 7\n",
    );
    let mut chmod = Command::new("chmod");
    chmod
        .args(["+x", ".venv/bin/python"])
        .current_dir(sandbox.path(""));
    chmod.status().expect("chmod runs");
    let run = import(&sandbox, &[]).exits(1);
    assert!(
        run.stderr.contains("from the environment"),
        "{}",
        run.stderr
    );
    sandbox.write(
        "herald.yaml",
        "contracts: [contracts]\npython: {interpreter: .venv/bin/python}\n",
    );
    let run = import(&sandbox, &["--python", "python3"]).exits(0);
    assert!(run.stderr.contains("with python3"), "{}", run.stderr);
    import(&sandbox, &["--check"]).exits(1);
}

#[test]
fn earlier_commits_are_read_with_their_own_schemas() {
    let Some(sandbox) = project(CODE) else { return };
    import(&sandbox, &[]).exits(0);
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "first"]);
    sandbox
        .herald(&["breaking", "--against", "git:HEAD"])
        .exits(0);
    sandbox.write("src/shop/events.py", CODE.replace("'uuid'", "'date'"));
    import(&sandbox, &[]).exits(0);
    let run = sandbox
        .herald(&["breaking", "--against", "git:HEAD"])
        .exits(1);
    assert!(run.stdout.contains("type.changed"), "{}", run.stdout);
}

#[test]
fn schemas_of_files_are_read_from_earlier_commits_too() {
    let sandbox = Sandbox::with(&[
        ("herald.yaml", "contracts: [contracts]\n"),
        (
            "contracts/shop.yaml",
            &CONTRACT.replace(
                "python: \"shop.events:OrderPlaced\"",
                "json_schema: ../types/order.json",
            ),
        ),
        (
            "types/order.json",
            r#"{"properties": {"order_id": {"type": "string"}}}"#,
        ),
    ]);
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "first"]);
    sandbox
        .herald(&["breaking", "--against", "git:HEAD"])
        .exits(0);
    sandbox.write(
        "types/order.json",
        r#"{"properties": {"order_id": {"type": "integer"}}}"#,
    );
    let run = sandbox
        .herald(&["breaking", "--against", "git:HEAD"])
        .exits(1);
    assert!(run.stdout.contains("type.changed"), "{}", run.stdout);
}

#[test]
fn a_damaged_file_is_reported_where_it_is_needed_and_replaced() {
    let Some(sandbox) = project(CODE) else { return };
    sandbox.write("herald.lock.json", "{\"herald_import\": 1,");
    let run = sandbox.herald(&["check"]).exits(1);
    let shown = run.stdout + &run.stderr;
    assert!(shown.contains("it is not valid JSON at line 1"), "{shown}");
    assert!(shown.contains("run `herald import`"), "{shown}");
    import(&sandbox, &[]).exits(0);
    sandbox.herald(&["check"]).exits(0);
}

#[test]
fn contracts_of_another_project_are_read_with_its_schemas() {
    let shop = "node_type: effect\nservice_name: shop\noperations: []\nevents:\n  \
                - {event_type: a.made, topic: shop.a.v1, payload: {python: \"x.y:Z\"}}\n  \
                - {event_type: b.made, topic: shop.b.v1, payload: {json_schema: ../b.json}}\n";
    let imported = r#"{"herald_import": 1, "classes": {"x.y:Z": {"properties": {"id": {}}}}}"#;
    let sandbox = Sandbox::with(&[
        ("shop/herald.yaml", "contracts: [contracts]\n"),
        ("shop/contracts/shop.yaml", shop),
        ("shop/herald.lock.json", imported),
        (
            "shop/b.json",
            r#"{"properties": {"id": {"type": "integer"}}}"#,
        ),
        ("mail/herald.yaml", "contracts: [mail.yaml]\n"),
        (
            "mail/mail.yaml",
            "node_type: effect\nservice_name: mail\noperations: []\nconsumes: [shop.a.v1]\n",
        ),
    ]);
    let run = sandbox
        .herald_in("mail", &["inspect", "mail.yaml", "../shop/contracts"])
        .exits(0);
    let published = &run.json()["contracts"][1]["published"];
    for event in [0, 1] {
        assert!(
            published[event]["payload_fields"]["id"].is_object(),
            "{published}"
        );
    }
}
