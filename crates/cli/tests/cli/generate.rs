//! `herald generate` as a user runs it.

use std::fs;

use crate::support::Sandbox;

const ORDERS: &str = "node_type: effect\nservice_name: orders\noperations: [place, cancel]\n";
const BILLING: &str = "node_type: effect\nservice_name: billing\noperations: [charge]\n";
const BROKEN: &str = "node_type: efect\nservice_name: stock\noperations: [count]\n";

#[test]
fn generates_a_module_from_a_contract() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let run = sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.contains("generated/orders_events.py"),
        "{}",
        run.stderr
    );
    let module = sandbox.read("generated/orders_events.py");
    assert!(module.contains("class OrdersEventPublisher"));
    assert_eq!(module.matches("    _publish_").count(), 8);
}

#[test]
fn keeps_modification_time_of_unchanged_files() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    let path = sandbox.path("generated/orders_events.py");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let run = sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    assert!(run.stderr.contains("1 file unchanged"), "{}", run.stderr);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);
}

#[test]
fn generated_files_respect_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    let mode = |path: &str| {
        fs::metadata(sandbox.path(path))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("generated/orders_events.py"), mode("contract.yaml"));
}

#[test]
fn never_overwrites_foreign_files_without_force() {
    let sandbox = Sandbox::with(&[
        ("a.yaml", BILLING),
        ("b.yaml", ORDERS),
        ("generated/orders_events.py", "print('mine')\n"),
    ]);
    let run = sandbox.herald(&["generate", "a.yaml", "b.yaml"]).exits(2);
    assert!(
        run.stderr.contains("was not written by Herald"),
        "{}",
        run.stderr
    );
    assert_eq!(
        sandbox.read("generated/orders_events.py"),
        "print('mine')\n"
    );
    assert!(
        !sandbox.exists("generated/billing_events.py"),
        "nothing is half-written"
    );
    sandbox
        .herald(&["generate", "a.yaml", "b.yaml", "--force"])
        .exits(0);
    assert!(
        sandbox
            .read("generated/orders_events.py")
            .contains("OrdersEventPublisher")
    );
}

#[test]
fn generate_check_shows_a_diff_and_writes_nothing() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let run = sandbox
        .herald(&["generate", "--check", "contract.yaml"])
        .exits(1);
    assert!(run.stdout.contains("--- /dev/null"), "{}", run.stdout);
    assert!(!sandbox.exists("generated"));

    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    let run = sandbox
        .herald(&["generate", "--check", "contract.yaml"])
        .exits(0);
    assert_eq!(run.stdout, "");

    sandbox.write("contract.yaml", ORDERS.replace("cancel", "refund"));
    let before = sandbox.read("generated/orders_events.py");
    let run = sandbox
        .herald(&["generate", "--check", "contract.yaml"])
        .exits(1);
    assert!(run.stdout.contains("-    CANCEL_STARTED"), "{}", run.stdout);
    assert!(run.stdout.contains("+    REFUND_STARTED"), "{}", run.stdout);
    assert_eq!(sandbox.read("generated/orders_events.py"), before);
}

#[test]
fn generates_other_contracts_if_one_is_broken() {
    let sandbox = Sandbox::with(&[
        ("contracts/billing.yaml", BILLING),
        ("contracts/orders.yaml", ORDERS),
        ("contracts/stock.yaml", BROKEN),
    ]);
    let run = sandbox.herald(&["generate", "contracts"]).exits(1);
    assert!(
        run.stderr.contains("did you mean `effect`?"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("nothing was generated from 1 contract"),
        "{}",
        run.stderr
    );
    assert!(sandbox.exists("generated/billing_events.py"));
    assert!(sandbox.exists("generated/orders_events.py"));
    assert!(!sandbox.exists("generated/stock_events.py"));
}

#[test]
fn refuses_to_generate_contracts_with_the_same_name() {
    let sandbox = Sandbox::with(&[
        ("a/contract.yaml", ORDERS),
        ("b/contract.yaml", ORDERS),
        ("c/contract.yaml", BILLING),
    ]);
    let run = sandbox.herald(&["check"]).exits(0);
    let found = run
        .stdout
        .matches("warning[names.output_collision]")
        .count();
    assert_eq!(found, 2, "{}", run.stdout);
    let run = sandbox.herald(&["generate"]).exits(1);
    let found = run.stderr.matches("error[names.output_collision]").count();
    assert_eq!(found, 2, "{}", run.stderr);
    assert!(sandbox.exists("generated/billing_events.py"));
    assert!(!sandbox.exists("generated/orders_events.py"));
}

#[test]
fn reports_files_of_removed_contracts() {
    let sandbox = Sandbox::with(&[("a.yaml", ORDERS), ("b.yaml", BILLING)]);
    sandbox.write("generated/mine.py", "print('mine')\n");
    sandbox.herald(&["generate"]).exits(0);
    std::fs::remove_file(sandbox.path("a.yaml")).unwrap();
    let run = sandbox.herald(&["generate", "--check"]).exits(1);
    assert!(
        run.stderr
            .contains("generated/orders_events.py: its contract is gone"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("mine.py"), "{}", run.stderr);
    sandbox.herald(&["generate", "--check", "b.yaml"]).exits(0);
}

#[test]
fn check_reports_files_not_written_by_herald() {
    let sandbox = Sandbox::with(&[
        ("contract.yaml", ORDERS),
        ("generated/orders_events.py", "\x1b[2J mine\n"),
    ]);
    let run = sandbox
        .herald(&["generate", "--check", "contract.yaml"])
        .exits(2);
    assert!(
        run.stderr.contains("was not written by Herald"),
        "{}",
        run.stderr
    );
}

#[test]
fn rewriting_keeps_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    let path = sandbox.path("generated/orders_events.py");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.write("contract.yaml", ORDERS.replace("cancel", "refund"));
    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn comments_and_line_endings_do_not_make_files_stale() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    sandbox.herald(&["generate", "contract.yaml"]).exits(0);
    sandbox.write(
        "contract.yaml",
        format!("# Orders.\n{ORDERS}").replace('\n', "\r\n"),
    );
    sandbox
        .herald(&["generate", "--check", "contract.yaml"])
        .exits(0);
}

#[test]
fn renders_a_repeated_target_once() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let args = [
        "generate",
        "contract.yaml",
        "--target",
        "python",
        "--target",
        "python",
    ];
    sandbox.herald(&args).exits(0);
}

#[test]
fn generates_from_arguments_without_a_contract() {
    let sandbox = Sandbox::new();
    let args = [
        "generate",
        "--node-type",
        "effect",
        "--service-name",
        "orders",
        "--operation",
        "place",
        "--operation",
        "cancel",
        "--no-state-events",
        "--no-metric-events",
        "--stdout",
    ];
    let run = sandbox.herald(&args).exits(0);
    assert_eq!(run.stdout.matches("    _publish_").count(), 6);
    assert_eq!(run.stderr, "");
    assert!(sandbox.files().is_empty());
}

#[test]
fn lints_nodes_described_by_arguments() {
    let sandbox = Sandbox::new();
    let args = [
        "generate",
        "--node-type",
        "efect",
        "--service-name",
        "a\"b\n- c",
        "--stdout",
    ];
    let run = sandbox.herald(&args).exits(1);
    assert!(run.stderr.contains("kind.unknown"), "{}", run.stderr);
    assert!(run.stderr.contains("<command line>"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn project_sets_inputs_and_output() {
    let sandbox = Sandbox::with(&[
        (
            "herald.yaml",
            "contracts: [nodes]\noutput: src/events\nnamespace: prod\n",
        ),
        ("nodes/orders.yaml", ORDERS),
        ("elsewhere/billing.yaml", BILLING),
        ("deep/down/readme.txt", ""),
    ]);
    sandbox.herald_in("deep/down", &["generate"]).exits(0);
    assert!(
        sandbox
            .read("src/events/orders_events.py")
            .contains("\"prod\"")
    );
    assert!(!sandbox.exists("src/events/billing_events.py"));
    sandbox
        .herald(&["generate", "elsewhere", "--out", "other"])
        .exits(0);
    assert!(sandbox.exists("other/billing_events.py"));
}

#[test]
fn suggests_a_target_for_a_misspelled_name() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS)]);
    let run = sandbox
        .herald(&["generate", "contract.yaml", "--target", "pyton"])
        .exits(2);
    assert!(
        run.stderr.contains("did you mean `python`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn reports_unwritable_output_directories() {
    let sandbox = Sandbox::with(&[("contract.yaml", ORDERS), ("generated", "a file")]);
    let run = sandbox.herald(&["generate", "contract.yaml"]).exits(2);
    assert!(run.stderr.contains("generated"), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn separates_files_on_standard_output() {
    let sandbox = Sandbox::with(&[("a.yaml", BILLING), ("b.yaml", ORDERS)]);
    let run = sandbox
        .herald(&["generate", "--stdout", "a.yaml", "b.yaml"])
        .exits(0);
    assert!(run.stdout.starts_with("# ---- billing_events.py ----\n"));
    assert!(run.stdout.contains("\n# ---- orders_events.py ----\n"));
}

#[test]
fn generates_schemas_beside_modules() {
    let contract = "node_type: effect\nservice_name: shop\noperations: [place]\nevents:\n  \
        - event_type: order.placed\n    payload: {order_id: uuid}\n";
    let sandbox = Sandbox::with(&[("shop.yaml", contract)]);
    let generate = ["generate", ".", "--target", "python", "--target", "schemas"];
    sandbox.herald(&generate).exits(0);
    let schema = sandbox.read("generated/shop/order.placed.v1.schema.json");
    assert!(schema.contains("\"format\": \"uuid\""), "{schema}");
    assert!(sandbox.exists("generated/shop_events.py"));
    sandbox
        .herald(&[&generate[..], &["--check"]].concat())
        .exits(0);
    // A file of Herald's own may be written anew, somebody else's may not.
    let changed = contract.replace("uuid", "integer");
    sandbox.write("shop.yaml", changed);
    sandbox.herald(&generate).exits(0);
    sandbox.write("generated/shop/order.placed.v1.schema.json", "{}");
    sandbox.herald(&generate).exits(2);
}

#[test]
fn project_sets_python_options() {
    let contract =
        format!("{ORDERS}events:\n- event_type: order.placed\n  payload: {{id: uuid}}\n");
    let sandbox = Sandbox::with(&[("herald.yaml", ""), ("orders.yaml", &contract)]);
    let thin = sandbox.herald(&["generate", "--stdout"]).exits(0).stdout;
    assert!(thin.contains("from herald.runtime import") && thin.contains("EventModel"));
    let options = [
        "generate",
        "--stdout",
        "--models",
        "dataclass",
        "--standalone",
    ];
    let asked = sandbox.herald(&options).exits(0).stdout;
    assert!(
        asked.contains("from ._herald_runtime import") && !asked.contains("from herald.runtime")
    );
    assert!(!asked.contains("pydantic import"));
    sandbox.write(
        "herald.yaml",
        "python: {models: dataclass, standalone: true}\n",
    );
    let said = sandbox.herald(&["generate", "--stdout"]).exits(0).stdout;
    assert_eq!(said, asked);
    let run = sandbox.herald(&["generate", "--models", "attrs"]).exits(2);
    assert!(run.stderr.contains("pydantic, dataclass"), "{}", run.stderr);
}
