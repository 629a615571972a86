//! The rules, one file each.

mod definition_renamed;
mod enum_value_added;
mod enum_value_removed;
mod event_name_changed;
mod event_removed;
mod event_topic_changed;
mod event_type_changed;
mod field_added_required;
mod field_became_optional;
mod field_became_private;
mod field_became_public;
mod field_became_required;
mod field_default_added;
mod field_default_changed;
mod field_default_removed;
mod field_removed;
mod field_renamed;
mod items_narrowed;
mod items_widened;
mod key_added;
mod key_changed;
mod key_removed;
mod length_narrowed;
mod length_widened;
mod metric_events_removed;
mod metric_removed;
mod metric_unit_changed;
mod node_envelope_changed;
mod node_headers_removed;
mod node_kind_changed;
mod node_namespace_changed;
mod node_removed;
mod node_renamed;
mod null_allowed;
mod null_forbidden;
mod operation_events_reduced;
mod operation_removed;
mod operation_sampling_reduced;
mod pattern_added;
mod pattern_changed;
mod pattern_removed;
mod payload_opened;
mod payload_typed;
mod range_narrowed;
mod range_widened;
mod schema_changed;
mod state_events_removed;
mod state_machine_removed;
mod state_removed;
mod state_transition_removed;
mod topic_compaction_added;
mod topic_compaction_removed;
mod topic_insync_replicas_reduced;
mod topic_message_size_reduced;
mod topic_partitions_changed;
mod topic_replication_reduced;
mod topic_retention_shortened;
mod topic_size_retention_shortened;
mod type_changed;
mod type_narrowed;
mod type_respelled;
mod type_widened;
mod union_member_added;
mod union_member_removed;
mod version_not_bumped;

use herald_catalog::Operation;
use herald_catalog::category::Category;
use herald_catalog::fields::{Limits, Type};
use serde_json::{Number, Value};

use crate::change::Change;
use crate::pairs::{NodePair, without_null};
use crate::{BreakingRule, Directions};

/// Every rule, in the order of reports.
pub static RULES: &[&BreakingRule] = &[
    &node_removed::NODE_REMOVED,
    &node_renamed::NODE_RENAMED,
    &node_kind_changed::NODE_KIND_CHANGED,
    &node_namespace_changed::NODE_NAMESPACE_CHANGED,
    &node_envelope_changed::NODE_ENVELOPE_CHANGED,
    &node_headers_removed::NODE_HEADERS_REMOVED,
    &operation_removed::OPERATION_REMOVED,
    &operation_events_reduced::OPERATION_EVENTS_REDUCED,
    &operation_sampling_reduced::OPERATION_SAMPLING_REDUCED,
    &state_events_removed::STATE_EVENTS_REMOVED,
    &metric_events_removed::METRIC_EVENTS_REMOVED,
    &state_removed::STATE_REMOVED,
    &state_machine_removed::STATE_MACHINE_REMOVED,
    &state_transition_removed::STATE_TRANSITION_REMOVED,
    &metric_removed::METRIC_REMOVED,
    &metric_unit_changed::METRIC_UNIT_CHANGED,
    &event_removed::EVENT_REMOVED,
    &event_type_changed::EVENT_TYPE_CHANGED,
    &event_name_changed::EVENT_NAME_CHANGED,
    &event_topic_changed::EVENT_TOPIC_CHANGED,
    &key_added::KEY_ADDED,
    &key_removed::KEY_REMOVED,
    &key_changed::KEY_CHANGED,
    &topic_partitions_changed::TOPIC_PARTITIONS_CHANGED,
    &topic_replication_reduced::TOPIC_REPLICATION_REDUCED,
    &topic_retention_shortened::TOPIC_RETENTION_SHORTENED,
    &topic_size_retention_shortened::TOPIC_SIZE_RETENTION_SHORTENED,
    &topic_message_size_reduced::TOPIC_MESSAGE_SIZE_REDUCED,
    &topic_insync_replicas_reduced::TOPIC_INSYNC_REPLICAS_REDUCED,
    &topic_compaction_added::TOPIC_COMPACTION_ADDED,
    &topic_compaction_removed::TOPIC_COMPACTION_REMOVED,
    &payload_opened::PAYLOAD_OPENED,
    &payload_typed::PAYLOAD_TYPED,
    &field_removed::FIELD_REMOVED,
    &field_renamed::FIELD_RENAMED,
    &field_added_required::FIELD_ADDED_REQUIRED,
    &field_became_required::FIELD_BECAME_REQUIRED,
    &field_became_optional::FIELD_BECAME_OPTIONAL,
    &field_became_private::FIELD_BECAME_PRIVATE,
    &field_became_public::FIELD_BECAME_PUBLIC,
    &field_default_changed::FIELD_DEFAULT_CHANGED,
    &field_default_removed::FIELD_DEFAULT_REMOVED,
    &field_default_added::FIELD_DEFAULT_ADDED,
    &null_allowed::NULL_ALLOWED,
    &null_forbidden::NULL_FORBIDDEN,
    &type_changed::TYPE_CHANGED,
    &type_widened::TYPE_WIDENED,
    &type_narrowed::TYPE_NARROWED,
    &type_respelled::TYPE_RESPELLED,
    &enum_value_added::ENUM_VALUE_ADDED,
    &enum_value_removed::ENUM_VALUE_REMOVED,
    &union_member_added::UNION_MEMBER_ADDED,
    &union_member_removed::UNION_MEMBER_REMOVED,
    &range_widened::RANGE_WIDENED,
    &range_narrowed::RANGE_NARROWED,
    &length_widened::LENGTH_WIDENED,
    &length_narrowed::LENGTH_NARROWED,
    &items_widened::ITEMS_WIDENED,
    &items_narrowed::ITEMS_NARROWED,
    &pattern_added::PATTERN_ADDED,
    &pattern_removed::PATTERN_REMOVED,
    &pattern_changed::PATTERN_CHANGED,
    &schema_changed::SCHEMA_CHANGED,
    &definition_renamed::DEFINITION_RENAMED,
    &version_not_bumped::VERSION_NOT_BUMPED,
];

/// Operations that both versions have.
pub(crate) fn same_operations<'a>(
    pair: &'a NodePair<'_>,
) -> impl Iterator<Item = (&'a Operation, &'a Operation)> {
    let (old, new) = (pair.old, pair.new);
    let successor = |before: &'a Operation| {
        let mut after = new.operations.iter();
        Some((before, after.find(|after| after.name == before.name)?))
    };
    old.operations.iter().filter_map(successor)
}

/// A category of events that the node had and has no more.
fn category_removed(
    rule: &'static BreakingRule,
    category: &'static Category,
    pair: &NodePair<'_>,
) -> Option<Change> {
    let event = pair.old.events_of(category).next()?;
    if pair.new.events_of(category).next().is_some() {
        return None;
    }
    let name = &event.event_type;
    let mut change = Change::new(
        rule,
        Directions::ALL,
        format!("`{name}` is not published any more"),
    )
    .old(event.location, name)
    .new_at(pair.new.location, "")
    .help("publish it until nobody consumes it");
    change.events.push(name.clone());
    Some(change)
}

/// Whether a number of a topic's configuration is below what it was; -1 is without limit. What is
/// not set has Kafka's default.
fn is_less(after: Option<&str>, before: Option<&str>, default: i64) -> bool {
    let number = |text: Option<&str>| text.map_or(Some(default), |text| text.trim().parse().ok());
    let (Some(after), Some(before)) = (number(after), number(before)) else {
        return false;
    };
    let unlimited = |number: i64| if number == -1 { i64::MAX } else { number };
    unlimited(after) < unlimited(before)
}

/// Whether a clean-up policy compacts; `delete` is Kafka's default.
fn is_compacted(policy: Option<&str>) -> bool {
    policy.is_some_and(|policy| policy.split(',').any(|part| part.trim() == "compact"))
}

/// A value of a topic's configuration in messages.
fn shown(value: Option<&str>) -> &str {
    value.unwrap_or("Kafka's default")
}

/// The values that one enum has and another one does not; none where a type is not an enum.
fn values_only_in(one: &Type, other: &Type) -> Vec<Value> {
    let core = |ty| without_null(ty).without_name();
    match (core(one), core(other)) {
        (Type::Enum(values), Type::Enum(others)) => {
            let values = values.iter().filter(|value| !others.contains(value));
            values.map(|value| Value::from(value.as_str())).collect()
        }
        (Type::Numbers(values), Type::Numbers(others)) => {
            let is_new = |value: &&Number| {
                let mut others = others.iter();
                others.all(|other| other.as_f64() != value.as_f64())
            };
            let values = values.iter().filter(is_new);
            values.cloned().map(Value::Number).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a type is a list of values.
fn is_enumeration(ty: &Type) -> bool {
    matches!(ty.without_name(), Type::Enum(_) | Type::Numbers(_))
}

/// A value of an enum in messages.
fn enum_value(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The limits of numbers alone.
fn range_of(limits: &Limits) -> Limits {
    Limits {
        minimum: limits.minimum.clone(),
        maximum: limits.maximum.clone(),
        exclusive_minimum: limits.exclusive_minimum.clone(),
        exclusive_maximum: limits.exclusive_maximum.clone(),
        multiple_of: limits.multiple_of.clone(),
        ..Limits::default()
    }
}

/// The limits of the length of texts alone.
fn length_of(limits: &Limits) -> Limits {
    Limits {
        min_length: limits.min_length,
        max_length: limits.max_length,
        ..Limits::default()
    }
}

/// The pattern alone.
fn pattern_of(limits: &Limits) -> Limits {
    Limits {
        pattern: limits.pattern.clone(),
        ..Limits::default()
    }
}

/// The JSON Schema alone.
fn schema_of(limits: &Limits) -> Limits {
    Limits {
        json_schema: limits.json_schema.clone(),
        ..Limits::default()
    }
}

/// The limits of the size of lists alone.
fn items_of(limits: &Limits) -> Limits {
    Limits {
        min_items: limits.min_items,
        max_items: limits.max_items,
        ..Limits::default()
    }
}

/// Limits in messages.
fn limits_text(limits: &Limits) -> String {
    let parts = [
        limits
            .minimum
            .as_ref()
            .map(|limit| format!("at least {limit}")),
        (limits.exclusive_minimum.as_ref()).map(|limit| format!("more than {limit}")),
        limits
            .maximum
            .as_ref()
            .map(|limit| format!("at most {limit}")),
        (limits.exclusive_maximum.as_ref()).map(|limit| format!("less than {limit}")),
        limits
            .min_length
            .map(|limit| format!("at least {limit} characters")),
        limits
            .max_length
            .map(|limit| format!("at most {limit} characters")),
        limits
            .min_items
            .map(|limit| format!("at least {limit} items")),
        limits
            .max_items
            .map(|limit| format!("at most {limit} items")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "no limit".to_owned()
    } else {
        parts.join(" and ")
    }
}
