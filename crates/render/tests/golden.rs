//! Golden files: what is generated, as people review it.
//!
//! `HERALD_BLESS=1 cargo test -p herald-render --test golden` writes them anew. The files are
//! also imported and run, by `tests/python`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use herald_catalog::imported::ImportedClasses;
use herald_catalog::kind::Kind;
use herald_catalog::load::{Options, load_text};
use herald_catalog::{Node, node_from_parts};
use herald_render::patterns::{
    BusinessMetric, EventPublishingPatternGenerator, LifecyclePatternGenerator, MetricKind,
    generate_complete_metrics_class, generate_event_publishing_methods,
};
use herald_render::{
    BuiltInTarget, Context, GeneratedFile, MARKER, Models, PythonOptions, Target, is_ours,
    payload_classes,
};

fn node(kind: Kind, operations: &[&str]) -> Node {
    node_from_parts(kind, kind.as_str(), operations, true, true).expect("the node is valid")
}

fn module(node: &Node) -> String {
    module_with(node, PythonOptions::default())
}

fn module_with(node: &Node, python: PythonOptions) -> String {
    files_with("python", node, python).swap_remove(0).contents
}

/// The files of a target: the module, and those that it needs beside it.
fn files_with(target: &str, node: &Node, python: PythonOptions) -> Vec<GeneratedFile> {
    let context = Context {
        python,
        ..Context::default()
    };
    let target = BuiltInTarget::find(target).expect("there is such a target");
    target
        .render(&[node], &context, true)
        .expect("the templates are right")
}

/// Compares text with a golden file, or writes the file.
fn check(name: &str, actual: &str) {
    check_file(&format!("tests/golden/{name}"), actual);
}

/// Compares text with a file below this crate, or writes the file.
fn check_file(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("HERALD_BLESS").is_some() {
        fs::write(&path, actual).expect("the golden file can be written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == actual,
        "{name} differs from what is generated; `HERALD_BLESS=1 cargo test -p herald-render \
         --test golden` writes it anew, `git diff` shows the difference"
    );
}

/// The beginning of a class that somebody wrote by hand.
const OWN_CLASS: &str = "class Node:
    def __init__(self, node_id: UUID, kafka_client: Any, namespace: str) -> None:
        self.node_id = node_id
        self.kafka_client = kafka_client
        self.default_namespace = namespace
";

fn count_methods(code: &str) -> usize {
    let lines = code
        .lines()
        .map(|line| line.trim_start().trim_start_matches("async def "));
    lines.filter(|line| line.starts_with("_publish_")).count()
}

#[test]
fn orchestrator_module_matches_golden_file() {
    let operations = ["orchestration", "routing", "intelligence_query"];
    let code = module(&node(Kind::Orchestrator, &operations));
    assert_eq!(count_methods(&code), 11);
    check("orchestrator_events.py", &code);
}

#[test]
fn reducer_module_matches_golden_file() {
    let code = module(&node(Kind::Reducer, &["aggregation", "state_snapshot"]));
    assert_eq!(count_methods(&code), 8);
    check("reducer_events.py", &code);
}

#[test]
fn effect_module_matches_golden_file() {
    let code = module(&node(Kind::Effect, &["process"]));
    assert_eq!(count_methods(&code), 5);
    check("effect_events.py", &code);
}

#[test]
fn methods_fit_into_another_class() {
    let generator = EventPublishingPatternGenerator::new("effect", "effect", &["process"])
        .expect("the arguments are valid");
    let imports = generator.generate_imports();
    let methods = generator.generate_all_event_methods();
    check(
        "own_class.py",
        &format!("{imports}\n\n{OWN_CLASS}\n{methods}"),
    );
}

#[test]
fn one_call_gives_a_module() {
    let code = generate_event_publishing_methods("effect", "effect", &["process"], true, true)
        .expect("the arguments are valid");
    assert_eq!(count_methods(&code), 5);
    check("one_call.py", &code);
}

#[test]
fn one_call_gives_a_class_that_measures() {
    let total = BusinessMetric::new("order.total", MetricKind::Distribution, "EUR");
    let code = generate_complete_metrics_class("effect", "orders", &["place"], vec![total])
        .expect("the arguments are valid");
    check("patterns/metrics.py", &code);
}

#[test]
fn one_call_gives_a_service() {
    let generator = LifecyclePatternGenerator::new("effect", "orders", &["place"])
        .and_then(|generator| generator.dependencies(&["database"]))
        .and_then(|generator| generator.background_tasks(&["refresh"]))
        .expect("the arguments are valid");
    let code = generator
        .include_metrics(false)
        .generate_complete_lifecycle_class();
    check("patterns/service.py", &code);
}

/// The node of the contract with everything in it.
fn orders() -> Node {
    let contract = include_str!("golden/orders.yaml");
    let mut loaded = load_text("orders.yaml", contract, &Options::default());
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.catalog.nodes.remove(0)
}

#[test]
fn contract_with_every_key_matches_golden_file() {
    check("orders_events.py", &module(&orders()));
}

#[test]
fn runtime_payload_classes_match_the_table() {
    check_file(
        "../python/python/herald/runtime/_payloads.py",
        &payload_classes(),
    );
}

#[test]
fn dataclass_models_match_golden_file() {
    let python = PythonOptions {
        models: Models::Dataclass,
        standalone: false,
    };
    check("dataclass_events.py", &module_with(&orders(), python));
}

#[test]
fn standalone_module_imports_a_copy_of_the_runtime_beside_it() {
    for models in Models::ALL {
        let options = |standalone| PythonOptions { models, standalone };
        let thin = module_with(&orders(), options(false));
        let files = files_with("python", &orders(), options(true));
        assert!(!files[0].contents.contains("from herald"));
        let own = |code: &str| code[code.find("__all__ = [").expect("it has one")..].to_owned();
        assert_eq!(own(&files[0].contents), own(&thin));
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert!(paths.contains(&"_herald_runtime/__init__.py"), "{paths:?}");
        assert_eq!(
            paths.contains(&"_herald_runtime/models.py"),
            models == Models::Pydantic
        );
        assert!(files.iter().all(|file| is_ours(file.contents.as_bytes())));
    }
}

#[test]
fn runtime_is_copied_once_for_all_modules() {
    let nodes = [
        node(Kind::Effect, &["process"]),
        node(Kind::Reducer, &["aggregation"]),
    ];
    let context = Context {
        python: PythonOptions {
            standalone: true,
            ..PythonOptions::default()
        },
        ..Context::default()
    };
    let python = BuiltInTarget::find("python").expect("there is a target for Python");
    let files = python
        .render(&[&nodes[0], &nodes[1]], &context, true)
        .expect("the templates are right");
    let copied = |file: &&GeneratedFile| file.path.ends_with("/_publisher.py");
    assert_eq!(files.iter().filter(copied).count(), 1);
}

#[test]
fn module_for_consumers_matches_golden_file() {
    let files = files_with("python-consumer", &orders(), PythonOptions::default());
    assert_eq!(files[0].path, "orders_consumer.py");
    assert!(
        !files
            .iter()
            .any(|file| file.contents.contains("from herald"))
    );
    check("consumer/orders_consumer.py", &files[0].contents);
}

#[test]
fn module_files_are_importable_and_named_after_the_slug() {
    let python = BuiltInTarget::find("python").expect("there is a target for Python");
    let mut node = node(Kind::Effect, &["process"]);
    for (slug, path) in [
        ("2fa", "_2fa_events.py"),
        ("node_2fa", "node_2fa_events.py"),
        ("", "_events.py"),
    ] {
        node.identity.slug = slug.to_owned();
        let files = python
            .render(&[&node], &Context::default(), true)
            .expect("the templates are right");
        assert_eq!(files[0].path, path);
    }
}

#[test]
fn every_file_begins_with_the_marker() {
    let code = module(&node(Kind::Effect, &["process"]));
    assert_eq!(code.lines().next(), Some(format!("# {MARKER}").as_str()));
    assert!(code.ends_with(")\n") && !code.contains('\r'));
}

#[test]
fn node_without_events_has_no_file() {
    let mut node = node(Kind::Effect, &["process"]);
    node.events.clear();
    let python = BuiltInTarget::find("python").expect("there is a target for Python");
    let files = python
        .render(&[&node], &Context::default(), true)
        .expect("the templates are right");
    assert!(files.is_empty());
}

/// The contract that refers to classes of Python, with the schemas that were imported.
fn own() -> Node {
    let mut options = Options::default();
    let imported = ImportedClasses::parse(include_str!("golden/own.lock.json"));
    options.defaults.classes = Arc::new(imported.expect("the file is valid"));
    let mut loaded = load_text("own.yaml", include_str!("golden/own.yaml"), &options);
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded.catalog.nodes.remove(0)
}

#[test]
fn publishers_of_own_classes_match_golden_file() {
    let code = module(&own());
    assert!(!code.contains("class OrderPlaced(") && !code.contains("class Money("));
    check("own_events.py", &code);
}

#[test]
fn consumers_of_own_classes_get_models() {
    let files = files_with("python-consumer", &own(), PythonOptions::default());
    let code = &files[0].contents;
    assert!(code.contains("class OrderPlaced(EventModel)") && code.contains("class Money("));
    assert!(!code.contains("own_code"));
}
