//! Rates of contracts: decoding and diagnostics.

use herald_catalog::load::{Loaded, Options, load_text};
use herald_catalog::volume::Range;

fn read(text: &str) -> Loaded {
    let contract = format!("node_type: effect\nservice_name: orders\n{text}\n");
    load_text("contract.yaml", &contract, &Options::default())
}

#[test]
fn reads_a_number_or_a_range() {
    let loaded = read(
        "operations: [{name: place, per_request: 0.1, failure_ratio: [0, 0.02]}, cancel]\n\
         metrics: [{name: latency, per_request: [0, 10]}]\n\
         events: [{event_type: order.placed, per_request: 3}]\n\
         volume: {requests_per_second: [20, 80], retention: 7d, replication_factor: 3}",
    );
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let node = &loaded.catalog.nodes[0];
    let [place, cancel] = &node.operations[..] else {
        panic!("two operations");
    };
    assert_eq!(place.per_request, Some(Range::exactly(0.1)));
    assert_eq!(place.failure_ratio, Some(Range::between(0.0, 0.02)));
    assert_eq!((cancel.per_request, cancel.failure_ratio), (None, None));
    assert_eq!(node.metrics[0].per_request, Some(Range::between(0.0, 10.0)));
    let (_, declared) = node.declared().next().expect("an event");
    assert_eq!(declared.per_request, Some(Range::exactly(3.0)));
    let volume = &node.volume;
    assert_eq!(volume.requests_per_second, Some(Range::between(20.0, 80.0)));
    assert_eq!(volume.retention.map(|kept| kept.as_secs()), Some(604_800));
    assert_eq!(volume.replication_factor, Some(3));
    assert_eq!(volume.metrics_per_request, None);
}

#[test]
fn reports_invalid_rates_with_place_and_help() {
    for bad in [
        "-1",
        ".nan",
        ".inf",
        "1e400",
        "3000000000",
        "[1]",
        "[1, 2, 3]",
        "[]",
        "[1, -2]",
        "many",
        "{low: 1}",
        "true",
        "[1, [2]]",
    ] {
        let loaded = read(&format!(
            "operations: [{{name: place, per_request: {bad}}}]"
        ));
        let found: Vec<_> = (loaded.diagnostics.iter())
            .filter(|diagnostic| diagnostic.rule.code == "contract.wrong_type")
            .collect();
        assert_eq!(found.len(), 1, "{bad}: {:?}", loaded.diagnostics);
        assert!(
            found[0].location.is_some() && found[0].help.is_some(),
            "{bad}"
        );
        assert!(
            found[0]
                .message
                .contains("`per_request` has to be a number from 0"),
            "{bad}"
        );
        assert_eq!(loaded.catalog.nodes[0].operations.len(), 1);
    }
    for bad in ["1.5", "[0.5, 2]"] {
        let loaded = read(&format!(
            "operations: [x]\nvolume: {{failure_ratio: {bad}}}"
        ));
        assert!(loaded.has_errors(), "{bad}");
    }
    for bad in ["7", "7w", "-1d", "forever"] {
        let loaded = read(&format!("operations: [x]\nvolume: {{retention: {bad}}}"));
        assert!(loaded.has_errors(), "{bad}");
    }
}
