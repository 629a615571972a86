//! Event categories and their stages: the one table of the events that Herald defines.
//!
//! A [`Stage`] is everything about one event: its event type, the occasion on which it is
//! published, the arguments of the publishing method, and the fields of its payload. Generated code, the payload classes of
//! `herald.runtime`, the templates of methods and the volume estimate are made from these rows.

use crate::instrument::InstrumentedEvents;
use crate::kind::Kind;

/// A family of events that every node, or every operation of a node, publishes in the same way.
#[derive(Debug, PartialEq, Eq)]
pub struct Category {
    /// Key in catalogs.
    pub key: &'static str,
    /// Title for people, lowercase.
    pub title: &'static str,
    /// Whether it repeats for each operation.
    pub per_operation: bool,
    /// `event_category` in the metadata of envelopes; `None` where the metadata name the
    /// operation and its stage instead.
    pub metadata_category: Option<&'static str>,
    /// The events that it consists of; empty for those that contracts declare themselves.
    pub stages: &'static [&'static Stage],
}

/// One event of a category.
#[derive(Debug, PartialEq, Eq)]
pub struct Stage {
    /// Name in views and catalogs: `operation_started`.
    pub pattern: &'static str,
    /// Last part of the event type, behind the kind and the operation.
    pub event_type: &'static str,
    /// Last part of identifiers, behind the operation; the whole identifier without one.
    pub ident: &'static str,
    /// Occasion on which it is published.
    pub occasion: Occasion,
    /// Level at which the log reports that it was published.
    pub log_level: LogLevel,
    /// Arguments of the publishing method, in order.
    pub arguments: &'static [Argument],
    /// Fields of the payload, in order. `metadata` may follow.
    pub payload: &'static [PayloadField],
    /// Fields of the payload that the metadata of the envelope repeat, in order.
    pub repeated_in_metadata: &'static [&'static str],
    /// Python class of the payload that consumers receive.
    pub received_class: &'static str,
    /// Name of the class of its received events.
    pub received_event: &'static str,
    /// Docstring of that class.
    pub received_summary: &'static str,
}

/// Occasion on which an event is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A run of an operation starts.
    Start,
    /// A run of an operation completes.
    Completion,
    /// A run of an operation fails.
    Failure,
    /// Something happens that is not a run of an operation, such as a change of state.
    Always,
}

/// Level of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `DEBUG`.
    Debug,
    /// `INFO`.
    Info,
    /// `ERROR`.
    Error,
}

/// An argument of a publishing method.
#[derive(Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: ArgumentType,
    /// Its description, for docstrings.
    pub description: &'static str,
}

/// Type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentType {
    /// A UUID.
    Uuid,
    /// A UUID, or nothing by default.
    OptionalUuid,
    /// Text.
    Text,
    /// A number.
    Number,
    /// An exception.
    Error,
    /// Fields: the model that the contract declares for this part, or a mapping.
    Data(Part),
    /// A mapping, or nothing by default.
    Metadata,
}

/// Part of a contract that declares the fields of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Input of an operation.
    Input,
    /// Result of an operation.
    Result,
    /// Payload of a declared event.
    Payload,
}

/// A field of a payload.
#[derive(Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// Its name.
    pub name: &'static str,
    /// Type of its value.
    pub ty: PayloadType,
    /// Its value.
    pub value: PayloadValue,
    /// Whether it is always there; else only where its argument is given.
    pub required: bool,
    /// Its description, where the name does not say everything.
    pub description: Option<&'static str>,
}

/// Type of a value in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadType {
    /// Text.
    Text,
    /// A UUID, as text.
    Uuid,
    /// A timestamp in RFC 3339.
    Timestamp,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// An object.
    Object,
}

/// Value of a field of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadValue {
    /// Name of the operation.
    Operation,
    /// Kind of the node.
    NodeType,
    /// Id of the node.
    NodeId,
    /// Time of the event.
    Now,
    /// An argument of the publishing method.
    Argument(&'static str),
    /// Fields of an argument: public values, and of private ones the names of their types.
    Summary(&'static str, Part),
    /// Name of the type of the `error`.
    ErrorType,
    /// Text of the `error`, with secrets masked.
    ErrorMessage,
    /// A constant.
    Flag(bool),
}

impl PayloadField {
    const fn new(name: &'static str, ty: PayloadType, value: PayloadValue) -> Self {
        Self {
            name,
            ty,
            value,
            required: true,
            description: None,
        }
    }

    const fn argument(name: &'static str, ty: PayloadType) -> Self {
        Self::new(name, ty, PayloadValue::Argument(name))
    }

    const fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    const fn described(self, description: &'static str) -> Self {
        Self {
            description: Some(description),
            ..self
        }
    }
}

impl Argument {
    const fn new(name: &'static str, ty: ArgumentType, description: &'static str) -> Self {
        Self {
            name,
            ty,
            description,
        }
    }
}

const CORRELATION_ID_ARGUMENT: Argument = Argument::new(
    "correlation_id",
    ArgumentType::Uuid,
    "Ties together the events of one request.",
);
const EXECUTION_TIME_ARGUMENT: Argument = Argument::new(
    "execution_time_ms",
    ArgumentType::Number,
    "How long the operation took, in milliseconds.",
);
const METADATA_ARGUMENT: Argument = Argument::new(
    "metadata",
    ArgumentType::Metadata,
    "More facts, published as they are.",
);

const OPERATION: PayloadField =
    PayloadField::new("operation", PayloadType::Text, PayloadValue::Operation);
const CORRELATION_ID: PayloadField = PayloadField::argument("correlation_id", PayloadType::Uuid);
const NODE_ID: PayloadField = PayloadField::new("node_id", PayloadType::Text, PayloadValue::NodeId);
const NODE_TYPE: PayloadField =
    PayloadField::new("node_type", PayloadType::Text, PayloadValue::NodeType);
const EXECUTION_TIME: PayloadField =
    PayloadField::argument("execution_time_ms", PayloadType::Number);

const fn time(name: &'static str) -> PayloadField {
    PayloadField::new(name, PayloadType::Timestamp, PayloadValue::Now)
}

const fn success(value: bool) -> PayloadField {
    PayloadField::new("success", PayloadType::Boolean, PayloadValue::Flag(value))
}

/// A run of an operation started.
pub static OPERATION_STARTED: Stage = Stage {
    pattern: "operation_started",
    event_type: "started",
    ident: "started",
    occasion: Occasion::Start,
    log_level: LogLevel::Debug,
    arguments: &[
        CORRELATION_ID_ARGUMENT,
        Argument::new(
            "input_data",
            ArgumentType::Data(Part::Input),
            "Input of the operation; only the types of its values are published.",
        ),
        METADATA_ARGUMENT,
    ],
    payload: &[
        OPERATION,
        CORRELATION_ID,
        NODE_ID,
        time("started_at"),
        PayloadField::new(
            "input_summary",
            PayloadType::Object,
            PayloadValue::Summary("input_data", Part::Input),
        )
        .described("Input; private fields are replaced by the names of their types."),
    ],
    repeated_in_metadata: &[],
    received_class: "OperationStarted",
    received_event: "OperationStartedEvent",
    received_summary: "Payload of an event that an operation started.",
};

/// A run of an operation completed.
pub static OPERATION_COMPLETED: Stage = Stage {
    pattern: "operation_completed",
    event_type: "completed",
    ident: "completed",
    occasion: Occasion::Completion,
    log_level: LogLevel::Info,
    arguments: &[
        CORRELATION_ID_ARGUMENT,
        Argument::new(
            "result_data",
            ArgumentType::Data(Part::Result),
            "Result of the operation; only the types of its values are published.",
        ),
        EXECUTION_TIME_ARGUMENT,
        METADATA_ARGUMENT,
    ],
    payload: &[
        OPERATION,
        CORRELATION_ID,
        NODE_ID,
        time("completed_at"),
        EXECUTION_TIME,
        PayloadField::new(
            "result_summary",
            PayloadType::Object,
            PayloadValue::Summary("result_data", Part::Result),
        )
        .described("Result; private fields are replaced by the names of their types."),
        success(true),
    ],
    repeated_in_metadata: &["execution_time_ms"],
    received_class: "OperationCompleted",
    received_event: "OperationCompletedEvent",
    received_summary: "Payload of an event that an operation completed.",
};

/// A run of an operation failed.
pub static OPERATION_FAILED: Stage = Stage {
    pattern: "operation_failed",
    event_type: "failed",
    ident: "failed",
    occasion: Occasion::Failure,
    log_level: LogLevel::Error,
    arguments: &[
        CORRELATION_ID_ARGUMENT,
        Argument::new(
            "error",
            ArgumentType::Error,
            "What went wrong; secrets in its text are masked.",
        ),
        EXECUTION_TIME_ARGUMENT,
        METADATA_ARGUMENT,
    ],
    payload: &[
        OPERATION,
        CORRELATION_ID,
        NODE_ID,
        time("failed_at"),
        EXECUTION_TIME,
        PayloadField::new("error_type", PayloadType::Text, PayloadValue::ErrorType),
        PayloadField::new(
            "error_message",
            PayloadType::Text,
            PayloadValue::ErrorMessage,
        ),
        success(false),
    ],
    repeated_in_metadata: &["error_type", "execution_time_ms"],
    received_class: "OperationFailed",
    received_event: "OperationFailedEvent",
    received_summary: "Payload of an event that an operation failed.",
};

/// The state of a node changed.
pub static STATE_CHANGED: Stage = Stage {
    pattern: "state_changed",
    event_type: "state.changed",
    ident: "state_changed",
    occasion: Occasion::Always,
    log_level: LogLevel::Info,
    arguments: &[
        CORRELATION_ID_ARGUMENT,
        Argument::new("old_state", ArgumentType::Text, "The state before."),
        Argument::new("new_state", ArgumentType::Text, "The state after."),
        Argument::new(
            "transition_reason",
            ArgumentType::Text,
            "Why the state changed.",
        ),
        METADATA_ARGUMENT,
    ],
    payload: &[
        NODE_ID,
        NODE_TYPE,
        CORRELATION_ID,
        time("changed_at"),
        PayloadField::argument("old_state", PayloadType::Text),
        PayloadField::argument("new_state", PayloadType::Text),
        PayloadField::argument("transition_reason", PayloadType::Text),
    ],
    repeated_in_metadata: &["old_state", "new_state"],
    received_class: "StateChanged",
    received_event: "StateChangedEvent",
    received_summary: "Payload of an event that the state of a node changed.",
};

/// A value was measured.
pub static METRIC_RECORDED: Stage = Stage {
    pattern: "metric_recorded",
    event_type: "metric.recorded",
    ident: "metric_recorded",
    occasion: Occasion::Always,
    log_level: LogLevel::Debug,
    arguments: &[
        Argument::new("metric_name", ArgumentType::Text, "What was measured."),
        Argument::new("metric_value", ArgumentType::Number, "The measured value."),
        Argument::new(
            "metric_unit",
            ArgumentType::Text,
            "Unit of the value, such as `ms`.",
        ),
        Argument::new(
            "correlation_id",
            ArgumentType::OptionalUuid,
            "The request that was measured, if it was one.",
        ),
        METADATA_ARGUMENT,
    ],
    payload: &[
        NODE_ID,
        NODE_TYPE,
        time("recorded_at"),
        PayloadField::argument("metric_name", PayloadType::Text),
        PayloadField::argument("metric_value", PayloadType::Number),
        PayloadField::argument("metric_unit", PayloadType::Text),
        CORRELATION_ID.optional(),
    ],
    repeated_in_metadata: &["metric_name", "metric_unit"],
    received_class: "MetricRecorded",
    received_event: "MetricRecordedEvent",
    received_summary: "Payload of a metric event.",
};

/// Arguments of the methods that publish declared events.
pub static DECLARED_ARGUMENTS: [Argument; 3] = [
    CORRELATION_ID_ARGUMENT,
    Argument::new(
        "event_data",
        ArgumentType::Data(Part::Payload),
        "Payload of the event.",
    ),
    METADATA_ARGUMENT,
];

/// The events of each operation.
pub static OPERATION_LIFECYCLE: Category = Category {
    key: "operation_lifecycle",
    title: "operation lifecycle",
    per_operation: true,
    metadata_category: None,
    stages: &[&OPERATION_STARTED, &OPERATION_COMPLETED, &OPERATION_FAILED],
};

/// `state.changed` of the node.
pub static STATE_EVENTS: Category = Category {
    key: "state_events",
    title: "state events",
    per_operation: false,
    metadata_category: Some("state_transition"),
    stages: &[&STATE_CHANGED],
};

/// `metric.recorded` of the node.
pub static METRIC_EVENTS: Category = Category {
    key: "metric_events",
    title: "metric events",
    per_operation: false,
    metadata_category: Some("metric"),
    stages: &[&METRIC_RECORDED],
};

/// The events that the contract declares itself.
pub static DECLARED: Category = Category {
    key: "declared",
    title: "declared events",
    per_operation: false,
    metadata_category: Some("declared"),
    stages: &[],
};

/// All categories, in the order of catalogs.
pub static CATEGORIES: [&Category; 4] = [
    &OPERATION_LIFECYCLE,
    &STATE_EVENTS,
    &METRIC_EVENTS,
    &DECLARED,
];

/// Name of the pattern that consists of all categories.
pub const ALL_EVENTS: &str = "events";

/// Returns the stages of all categories, in the order of catalogs.
pub fn stages() -> impl Iterator<Item = &'static Stage> {
    CATEGORIES
        .into_iter()
        .flat_map(|category| category.stages)
        .copied()
}

/// Returns the categories with these names: keys of categories, or [`ALL_EVENTS`].
///
/// # Errors
/// The first name that no category has.
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
    /// Returns the event type: `{kind}.{operation}.{stage}`, or `{kind}.{stage}`.
    pub fn event_type_of(&self, kind: Kind, operation: Option<&str>) -> String {
        match operation {
            Some(operation) => format!("{kind}.{operation}.{}", self.event_type),
            None => format!("{kind}.{}", self.event_type),
        }
    }

    /// Returns the identifier: `{operation}_{stage}`, or `{stage}`.
    pub fn ident_of(&self, operation: Option<&str>) -> String {
        match operation {
            Some(operation) => format!("{operation}_{}", self.ident),
            None => self.ident.to_owned(),
        }
    }

    /// Returns the part of the contract that declares the fields of its data argument.
    pub fn part(&self) -> Option<Part> {
        self.arguments.iter().find_map(Argument::part)
    }
}

impl Argument {
    /// Returns the part of the contract that declares its fields, where it is such an argument.
    pub fn part(&self) -> Option<Part> {
        match self.ty {
            ArgumentType::Data(part) => Some(part),
            _ => None,
        }
    }
}

impl Occasion {
    /// Returns whether an operation that publishes `events` publishes on this occasion.
    pub fn is_published(self, events: InstrumentedEvents) -> bool {
        match self {
            Self::Start => events == InstrumentedEvents::All,
            Self::Completion => events != InstrumentedEvents::Failures,
            Self::Failure | Self::Always => true,
        }
    }

    /// Returns whether it occurs in a run that completes.
    pub fn is_in_completed_run(self) -> bool {
        match self {
            Self::Start | Self::Completion => true,
            Self::Failure | Self::Always => false,
        }
    }
}

impl LogLevel {
    /// Returns the name of the level in Python.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Error => "ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_values_name_arguments_of_their_stage() {
        for stage in stages() {
            let has = |name: &str| stage.arguments.iter().any(|argument| argument.name == name);
            for field in stage.payload {
                let argument = match field.value {
                    PayloadValue::Argument(name) | PayloadValue::Summary(name, _) => name,
                    PayloadValue::ErrorType | PayloadValue::ErrorMessage => "error",
                    _ => continue,
                };
                assert!(has(argument), "{}: {}", stage.pattern, field.name);
            }
        }
    }

    #[test]
    fn metadata_repeat_fields_of_the_payload() {
        for stage in stages() {
            for name in stage.repeated_in_metadata {
                let mut fields = stage.payload.iter();
                assert!(fields.any(|field| field.name == *name), "{}", stage.pattern);
            }
        }
    }
}
