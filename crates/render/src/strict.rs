//! Data whose errors list the known names when a template asks for an unknown one.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use crate::template::hint;

/// Mappings whose keys come from the contract, so that any key can be missing.
const OPEN: [&str; 2] = ["config", "default"];

/// Mapping with known names.
#[derive(Debug)]
struct Strict {
    /// Path to this value in the data, such as `node.events`.
    place: String,
    entries: Vec<(String, Value)>,
}

impl Object for Strict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        if let Some((_, value)) = self.entries.iter().find(|(name, _)| name == key) {
            return Some(value.clone());
        }
        // At the top level an unknown name can be a variable or a function of the template.
        if self.place.is_empty() {
            return None;
        }
        let names = self.entries.iter().map(|(name, _)| name.as_str());
        Some(Value::from(Error::new(
            ErrorKind::InvalidOperation,
            format!("{} has no `{key}`; {}", self.place, hint(key, names)),
        )))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self
            .entries
            .iter()
            .map(|(name, _)| Value::from(name.as_str()));
        Enumerator::Values(names.collect())
    }
}

/// Wraps data so that mappings know their names. `place` is its path.
pub(crate) fn strict(value: &Value, place: &str) -> Value {
    match value.kind() {
        ValueKind::Map => {
            let entries = names(value).into_iter().map(|name| {
                let below = value.get_attr(&name).unwrap_or_default();
                let below = if OPEN.contains(&name.as_str()) {
                    below
                } else {
                    strict(&below, &format!("`{name}`"))
                };
                (name, below)
            });
            Value::from_object(Strict {
                place: place.to_owned(),
                entries: entries.collect(),
            })
        }
        ValueKind::Seq => {
            let place = format!("an item of {place}");
            let items = value.try_iter().into_iter().flatten();
            items.map(|item| strict(&item, &place)).collect()
        }
        _ => value.clone(),
    }
}

/// Returns the names in a mapping.
pub(crate) fn names(value: &Value) -> Vec<String> {
    let keys = value.try_iter().into_iter().flatten();
    keys.filter_map(|key| Some(key.as_str()?.to_owned()))
        .collect()
}
