//! Random envelopes as trees of JSON, valid ones and nearly valid ones.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn uuid() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    ]
}

/// Days end at 28, so that each month has them.
fn timestamp() -> impl Strategy<Value = String> {
    concat!(
        "(1[1-9]|20)[0-9]{2}-(0[1-9]|1[0-2])-([01][1-9]|2[0-8])",
        "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?",
        "(Z|\\+00:00|[+-]([01][0-9]|2[0-3]):[0-5][0-9])",
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.]{0,12}", any::<String>()]
}

fn maybe<T: Into<Value>>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), value.prop_map(Into::into)]
}

pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner).prop_map(Value::from),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((any::<String>(), value), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

type Members = Map<String, Value>;

/// An envelope that a reader has to take: any order, with and without what is optional.
pub fn valid() -> impl Strategy<Value = Members> {
    let always = (
        uuid(),
        "\\PC{1,20}",
        text(),
        timestamp(),
        text(),
        maybe(text()),
        maybe(text()),
        text(),
        members(json()),
        members(json()),
    );
    let optional = (
        maybe(text()),
        maybe(uuid()),
        maybe(text()),
        maybe(text()),
        maybe(text()),
        prop::collection::vec(("x_[a-z\"\\\\]{1,3}", json()), 0..3),
        any::<u8>(),
    );
    (always, optional)
        .prop_map(|(always, optional)| {
            let mut all = json!({
                "envelope_version": "1.0",
                "event_id": always.0,
                "event_type": always.1,
                "event_version": always.2,
                "event_timestamp": always.3,
                "source_node_id": always.4,
                "source_service": always.5,
                "source_version": always.6,
                "environment": always.7,
                "payload": always.8,
                "metadata": always.9,
            });
            let all = all.as_object_mut().expect("it is an object");
            for (bit, name, value) in [
                (1, "source_instance", optional.0),
                (2, "correlation_id", optional.1),
                (4, "causation_id", optional.2),
                (8, "region", optional.3),
                (16, "partition_key", optional.4),
            ] {
                if optional.6 & bit != 0 {
                    all.insert(name.to_owned(), value);
                }
            }
            all.extend(optional.5);
            std::mem::take(all)
        })
        .prop_flat_map(|all| {
            let members: Vec<_> = all.into_iter().collect();
            Just(members)
                .prop_shuffle()
                .prop_map(|members| members.into_iter().collect())
        })
}

/// Text that may be a UUID, or nearly is one.
fn nearly_uuid() -> impl Strategy<Value = String> {
    prop_oneof![
        uuid(),
        "[0-9a-fA-F]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-g]{11,13}",
        uuid().prop_map(|id| format!("{{{id}}}")),
        uuid().prop_map(|id| id.replace('-', "")),
    ]
}

/// Text that may be a timestamp, or nearly is one.
fn nearly_timestamp() -> impl Strategy<Value = String> {
    prop_oneof![
        "(19|20)[0-9]{2}-(02|04|12)-(28|29|30|31)T12:00:00Z",
        "20[0-9]{2}-0[1-9]-1[0-9]T[0-2][0-9]:[0-6][0-9]:[0-6]0[+-][0-3][0-9]:[0-6]0",
        "[0-4][0-9]{3}-01-02T00:00:00([.,][0-9]{0,10})?(Z|z|[+-]00:00|-0000|)",
        "[+-]?[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ][0-9]{2}:?[0-9]{2}:?[0-9]{2}(Z|z|Z\\[UTC\\])",
    ]
}

/// Change of one field.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(prop::sample::Index),
    Set(&'static str, Value),
    SetAny(prop::sample::Index, Value),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let version = prop_oneof![Just("1.0"), Just("1.1"), Just("1.00"), Just("")];
    let set = |name: &'static str| move |text: String| Mutation::Set(name, text.into());
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Mutation::Remove),
        (any::<prop::sample::Index>(), json()).prop_map(|(at, v)| Mutation::SetAny(at, v)),
        nearly_uuid().prop_map(set("event_id")),
        nearly_uuid().prop_map(set("correlation_id")),
        nearly_timestamp().prop_map(set("event_timestamp")),
        "[a-z]?".prop_map(set("event_type")),
        version.prop_map(|v| Mutation::Set("envelope_version", v.into())),
    ]
}

/// An envelope with up to two changes, which it may survive.
pub fn mutated() -> impl Strategy<Value = Members> {
    let mutations = prop::collection::vec(mutation(), 0..3);
    (valid(), mutations).prop_map(|(mut all, mutations)| {
        for mutation in mutations {
            let names: Vec<_> = all.keys().cloned().collect();
            let pick = |at: prop::sample::Index| at.get(&names).clone();
            match mutation {
                Mutation::Remove(at) => all.shift_remove(&pick(at)),
                Mutation::SetAny(at, value) => all.insert(pick(at), value),
                Mutation::Set(name, value) => all.insert(name.to_owned(), value),
            };
        }
        all
    })
}
