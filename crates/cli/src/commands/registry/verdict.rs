//! Verdict of `herald breaking` about the schema of an event and a registered one.

use std::fs;

use herald_breaking::{Change, Direction, compare};
use herald_catalog::load::{self, Options, PROJECT_FILE};
use herald_render::registry_schema::ContentModel;
use serde_json::{Value, json};

use super::subjects::EventOfSubject;
use crate::Error;

/// Returns the changes from the registered schema of a value to that of the contract that break consumers
/// or the reading of older events; `None` if the registered schema is not of a form that contracts have.
///
/// `place` is the JSON Pointer of the schema of the value in `registered`.
pub fn changes(
    event: &EventOfSubject<'_>,
    registered: &Value,
    place: &str,
) -> Result<Option<Vec<Change>>, Error> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path(PROJECT_FILE), "")?;
    let description = event.profile.describe();
    let member = description.payload;
    let payload = member.map_or(String::new(), |member| format!("/properties/{member}"));
    let place = format!("{place}{payload}");
    if registered.pointer(&place).is_none() {
        return Ok(None);
    }
    let contract = event.schema(ContentModel::Open);
    let mut loaded = Vec::new();
    let versions = [
        ("registered", registered, place),
        ("contract", &contract, payload),
    ];
    for (name, schema, pointer) in versions {
        let pointer = match pointer.as_str() {
            "" => pointer,
            _ => format!("#{pointer}"),
        };
        fs::write(path(&format!("{name}.json")), schema.to_string())?;
        let text = json!({
            "node_type": "effect",
            "service_name": event.node.service_name,
            "include_state_events": false,
            "include_metric_events": false,
            "events": [{
                "event_type": event.event.event_type,
                "topic": "registered.events",
                "payload": {"json_schema": format!("{name}.json{pointer}")},
            }],
        });
        let file = path(&format!("{name}.yaml"));
        fs::write(&file, text.to_string())?;
        let one = load::load(
            &[file.to_string_lossy().into_owned()],
            &Options::default(),
            &|| (),
        );
        if one.has_errors() || one.found_no_contracts() {
            return Ok(None);
        }
        loaded.push(one);
    }
    let [old, new] = loaded.as_mut_slice() else {
        return Ok(None);
    };
    // The same node, though its contracts have two names.
    for node in old.catalog.nodes.iter_mut().chain(&mut new.catalog.nodes) {
        node.identity.clone_from(&event.node.identity);
        node.origin.clone_from(&event.node.origin);
    }
    let on_the_wire = |change: &Change| {
        change.breaks.contains(Direction::Consumer) || change.breaks.contains(Direction::Producer)
    };
    let changes = compare(&old.catalog, &new.catalog).into_iter();
    Ok(Some(changes.filter(on_the_wire).collect()))
}
