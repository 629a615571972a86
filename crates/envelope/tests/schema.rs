//! The published schema, compared with the parser.

mod any;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use herald_envelope::{Envelope, Field, Profile};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn schema() -> Value {
    let described = Profile::default().describe();
    described.value.expect("the value is an envelope")
}

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema())
        .expect("the schema is one")
});

/// `HERALD_BLESS=1 cargo test -p herald-envelope --test schema` writes the file anew.
#[test]
fn published_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("onex-envelope-v1.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("HERALD_BLESS").is_some() {
        fs::write(&path, text).expect("the file can be written");
        return;
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "{} is old; HERALD_BLESS=1 writes it anew",
        path.display()
    );
}

#[test]
fn schema_is_valid() {
    jsonschema::draft202012::meta::validate(&schema()).expect("the schema is valid");
}

/// Both judge alike. Gives what they judge.
fn verdict(members: Map<String, Value>) -> bool {
    let tree = Value::Object(members);
    let bytes = serde_json::to_vec(&tree).expect("a tree can be written");
    let parsed = Envelope::parse(&bytes);
    let valid = VALIDATOR.validate(&tree);
    assert_eq!(
        parsed.is_ok(),
        valid.is_ok(),
        "{}\nparser: {:?}\nschema: {:?}",
        tree,
        parsed.err(),
        valid.err()
    );
    parsed.is_ok()
}

/// Every field, with every kind of value that could be there instead.
#[test]
fn schema_and_parser_agree_on_every_field() {
    let all = json!({
        "envelope_version": "1.0",
        "event_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "event_type": "t",
        "event_version": "1.0",
        "event_timestamp": "2025-11-05T12:00:00+00:00",
        "source_node_id": "n",
        "source_service": "s",
        "source_version": "1",
        "source_instance": "i",
        "correlation_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "causation_id": "c",
        "environment": "e",
        "region": "r",
        "partition_key": "k",
        "payload": {},
        "metadata": {},
    });
    let all = all.as_object().expect("it is an object");
    assert!(verdict(all.clone()));
    for field in Field::all() {
        let mut without = all.clone();
        without.shift_remove(field.as_str()).expect("all are there");
        verdict(without);
        for other in [
            json!(null),
            json!(7),
            json!(""),
            json!("x"),
            json!([]),
            json!({}),
        ] {
            let mut changed = all.clone();
            changed.insert(field.as_str().to_owned(), other);
            verdict(changed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn schema_and_parser_accept_valid_envelopes(members in any::valid()) {
        prop_assert!(verdict(members));
    }

    #[test]
    fn schema_and_parser_agree_on_mutated_envelopes(members in any::mutated()) {
        verdict(members);
    }

    #[test]
    fn written_envelopes_match_the_schema(members in any::valid()) {
        let bytes = serde_json::to_vec(&members).expect("a tree can be written");
        let envelope = Envelope::parse(&bytes).expect("it is valid");
        let written = envelope.to_vec().expect("what was read can be written");
        let tree: Map<String, Value> = serde_json::from_slice(&written).expect("it is JSON");
        prop_assert!(verdict(tree));
    }
}
