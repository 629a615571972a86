//! Event types by category, as data.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Event types by category, in the order of the table of categories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTypeCatalog(pub(super) Vec<(&'static str, Vec<String>)>);

impl EventTypeCatalog {
    /// The event types of `operation_lifecycle`, `state_events` or `metric_events`; empty where
    /// they were switched off.
    pub fn get(&self, category: &str) -> Option<&[String]> {
        self.iter()
            .find(|(key, _)| *key == category)
            .map(|(_, event_types)| event_types)
    }

    /// Key and event types of each category.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.0
            .iter()
            .map(|(key, event_types)| (*key, event_types.as_slice()))
    }

    /// Returns the number of event types.
    pub fn total(&self) -> usize {
        self.0
            .iter()
            .map(|(_, event_types)| event_types.len())
            .sum()
    }
}

/// Serializes it as a map from category to event types.
impl Serialize for EventTypeCatalog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (category, event_types) in self.iter() {
            map.serialize_entry(category, event_types)?;
        }
        map.end()
    }
}
