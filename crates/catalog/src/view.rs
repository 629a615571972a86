//! Views of the parts of a contract, as data: for `herald inspect`, for templates and for Python.
//!
//! Both documents are built from these structs: [`document`](crate::document) arranges them by
//! name, the views of templates as lists.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::contract::{Metric, StateMachine, Transition};
use crate::fields::{Definition, Field, Limits, Type};
use crate::instrument::Instrument;
use crate::{Consumed, Operation};

/// Arrangement of the fields of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A list of fields, types in their parts: templates iterate over it.
    List,
    /// An object by the names of fields, types in words.
    ByName,
}

/// Fields of an input, a result, a payload or a definition.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The fields, in the order of the contract.
    pub fields: &'a [Field],
    /// Their arrangement.
    pub layout: Layout,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.layout {
            Layout::List => serializer.collect_seq(self.fields.iter().map(ListedField::new)),
            Layout::ByName => {
                let fields = self.fields.iter();
                serializer.collect_map(fields.map(|field| (&field.name, NamedField::new(field))))
            }
        }
    }
}

/// A field in a list.
#[derive(Debug, Serialize)]
struct ListedField<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: TypeView<'a>,
    required: bool,
    limits: &'a Limits,
    default: Option<&'a Value>,
    description: Option<&'a str>,
    privacy: &'static str,
}

impl<'a> ListedField<'a> {
    fn new(field: &'a Field) -> Self {
        Self {
            name: &field.name,
            ty: TypeView::new(&field.ty),
            required: field.required,
            limits: &field.limits,
            default: field.default.as_ref(),
            description: field.description.as_deref(),
            privacy: field.privacy.as_str(),
        }
    }
}

/// A field below its name.
#[derive(Debug, Serialize)]
struct NamedField<'a> {
    #[serde(rename = "type")]
    ty: String,
    spelling: &'a str,
    required: bool,
    #[serde(serialize_with = "set_limits")]
    limits: &'a Limits,
    default: Option<&'a Value>,
    description: Option<&'a str>,
    privacy: &'static str,
}

impl<'a> NamedField<'a> {
    fn new(field: &'a Field) -> Self {
        Self {
            ty: field.ty.to_string(),
            spelling: &field.spelling,
            required: field.required,
            limits: &field.limits,
            default: field.default.as_ref(),
            description: field.description.as_deref(),
            privacy: field.privacy.as_str(),
        }
    }
}

/// Serializes the limits that are set.
fn set_limits<S: Serializer>(limits: &Limits, serializer: S) -> Result<S::Ok, S::Error> {
    limits_that_are_set(limits).serialize(serializer)
}

/// Returns the limits that are set, by their keys in contracts.
fn limits_that_are_set(limits: &Limits) -> Value {
    let mut value = serde_json::to_value(limits).unwrap_or_default();
    let mut open = vec![&mut value];
    while let Some(Value::Object(limits)) = open.pop() {
        limits.retain(|_, limit| !limit.is_null());
        open.extend(limits.get_mut("items"));
    }
    value
}

/// A type in its parts. Names that a kind does not use are null or empty.
#[derive(Debug, Serialize)]
struct TypeView<'a> {
    kind: Cow<'static, str>,
    text: String,
    items: Option<Box<TypeView<'a>>>,
    values: Vec<Value>,
    model: Option<&'a str>,
    members: Vec<TypeView<'a>>,
}

impl<'a> TypeView<'a> {
    fn new(ty: &'a Type) -> Self {
        let view = |kind: &'static str| Self {
            kind: Cow::Borrowed(kind),
            text: ty.to_string(),
            items: None,
            values: Vec::new(),
            model: None,
            members: Vec::new(),
        };
        match ty {
            Type::List(item) | Type::Map(item) => Self {
                items: Some(Box::new(Self::new(item))),
                ..view(if matches!(ty, Type::List(_)) {
                    "list"
                } else {
                    "map"
                })
            },
            Type::Enum(values) => Self {
                values: values
                    .iter()
                    .map(|text| Value::from(text.as_str()))
                    .collect(),
                ..view("enum")
            },
            Type::Numbers(values) => Self {
                values: values.iter().cloned().map(Value::Number).collect(),
                ..view("enum")
            },
            Type::Scalar(scalar) => Self {
                text: scalar.name.clone(),
                ..Self::new(&scalar.ty)
            },
            Type::Defined(name) => Self {
                model: Some(name),
                ..view("defined")
            },
            Type::Model(name) => Self {
                model: Some(name),
                ..view("model")
            },
            Type::Union(members) => Self {
                members: members.iter().map(Self::new).collect(),
                ..view("union")
            },
            simple => Self {
                kind: Cow::Owned(simple.to_string()),
                ..view("")
            },
        }
    }
}

/// An operation of a node.
#[derive(Debug, Serialize)]
pub struct OperationView<'a> {
    name: &'a str,
    ident: &'a str,
    description: Option<&'a str>,
    input: Fields<'a>,
    result: Fields<'a>,
    instrument: InstrumentView<'a>,
}

impl<'a> OperationView<'a> {
    /// Creates the view of an operation.
    pub fn new(operation: &'a Operation, layout: Layout) -> Self {
        let fields = |fields| Fields { fields, layout };
        Self {
            name: &operation.name,
            ident: &operation.ident,
            description: operation.description.as_deref(),
            input: fields(&operation.input),
            result: fields(&operation.result),
            instrument: InstrumentView::new(&operation.instrument),
        }
    }
}

/// Events that an instrumented operation publishes.
#[derive(Debug, Serialize)]
struct InstrumentView<'a> {
    events: &'static str,
    sample_started: f64,
    #[serde(serialize_with = "pairs")]
    fields: &'a [(String, Value)],
    error_text: &'static str,
}

impl<'a> InstrumentView<'a> {
    fn new(instrument: &'a Instrument) -> Self {
        Self {
            events: instrument.events.as_str(),
            sample_started: instrument.sample_started,
            fields: &instrument.fields,
            error_text: instrument.error_text.as_str(),
        }
    }
}

fn pairs<S: Serializer>(pairs: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in pairs {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// A named group of fields.
#[derive(Debug, Serialize)]
pub struct DefinitionView<'a> {
    name: &'a str,
    ident: &'a str,
    description: Option<&'a str>,
    fields: Fields<'a>,
}

impl<'a> DefinitionView<'a> {
    /// Creates the view of a definition.
    pub fn new(definition: &'a Definition, layout: Layout) -> Self {
        Self {
            name: &definition.name,
            ident: &definition.ident,
            description: definition.description.as_deref(),
            fields: Fields {
                fields: &definition.fields,
                layout,
            },
        }
    }
}

/// A metric that a contract names.
#[derive(Debug, Serialize)]
pub struct MetricView<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> MetricView<'a> {
    /// Creates the view of a metric.
    pub fn new(metric: &'a Metric) -> Self {
        Self {
            name: &metric.name.value,
            unit: metric.unit.as_deref(),
            description: metric.description.as_deref(),
        }
    }
}

/// The ways through the states of a node.
#[derive(Debug, Serialize)]
pub struct StatesView<'a> {
    initial: Option<&'a str>,
    terminal: &'a [String],
    transitions: Vec<TransitionView<'a>>,
}

impl<'a> StatesView<'a> {
    /// Creates the view of a state machine.
    pub fn new(machine: &'a StateMachine) -> Self {
        Self {
            initial: machine.initial.as_deref(),
            terminal: &machine.terminal,
            transitions: machine
                .transitions
                .iter()
                .map(TransitionView::new)
                .collect(),
        }
    }
}

/// A way from one state to another.
#[derive(Debug, Serialize)]
struct TransitionView<'a> {
    from: &'a str,
    to: &'a str,
    trigger: Option<&'a str>,
}

impl<'a> TransitionView<'a> {
    fn new(transition: &'a Transition) -> Self {
        Self {
            from: &transition.from.value,
            to: &transition.to.value,
            trigger: transition.trigger.as_deref(),
        }
    }
}

/// A topic that a node consumes.
#[derive(Debug, Serialize)]
pub struct ConsumedView<'a> {
    topic: &'a str,
    event_type: Option<&'a str>,
}

impl<'a> ConsumedView<'a> {
    /// Creates the view of a consumed topic.
    pub fn new(consumed: &'a Consumed) -> Self {
        Self {
            topic: &consumed.topic,
            event_type: consumed.event_type.as_deref(),
        }
    }
}
