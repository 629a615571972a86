//! JSON format of comparisons and registrations.

use herald_render::registry_schema::ContentModel;
use serde_json::{Map, Value, json};

use super::Outcome;
use super::comparison::{Comparison, State};
use super::explanation;

/// `{"subjects": [ … ], "summary": { … }}`.
pub fn document(comparisons: &[Comparison<'_>], outcomes: Option<&[Outcome]>) -> Value {
    let subjects = comparisons.iter().map(|one| {
        let mut outcomes = outcomes.into_iter().flatten();
        subject(one, outcomes.find(|it| it.subject == one.subject.name))
    });
    let count = |word: &str| {
        let of_state = comparisons.iter().filter(|one| one.state.as_str() == word);
        of_state.count()
    };
    json!({
        "subjects": subjects.collect::<Vec<_>>(),
        "summary": {
            "new": count("new"),
            "compatible": count("compatible"),
            "waiting": count("waiting"),
            "incompatible": count("incompatible"),
            "failed": count("failed"),
            "registered": count("registered"),
        },
    })
}

fn subject(comparison: &Comparison<'_>, outcome: Option<&Outcome>) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    put("subject", json!(comparison.subject.name));
    put("state", json!(comparison.state.as_str()));
    put("level", json!(comparison.level.as_str()));
    let registered = comparison.registered.as_ref();
    put("version", json!(registered.map(|it| it.version)));
    put("id", json!(registered.map(|it| it.id)));
    put("contracts", json!(comparison.subject.contracts()));
    let events = comparison.subject.events.iter();
    let records: Vec<_> = events.map(|it| it.record.as_str()).collect();
    put("records", json!(records));
    put(
        "content_model",
        json!(match comparison.form.model {
            ContentModel::Open => "open",
            ContentModel::Closed => "closed",
        }),
    );
    let parts = comparison.subject.parts.iter();
    let parts = parts.map(|part| json!({"subject": part.subject, "version": part.version}));
    put("references", parts.collect());
    put("kept_fields", json!(comparison.form.kept));
    let messages = match &comparison.state {
        State::Incompatible { messages } => messages.as_slice(),
        _ => &[],
    };
    put("messages", json!(messages));
    let breaking = comparison.changes.as_ref();
    let breaking = breaking.map(|changes| {
        let codes = changes
            .iter()
            .map(|change| json!({"rule": change.rule.rule.code, "message": change.message}));
        codes.collect::<Vec<_>>()
    });
    put("breaking", json!(breaking));
    put("explanation", json!(explanation::sentences(comparison)));
    put("schema", comparison.form.schema.schema.clone());
    if let Some(outcome) = outcome {
        put(
            "result",
            match &outcome.result {
                Ok(id) => json!({"id": id}),
                Err(error) => json!({"error": error.to_string()}),
            },
        );
    }
    Value::Object(map)
}
