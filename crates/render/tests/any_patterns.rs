//! Property tests: for any names and units, the generators without a contract print Python that
//! is formatted and has the same meaning. The tools are those of `any_text`.

mod hostile;

use std::fs;
use std::path::Path;

use herald_render::patterns::{
    BusinessMetric, LifecyclePatternGenerator, MetricKind, MetricsPatternGenerator,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use hostile::{check_style, run, text, tool};

const MODULES: usize = 150;

fn metric() -> impl Strategy<Value = BusinessMetric> {
    let kind = prop::sample::select(&MetricKind::ALL[..]);
    (text(), kind, text()).prop_map(|(name, kind, unit)| BusinessMetric { name, kind, unit })
}

/// Operations have to stand in topics.
fn operations() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("[a-z][a-z.]{0,60}z", 1..6)
        .prop_map(|names| names.into_iter().collect())
}

/// Returns the items that a generator takes, one at a time.
fn taken<T: Clone, E>(items: Vec<T>, take: impl Fn(&[T]) -> Result<(), E>) -> Vec<T> {
    let mut taken: Vec<T> = Vec::new();
    for item in items {
        taken.push(item);
        if take(&taken).is_err() {
            taken.pop();
        }
    }
    taken
}

/// A module, and the calls that must be in it: the method, its text, its unit.
fn measured(runner: &mut TestRunner) -> (String, Value) {
    let given = (operations(), prop::collection::vec(metric(), 0..5));
    let (operations, metrics) = given.new_tree(runner).expect("a value").current();
    let new = || MetricsPatternGenerator::new("effect", "orders", &operations).ok();
    let Some(generator) = new() else {
        return (String::new(), json!([])); // two operations were one identifier
    };
    let metrics = taken(metrics, |metrics| {
        let generator = new().expect("it was valid before");
        generator.business_metrics(metrics.to_vec()).map(drop)
    });
    let calls = metrics
        .iter()
        .map(|metric| json!([metric.kind.as_str(), metric.name, metric.unit]));
    let calls: Value = calls.collect();
    let generator = generator.business_metrics(metrics).expect("they are valid");
    (generator.generate_complete_metrics_class(), calls)
}

fn service(runner: &mut TestRunner) -> (String, Value) {
    let names = || prop::collection::vec(text(), 0..5);
    let given = (names(), names(), any::<(bool, bool)>());
    let (dependencies, tasks, (metrics, checks)) = given.new_tree(runner).expect("ok").current();
    let new =
        || LifecyclePatternGenerator::new("effect", "orders", &["place"]).expect("they are valid");
    let dependencies = taken(dependencies, |names| new().dependencies(names).map(drop));
    let tasks = taken(tasks, |names| new().background_tasks(names).map(drop));
    let of = |method: &'static str, names: &[String]| -> Vec<Value> {
        let calls = names.iter().map(|name| json!([method, name, Value::Null]));
        calls.collect()
    };
    let calls = [of("dependency", &dependencies), of("task", &tasks)].concat();
    let generator = (new().dependencies(&dependencies))
        .and_then(|generator| generator.background_tasks(&tasks))
        .expect("they are valid")
        .include_metrics(metrics)
        .include_health_checks(checks);
    let code = generator.generate_complete_lifecycle_class();
    (code, Value::Array(calls))
}

#[test]
fn any_text_keeps_its_meaning_in_python() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut runner = TestRunner::deterministic();
    let mut said = 0;
    for i in 0..MODULES {
        let module = if i % 2 == 0 { measured } else { service };
        let (code, calls) = module(&mut runner);
        said += calls.as_array().map_or(0, Vec::len);
        fs::write(folder.path().join(format!("m{i}.py")), code).expect("writable");
        let calls = calls.to_string();
        fs::write(folder.path().join(format!("m{i}.json")), calls).expect("writable");
    }
    assert!(said > MODULES, "most texts are refused: {said}");
    if let Some(python) = tool("HERALD_PYTHON", "python3") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_patterns.py");
        let script = script.to_str().expect("UTF-8");
        run(&python, &[script, "."], folder.path());
    }
    check_style(folder.path());
}
