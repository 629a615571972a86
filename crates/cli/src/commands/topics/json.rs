//! JSON format of a plan and its outcome.

use std::collections::BTreeMap;

use herald_publish::kafka::{Difference, Outcome, Plan, PlannedTopic};
use serde_json::{Map, Value, json};

use crate::wanted_topics::ContractTopic;

/// `{"topics": [ … ], "absent": [ … ], "summary": { … }}`.
pub fn document(
    plan: &Plan,
    by_name: &BTreeMap<String, ContractTopic>,
    absent: &[ContractTopic],
    outcomes: Option<&[Outcome]>,
) -> Value {
    let topics = plan.topics.iter().enumerate().map(|(index, topic)| {
        let outcome = outcomes.and_then(|outcomes| outcomes.get(index));
        planned(topic, by_name.get(&topic.wanted.name), outcome)
    });
    let absent = absent.iter().map(|contract_topic| {
        json!({"topic": contract_topic.topic.name, "role": contract_topic.role.as_str(), "contracts": contract_topic.contracts})
    });
    json!({
        "topics": topics.collect::<Vec<_>>(),
        "absent": absent.collect::<Vec<_>>(),
        "summary": summary(plan),
    })
}

/// The action for a topic in one word.
fn action(topic: &PlannedTopic) -> &'static str {
    if topic.is_in_sync() {
        "in_sync"
    } else if topic.differences.contains(&Difference::Missing) {
        "create"
    } else if topic.can_be_applied() {
        "change"
    } else {
        "by_hand"
    }
}

fn summary(plan: &Plan) -> Value {
    let count = |word: &str| plan.topics.iter().filter(|t| action(t) == word).count();
    json!({
        "create": count("create"),
        "change": count("change"),
        "by_hand": count("by_hand"),
        "in_sync": count("in_sync"),
    })
}

fn planned(
    topic: &PlannedTopic,
    contract_topic: Option<&ContractTopic>,
    outcome: Option<&Outcome>,
) -> Value {
    let wanted = &topic.wanted;
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    put("topic", json!(wanted.name));
    if let Some(contract_topic) = contract_topic {
        put("role", json!(contract_topic.role.as_str()));
        put("contracts", json!(contract_topic.contracts));
    }
    put("action", json!(action(topic)));
    put(
        "wanted",
        json!({
            "partitions": wanted.partitions,
            "replication_factor": wanted.replication_factor,
            "kafka_config": wanted.config,
        }),
    );
    let found = topic.found.as_ref().map(|found| {
        json!({
            "partitions": found.partitions,
            "replicas": {"least": found.replicas.start(), "most": found.replicas.end()},
        })
    });
    put("found", json!(found));
    let list = |differences: &[Difference]| differences.iter().map(difference).collect::<Vec<_>>();
    put("differences", json!(list(&topic.differences)));
    let refusal = topic.refusal.as_ref();
    put(
        "refusal",
        json!(
            refusal.map(|refusal| json!({"code": refusal.code.as_str(), "detail": refusal.detail}))
        ),
    );
    if let Some(outcome) = outcome {
        put(
            "result",
            json!({
                "done": list(&outcome.done),
                "left": list(&outcome.left),
                "failure": outcome.failure.as_ref().map(|failure| {
                    json!({"code": failure.code.as_str(), "detail": failure.detail})
                }),
            }),
        );
    }
    Value::Object(map)
}

fn difference(difference: &Difference) -> Value {
    let mut value = match difference {
        Difference::Missing => json!({"what": "topic", "found": null}),
        Difference::TooFewPartitions { found, wanted }
        | Difference::TooManyPartitions { found, wanted } => {
            json!({"what": "partitions", "found": found, "wanted": wanted})
        }
        Difference::Replication { found, wanted } => json!({
            "what": "replication_factor",
            "found": found.start(),
            "wanted": wanted,
        }),
        Difference::Config {
            name,
            found,
            wanted,
        } => json!({"what": "kafka_config", "name": name, "found": found, "wanted": wanted}),
        Difference::HiddenConfig => json!({"what": "kafka_config", "hidden": true}),
        Difference::UnknownConfig { name } => {
            json!({"what": "kafka_config", "name": name, "unknown": true})
        }
    };
    value["can_be_applied"] = json!(difference.can_be_applied());
    value
}
