//! The table of event categories.

use crate::kind::Kind;

/// A row of the table of categories: a family of events that every node, or every operation of
/// a node, announces in the same way.
#[derive(Debug, PartialEq, Eq)]
pub struct Category {
    /// Key in catalogs.
    pub key: &'static str,
    /// For people, lowercase.
    pub title: &'static str,
    /// Whether it repeats for each operation.
    pub per_operation: bool,
    /// The events that it consists of; empty for what contracts declare themselves.
    pub stages: &'static [Stage],
}

/// One event of a category.
#[derive(Debug, PartialEq, Eq)]
pub struct Stage {
    /// Template and pattern name.
    pub pattern: &'static str,
    /// What follows the kind (and the operation) in the event type.
    pub event_type: &'static str,
    /// What follows the operation in identifiers, or the whole identifier.
    pub ident: &'static str,
}

/// `started`, `completed` and `failed` of each operation.
pub static OPERATION_LIFECYCLE: Category = Category {
    key: "operation_lifecycle",
    title: "operation lifecycle",
    per_operation: true,
    stages: &[
        Stage {
            pattern: "operation_started",
            event_type: "started",
            ident: "started",
        },
        Stage {
            pattern: "operation_completed",
            event_type: "completed",
            ident: "completed",
        },
        Stage {
            pattern: "operation_failed",
            event_type: "failed",
            ident: "failed",
        },
    ],
};

/// `state.changed` of the node.
pub static STATE_EVENTS: Category = Category {
    key: "state_events",
    title: "state events",
    per_operation: false,
    stages: &[Stage {
        pattern: "state_changed",
        event_type: "state.changed",
        ident: "state_changed",
    }],
};

/// `metric.recorded` of the node.
pub static METRIC_EVENTS: Category = Category {
    key: "metric_events",
    title: "metric events",
    per_operation: false,
    stages: &[Stage {
        pattern: "metric_recorded",
        event_type: "metric.recorded",
        ident: "metric_recorded",
    }],
};

/// What the contract lists itself.
pub static DECLARED: Category = Category {
    key: "declared",
    title: "declared events",
    per_operation: false,
    stages: &[],
};

/// All categories, in the order of catalogs.
pub static CATEGORIES: [&Category; 4] = [
    &OPERATION_LIFECYCLE,
    &STATE_EVENTS,
    &METRIC_EVENTS,
    &DECLARED,
];

/// The pattern that all categories make together.
pub const ALL_EVENTS: &str = "events";

/// The categories that the names of patterns mean: keys of categories, or [`ALL_EVENTS`].
///
/// # Errors
/// The first name that no pattern has.
pub fn named(names: &[String]) -> Result<Vec<&'static Category>, &str> {
    let known = |name: &&String| **name == ALL_EVENTS || CATEGORIES.iter().any(|c| c.key == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(unknown);
    }
    let is_named = |category: &&Category| {
        (names.iter()).any(|name| name == category.key || name == ALL_EVENTS)
    };
    Ok(CATEGORIES.into_iter().filter(is_named).collect())
}

impl Stage {
    /// The event type: `{kind}.{operation}.{stage}`, or `{kind}.{stage}`.
    pub fn event_type_of(&self, kind: Kind, operation: Option<&str>) -> String {
        match operation {
            Some(operation) => format!("{kind}.{operation}.{}", self.event_type),
            None => format!("{kind}.{}", self.event_type),
        }
    }

    /// The identifier: `{operation}_{stage}`, or `{stage}`.
    pub fn ident_of(&self, operation: Option<&str>) -> String {
        match operation {
            Some(operation) => format!("{operation}_{}", self.ident),
            None => self.ident.to_owned(),
        }
    }
}
