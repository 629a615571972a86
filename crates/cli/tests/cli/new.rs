//! `herald new` as a user runs it.

use std::path::{Path, PathBuf};

use crate::corpus::{contracts, run, skipped, tool};
use crate::support::Sandbox;

const PLACE: [&str; 6] = ["new", "orders", "--kind", "effect", "--operation", "place"];

fn made() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.herald(&PLACE).exits(0);
    sandbox
}

/// Every file with its content.
fn contents(sandbox: &Sandbox) -> Vec<(String, String)> {
    let files = sandbox.files().into_iter();
    files
        .map(|path| (path.clone(), sandbox.read(&path)))
        .collect()
}

#[test]
fn new_creates_a_project() {
    let sandbox = Sandbox::new();
    let run = sandbox.herald(&PLACE).exits(0);
    assert_eq!(run.stdout, "");
    assert_eq!(
        run.stderr,
        "wrote orders/herald.yaml
wrote orders/contracts/orders.yaml
wrote orders/pyproject.toml
wrote orders/README.md
wrote orders/.gitignore
wrote orders/orders/__init__.py
wrote orders/orders/__main__.py
wrote orders/orders/node.py
wrote orders/orders/service.py
wrote orders/orders/generated/__init__.py
wrote orders/tests/test_orders.py
wrote orders/orders/generated/orders_events.py

To implement in orders/orders/node.py: place

Next: cd orders && pip install -e '.[dev]' && pytest
"
    );
    let node = sandbox.read("orders/orders/node.py");
    assert!(
        node.contains("class Orders(OrdersEventPublisher):"),
        "{node}"
    );
    assert!(
        node.contains("    @instrument_place\n    async def place("),
        "{node}"
    );
}

#[test]
fn new_and_generate_write_the_same_files() {
    let sandbox = made();
    sandbox
        .herald_in("orders", &["generate", "--check"])
        .exits(0);
    sandbox.herald_in("orders", &["check"]).exits(0);
}

#[test]
fn new_changes_nothing_in_a_second_run() {
    let sandbox = made();
    for (path, text) in contents(&sandbox) {
        let is_mine = !path.contains("_events.py") && !path.contains(".yaml");
        if is_mine {
            sandbox.write(&path, text + "# mine\n");
        }
    }
    let before = contents(&sandbox);
    let run = sandbox.herald(&["new", "orders"]).exits(0);
    assert_eq!(contents(&sandbox), before);
    assert_eq!(
        run.stderr.matches("kept orders/").count(),
        11,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("1 generated file unchanged"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("wrote"), "{}", run.stderr);
    let inside = sandbox
        .herald_in("orders", &["new", "orders", "--dir", "."])
        .exits(0);
    assert!(!inside.stderr.contains("wrote"), "{}", inside.stderr);
    assert_eq!(contents(&sandbox), before);
}

#[test]
fn prints_methods_for_new_operations() {
    let sandbox = made();
    let contract = sandbox.read("orders/contracts/orders.yaml") + "  - ship\n";
    sandbox.write("orders/contracts/orders.yaml", &contract);
    let node = sandbox.read("orders/orders/node.py");
    let run = sandbox.herald(&["new", "orders"]).exits(0);
    assert!(
        run.stderr.contains(
            "1 operation without a method in orders/orders/node.py:

    @instrument_ship
    async def ship(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        \"\"\"The operation `ship`.\"\"\"
        raise NotImplementedError
"
        ),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("instrument_place"), "{}", run.stderr);
    let module = sandbox.read("orders/orders/generated/orders_events.py");
    assert!(module.contains("instrument_ship"));
    assert_eq!(sandbox.read("orders/orders/node.py"), node);

    // Wherever in the package it is: a comment and an import are not enough.
    sandbox.write(
        "orders/orders/shipping.py",
        "from x import instrument_ship\n# @instrument_ship\n@instrument_shipment\n",
    );
    let run = sandbox.herald(&["new", "orders"]).exits(0);
    assert!(run.stderr.contains("1 operation without"), "{}", run.stderr);
    sandbox.write(
        "orders/orders/shipping.py",
        "with instrument_ship.run(node):\n",
    );
    let run = sandbox.herald(&["new", "orders"]).exits(0);
    assert!(!run.stderr.contains("without a method"), "{}", run.stderr);
}

#[test]
fn new_never_changes_an_existing_contract() {
    let sandbox = made();
    let before = contents(&sandbox);
    let ship = ["new", "orders", "--kind", "effect", "--operation", "ship"];
    let run = sandbox.herald(&ship).exits(0);
    assert!(
        run.stderr.contains("the contract has no operation `ship`"),
        "{}",
        run.stderr
    );
    assert_eq!(contents(&sandbox), before);

    sandbox.write(
        "other.yaml",
        "node_type: compute\nservice_name: orders\noperations: [sum]\n",
    );
    let run = sandbox
        .herald(&["new", "--contract", "other.yaml"])
        .exits(0);
    assert!(
        run.stderr
            .contains("ignored other.yaml: the project has its own contract"),
        "{}",
        run.stderr
    );
}

#[test]
fn new_restores_missing_files() {
    let sandbox = made();
    let before = contents(&sandbox);
    for path in [
        "orders/README.md",
        "orders/orders/generated/orders_events.py",
    ] {
        std::fs::remove_file(sandbox.path(path)).unwrap();
    }
    sandbox.herald(&["new", "orders"]).exits(0);
    assert_eq!(contents(&sandbox), before);

    // A run that ended when the first file was written.
    for path in sandbox.files() {
        if path != "orders/herald.yaml" {
            std::fs::remove_file(sandbox.path(&path)).unwrap();
        }
    }
    std::fs::remove_dir(sandbox.path("orders/contracts")).unwrap();
    sandbox.herald(&PLACE).exits(0);
    assert_eq!(contents(&sandbox), before);
}

#[test]
fn new_creates_a_project_from_a_contract() {
    let sandbox = Sandbox::new();
    let shop = "node_type: reducer\nservice_name: Web-Shop\noperations:\n\
                - {name: import, input: {url: string}}\n- drain\n- 1st\n";
    sandbox.write("specs/a.yaml", shop);
    sandbox
        .herald(&["new", "--contract", "specs/a.yaml"])
        .exits(0);
    assert_eq!(sandbox.read("web_shop/contracts/web_shop.yaml"), shop);
    let node = sandbox.read("web_shop/web_shop/node.py");
    // Names that Python, or the class, has already.
    assert!(
        node.contains("async def import_(self, request: ImportInput)"),
        "{node}"
    );
    assert!(node.contains("async def drain_("), "{node}");
    assert!(node.contains("async def run_1st("), "{node}");
    sandbox
        .herald(&["new", "till", "--contract", "specs/a.yaml"])
        .exits(0);
    assert!(sandbox.exists("till/till/generated/web_shop_events.py"));
    let again = sandbox
        .herald(&["new", "till", "--contract", "specs/a.yaml"])
        .exits(0);
    assert!(!again.stderr.contains("wrote"), "{}", again.stderr);
}

#[test]
fn rejects_invalid_package_names() {
    for (name, says) in [
        ("class", "is a keyword of Python"),
        ("json", "use `json_node`"),
        ("herald", "use `herald_node`"),
        ("Order Intake", "did you mean `order_intake`?"),
        ("9lives", "did you mean `node_9lives`?"),
        ("../x", "to choose the directory, use --dir"),
        ("a/b", "to choose the directory, use --dir"),
        ("..", "is not a valid package name"),
        ("", "is not a valid package name"),
        ("x\u{1b}[2J", "is not a valid package name"),
        (&"x".repeat(61), "is too long"),
    ] {
        let sandbox = Sandbox::new();
        let run = sandbox
            .herald(&["new", name, "--kind", "effect", "--operation", "place"])
            .exits(2);
        assert!(run.stderr.contains(says), "{name}: {}", run.stderr);
        assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
        assert!(sandbox.files().is_empty(), "{name}");
    }
}

#[test]
fn new_refuses_foreign_directories() {
    let sandbox = Sandbox::with(&[
        ("orders/app.py", "print('mine')\n"),
        ("till/herald.yaml", "output: generated\n"),
        ("file", ""),
    ]);
    let before = contents(&sandbox);
    let kind = ["--kind", "effect", "--operation", "place"];
    for (name, says) in [
        ("orders", "`orders` already exists with `app.py` in it"),
        ("till", "`till` is a different Herald project"),
        ("file", "can't read `file`"),
    ] {
        let run = sandbox
            .herald(&[&["new", name][..], &kind].concat())
            .exits(2);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    assert_eq!(contents(&sandbox), before);
}

#[test]
fn new_accepts_a_fresh_repository() {
    let sandbox = Sandbox::with(&[
        (".git/HEAD", "ref"),
        ("LICENSE", "mine"),
        ("README.md", "mine"),
    ]);
    let run = sandbox
        .herald(&[&PLACE[..], &["--dir", "."]].concat())
        .exits(0);
    assert!(run.stderr.contains("kept ./README.md"), "{}", run.stderr);
    assert_eq!(sandbox.read("README.md"), "mine");
    assert!(sandbox.exists("orders/node.py"));
}

#[test]
fn new_writes_nothing_on_errors() {
    // What Herald writes has the name of what somebody else did.
    let sandbox = made();
    let module = "orders/orders/generated/orders_events.py";
    sandbox.write(module, "print('mine')\n");
    std::fs::remove_file(sandbox.path("orders/README.md")).unwrap();
    let before = contents(&sandbox);
    let run = sandbox.herald(&["new", "orders"]).exits(2);
    assert!(
        run.stderr.contains("was not written by Herald"),
        "{}",
        run.stderr
    );
    assert_eq!(contents(&sandbox), before);

    // A link may lead anywhere.
    #[cfg(unix)]
    {
        let sandbox = Sandbox::with(&[("orders/LICENSE", ""), ("away/x", "")]);
        std::os::unix::fs::symlink(sandbox.path("away"), sandbox.path("orders/.link")).unwrap();
        std::fs::rename(sandbox.path("orders/.link"), sandbox.path("orders/orders")).unwrap();
        sandbox.write(
            "orders/herald.yaml",
            "output: orders/generated\ncontracts: [contracts]\n",
        );
        sandbox.write(
            "orders/contracts/orders.yaml",
            "node_type: effect\nservice_name: orders\noperations: [place]\n",
        );
        let run = sandbox.herald(&["new", "orders"]).exits(2);
        assert!(run.stderr.contains("is a symbolic link"), "{}", run.stderr);
        assert!(!sandbox.exists("away/node.py"));
    }

    // A contract with errors.
    let sandbox = Sandbox::new();
    let run = sandbox
        .herald(&["new", "a", "--kind", "effect", "--operation", "***"])
        .exits(1);
    assert!(
        run.stderr.contains("a/contracts/a.yaml:5:5"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
    assert!(sandbox.files().is_empty());
}

#[test]
fn new_reports_missing_arguments() {
    let sandbox = Sandbox::new();
    let run = sandbox.herald(&["new", "orders"]).exits(2);
    assert!(
        run.stderr.contains("there is no node `orders` yet"),
        "{}",
        run.stderr
    );
    let run = sandbox.herald(&["new"]).exits(2);
    assert!(run.stderr.contains("<NODE>"), "{}", run.stderr);
    let run = sandbox.herald(&["new", "--contract", "nope.yaml"]).exits(2);
    assert!(
        run.stderr.contains("`nope.yaml` does not exist"),
        "{}",
        run.stderr
    );
    assert!(sandbox.files().is_empty());
}

/// Runs the linters of `pyproject.toml` on all projects in the sandbox.
fn are_clean(sandbox: &Sandbox, projects: &[String]) {
    match tool("HERALD_RUFF", "ruff") {
        Some(ruff) => {
            run(sandbox, &ruff, &["check", "--no-cache", "."]);
            run(sandbox, &ruff, &["format", "--no-cache", "--check", "."]);
        }
        None => skipped("ruff, because it is not installed"),
    }
    let Some(mypy) = tool("HERALD_MYPY", "mypy") else {
        skipped("mypy, because it is not installed");
        return;
    };
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/python");
    let cache = sandbox.path("cache");
    for project in projects {
        let output = std::process::Command::new(&mypy)
            // Herald itself is read from its sources, and checked elsewhere.
            .arg("--follow-imports=silent")
            .arg("--cache-dir")
            .arg(&cache)
            .env("MYPYPATH", &package)
            .current_dir(sandbox.path(project))
            .output()
            .expect("mypy runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{project}: {said}");
    }
}

#[test]
fn new_projects_lint_and_test_clean() {
    let sandbox = Sandbox::new();
    let hostile =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/package/contracts/hostile.yaml");
    let hostile = hostile.to_string_lossy();
    let mut projects = vec!["hostile".to_owned()];
    sandbox
        .herald(&["new", "hostile", "--contract", &hostile])
        .exits(0);
    for kind in ["effect", "compute", "reducer", "orchestrator"] {
        let name = format!("a_{kind}");
        sandbox
            .herald(&["new", &name, "--kind", kind, "--operation", "a.b"])
            .exits(0);
        projects.push(name);
    }
    are_clean(&sandbox, &projects);
}

fn projects_of_contracts(every: usize) {
    let Some(folder) = contracts() else {
        skipped("the ONEX contracts are not beside the project");
        return;
    };
    let mut all = Vec::new();
    find_yaml(Path::new(&folder), &mut all);
    assert!(all.len() > 30, "{all:?}");
    all.sort();
    let sandbox = Sandbox::new();
    let mut projects = Vec::new();
    for (number, contract) in all.iter().enumerate().step_by(every) {
        let name = format!("p{number}");
        let contract = contract.to_string_lossy();
        let made = sandbox.herald(&["new", "--contract", &contract, "--dir", &name]);
        if made.stderr.contains("has no events") {
            assert_eq!(made.code, 2);
            continue;
        }
        made.exits(0);
        projects.push(name);
    }
    assert!(
        projects.len() + 1 >= all.len().div_ceil(every),
        "{projects:?}"
    );
    are_clean(&sandbox, &projects);
}

fn find_yaml(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find_yaml(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn new_projects_of_some_real_contracts_lint_and_test_clean() {
    projects_of_contracts(7);
}

#[test]
#[ignore = "takes a minute: `cargo test -p herald-cli -- --ignored real_contracts`"]
fn new_projects_of_all_real_contracts_lint_and_test_clean() {
    projects_of_contracts(1);
}
