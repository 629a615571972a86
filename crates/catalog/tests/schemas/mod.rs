//! Properties that hold for every JSON Schema of a payload; shared with the fuzz target.

use std::sync::Arc;

use herald_catalog::imported::ImportedClasses;
use herald_catalog::load::{Loaded, Options, load_text};
use herald_catalog::sample::Samples;
use herald_catalog::value;
use serde_json::Value;

const CONTRACT: &str = "\
node_type: effect
service_name: shop
operations: []
include_state_events: false
include_metric_events: false
events:
  - {event_type: one, payload: {python: \"a:One\"}}
  - {event_type: other, payload: {python: \"a:Other\"}}
";

/// Reads two schemas as the payloads of events, and validates examples of them.
///
/// # Panics
/// Panics if a property does not hold.
pub fn read(one: &Value, other: &Value) -> Loaded {
    let mut options = Options::default();
    options.defaults.classes = Arc::new(ImportedClasses::new([
        ("a:One".to_owned(), one.clone()),
        ("a:Other".to_owned(), other.clone()),
    ]));
    let loaded = load_text("contract.yaml", CONTRACT, &options);
    for node in &loaded.catalog.nodes {
        for (_, declared) in node.declared() {
            let sample = Samples::minimal(&node.definitions).object(&declared.payload);
            if let Some(sample) = sample {
                let problems =
                    value::check(&declared.payload, &sample, &node.definitions, "payload");
                assert!(problems.is_empty(), "{problems:?} of {sample:?}");
            }
        }
    }
    loaded
}
