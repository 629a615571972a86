//! Contracts that are inferred from events.

use herald_catalog::load::{Options, load_text};
use herald_envelope::Received;
use herald_verify::infer::{Inference, InferredContract};
use herald_verify::{Kind, Record, Report, Verifier};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn envelope(number: usize, event_type: &str, key: Option<&str>, payload: &Value) -> String {
    json!({
        "envelope_version": "1.0",
        "event_id": format!("{number:08x}-5b7e-4cc1-8d2f-6b6f0a1b2c3d"),
        "event_type": event_type,
        "event_version": "1.0",
        "event_timestamp": "2026-01-31T12:34:56+00:00",
        "source_node_id": "shop-1",
        "source_service": "shop",
        "source_version": "1.0",
        "correlation_id": "0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d",
        "environment": "test",
        "partition_key": key,
        "payload": payload,
        "metadata": {},
    })
    .to_string()
}

fn infer(events: &[String]) -> InferredContract {
    let mut inference = Inference::default();
    for event in events {
        inference.add(
            Some("shop.events.v1"),
            &Received::of_value(event.as_bytes()),
        );
    }
    assert_eq!(inference.not_envelopes() + inference.left_out(), 0);
    inference.contracts().remove(0)
}

fn verify(contract: &str, events: &[String]) -> Report {
    let loaded = load_text("shop.yaml", contract, &Options::default());
    let errors: Vec<_> = (loaded.diagnostics.iter())
        .filter(|one| one.is_error())
        .map(|one| &one.message)
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{contract}");
    let options = herald_verify::Options {
        namespace: None,
        run_timeout_seconds: 300,
        has_beginning: true,
    };
    let mut verifier = Verifier::new(&loaded.catalog, options);
    for event in events {
        verifier.judge(&Record {
            topic: Some("shop.events.v1"),
            ..Record::of_envelope(event.as_bytes(), &"a test")
        });
    }
    verifier.finish()
}

fn orders(count: usize) -> Vec<String> {
    let order = |number: usize| {
        let id = format!("A-{number}");
        let mut payload = json!({
            "order": id,
            "customer": "0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d",
            "total": "12.50",
            "zip": "01067",
            "currency": if number.is_multiple_of(3) { "USD" } else { "EUR" },
            "contact_name": "Bob",
            "login": "hunter2-hunter2-hunter2",
            "items": [{"sku": "x", "count": number}],
            "discount": null,
        });
        if number.is_multiple_of(2) {
            payload["note"] = json!("Please ring twice.");
        }
        envelope(number, "order.placed", Some(&id), &payload)
    };
    (0..count).map(order).collect()
}

#[test]
fn fields_keys_and_topics_are_those_of_the_events() {
    let text = infer(&orders(60)).text;
    for line in [
        "node_type: effect",
        "service_name: shop",
        "  # 60 events from 2026-01-31T12:34:56Z to 2026-01-31T12:34:56Z; versions: 1.0",
        "  - event_type: order.placed",
        "    topic: shop.events.v1",
        "    partition_key: order",
        "      order: {type: string}  # in 60 of 60",
        "      customer: {type: uuid}  # in 60 of 60",
        "      total: {type: decimal}  # in 60 of 60",
        "      zip: {type: string}  # in 60 of 60",
        "      currency: {type: string, enum: [\"EUR\", \"USD\"]}  # in 60 of 60",
        "      items: {type: \"list[OrderPlacedItems]\"}  # in 60 of 60",
        "      discount: {type: \"null\"}  # in 60 of 60",
        "      note: {type: string, required: false}  # in 30 of 60",
        "      count: {type: integer}  # in 60 of 60",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn values_that_may_be_private_are_not_quoted() {
    let text = infer(&orders(60)).text;
    for value in ["Bob", "hunter2", "Please", "01067", "A-1"] {
        let content = text.lines().skip(2).collect::<Vec<_>>().join("\n");
        assert!(!content.contains(value), "{value}\n{text}");
    }
}

#[test]
fn an_object_with_many_names_is_a_map() {
    let payload = |number: usize| json!({"prices": {format!("sku-{number}"): 1, "all": 2.5}});
    let events: Vec<_> = (0..200)
        .map(|number| envelope(number, "prices.changed", None, &payload(number)))
        .collect();
    let text = infer(&events).text;
    assert!(text.contains("prices: {type: \"map[number]\"}"), "{text}");
    assert_eq!(verify(&text, &events).findings, []);
}

#[test]
fn deep_and_huge_events_have_a_contract() {
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let wide: Map<String, Value> = (0..1_000).map(|n| (format!("f{n}"), json!(n))).collect();
    let events = [
        envelope(1, "deep", None, &deep),
        envelope(2, "wide", None, &Value::Object(wide)),
        envelope(3, "empty", None, &json!({})),
    ];
    let text = infer(&events).text;
    assert!(text.len() < 10_000, "{}", text.len());
    assert_eq!(verify(&text, &events).findings, []);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-d]",
        "[a-z_]{1,8}",
        Just("class".to_owned()),
        Just("null".to_owned()),
        Just("Aa".to_owned()),
        ".{0,6}",
        "[\"'#:{}\\[\\],&*!|>%@`\\\\ -]{1,4}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?".prop_map(Value::from),
        prop::sample::select(vec![
            "2026-01-31",
            "2026-01-31T12:00:00Z",
            "0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d",
            "EUR",
            "USD",
        ])
        .prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn payload() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), value()), 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn events_conform_with_the_contract_that_was_inferred_from_them(
        payloads in prop::collection::vec((0..3_usize, payload()), 1..6),
        repeated in 1..12_usize,
        types in prop::collection::vec("[a-z][a-z.]{0,5}|.{0,3}[a-z0-9].{0,3}", 3),
    ) {
        // The same events again and again, so that there are enumerations.
        let events: Vec<_> = (0..repeated)
            .flat_map(|_| &payloads)
            .enumerate()
            .map(|(number, (ty, payload))| {
                let key = payload.get("a").map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                envelope(number, &types[*ty], key.as_deref(), payload)
            })
            .collect();
        let contract = infer(&events).text;
        let mut findings = verify(&contract, &events).findings;
        // Random payloads may look like anything.
        findings.retain(|one| one.kind != Kind::Secret);
        // The contract lists which event types have no name of their own in code.
        let is_left_out = contract.contains("# Left out:");
        findings.retain(|one| one.kind != Kind::EventType || !is_left_out);
        prop_assert!(findings.is_empty(), "{findings:?}\n{contract}\n{events:?}");
    }
}
