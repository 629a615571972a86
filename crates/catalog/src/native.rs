//! The native format: its keys, and how they are read.

use std::collections::HashSet;

use herald_diagnostics::Diagnostic;

use crate::contract::{
    ContractFile, Format, Located, Metric, StateMachine, TopicSettings, Transition, WrittenEvent,
    WrittenOperation,
};
use crate::field_reader::FieldReader;
use crate::fields::Privacy;
use crate::instrument::Instrument;
use crate::resolve::unknown_state;
use crate::rules;
use crate::shape::{Key, MAX_INTEGER, MapShape, Shape};
use crate::version::Version;
use crate::volume::{Range, Volume};
use crate::yaml::Yaml;

/// A contract of the native format.
pub(crate) static CONTRACT: MapShape = MapShape {
    name: "contract",
    doc: "What one node announces: its kind, service, operations, states, metrics and events.",
    keys: &[
        Key::new("node_type", Shape::Word(&["effect", "compute", "reducer", "orchestrator"]), "Kind of the node: `effect`, `compute`, `reducer` or `orchestrator`. It begins the event types of generated events.").required().rules(&rules::KIND_MISSING, &rules::KIND_UNKNOWN),
        Key::new("service_name", Shape::Text, "Name of the service, in topics and in the names of generated files.").required().rules(&rules::NAME_MISSING, &rules::NAME_MISSING),
        Key::new("description", Shape::Text, "For people; the first lines of generated documentation."),
        Key::new("version", Shape::OneOf(&[Shape::Version, Shape::Map(&SEMVER)]), "Version of the contract. Its major number, at least 1, ends the topics of generated events.").default("\"1.0.0\""),
        Key::new("node_version", Shape::OneOf(&[Shape::Version, Shape::Map(&SEMVER)]), "Version of the node's code."),
        Key::new("namespace", Shape::Text, "Namespace at the start of topics, such as `dev` or `prod`. Left out, the running service says it."),
        Key::new("operations", Shape::List(&OPERATION_OR_NAME), "What the node does. Each operation announces that it started, completed or failed.").default("[]"),
        Key::new("include_state_events", Shape::Bool, "Whether the node announces changes of its state.").default("true"),
        Key::new("include_metric_events", Shape::Bool, "Whether the node announces metrics.").default("true"),
        Key::new("states", Shape::OneOf(&[Shape::List(&Shape::Text), Shape::Map(&STATES)]), "States of the node: their names, or names with transitions."),
        Key::new("metrics", Shape::List(&METRIC_OR_NAME), "Metrics that the node records."),
        Key::new("events", Shape::List(&EVENT_OR_TYPE), "Events that the node announces beside those of its operations, states and metrics."),
        Key::new("definitions", Shape::Dict(&Shape::Map(&DEFINITION)), "Named groups of fields. A field has one for its type by its name: `Customer`, `list[Customer]`, `Customer | null`."),
        Key::new("instrument", Shape::Map(&INSTRUMENT), "What instrumented operations announce, where they don't say it themselves."),
        Key::new("volume", Shape::Map(&VOLUME), "How much the node publishes, for `herald volume`."),
        Key::new("redact", Shape::List(&Shape::Text), "Regular expressions of secrets in error messages, beside the built-in ones. Case does not matter. No look-around, no inline flags."),
    ],
};

static SEMVER: MapShape = MapShape {
    name: "version",
    doc: "A semantic version in three numbers.",
    keys: &[
        Key::new(
            "major",
            Shape::Integer(0),
            "Changes when consumers have to.",
        )
        .required(),
        Key::new(
            "minor",
            Shape::Integer(0),
            "Changes when something was added.",
        )
        .default("0"),
        Key::new(
            "patch",
            Shape::Integer(0),
            "Changes when something was mended.",
        )
        .default("0"),
    ],
};

static OPERATION_OR_NAME: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&OPERATION)]);

static OPERATION: MapShape = MapShape {
    name: "operation",
    doc: "One thing that the node does.",
    keys: &[
        Key::new(
            "name",
            Shape::Text,
            "Name in event types; identifiers are made from it.",
        )
        .required(),
        Key::new("description", Shape::Text, "For people."),
        Key::new(
            "input",
            FIELDS,
            "Fields of the input. Only their types are published, unless a field is public.",
        ),
        Key::new(
            "result",
            FIELDS,
            "Fields of the result. Only their types are published, unless a field is public.",
        ),
        Key::new(
            "instrument",
            Shape::Map(&INSTRUMENT),
            "What the operation announces when it is instrumented.",
        ),
        Key::new("per_request", PER_REQUEST, "Runs in a request."),
        Key::new(
            "failure_ratio",
            Shape::Range(1),
            "Share of its runs that fail.",
        ),
    ],
};

const PER_REQUEST: Shape = Shape::Range(MAX_INTEGER);

static VOLUME: MapShape = MapShape {
    name: "volume",
    doc: "How much a node publishes. A number, or the lowest and the highest: `[20, 80]`.",
    keys: &[
        Key::new(
            "requests_per_second",
            Shape::Range(MAX_INTEGER),
            "Requests that the node serves in a second.",
        ),
        Key::new(
            "state_changes_per_request",
            PER_REQUEST,
            "Changes of its state in a request.",
        ),
        Key::new(
            "metrics_per_request",
            PER_REQUEST,
            "Measured values in a request, of all metrics. Left out, the sum of what each metric says.",
        ),
        Key::new(
            "failure_ratio",
            Shape::Range(1),
            "Share of runs that fail, of operations that don't say it.",
        ),
        Key::new(
            "retention",
            Shape::Duration,
            "How long events are kept, of topics that have no `retention.ms`.",
        ),
        Key::new(
            "replication_factor",
            Shape::Integer(1),
            "Number of replicas, of topics that don't say it.",
        ),
        Key::new(
            "partition_bytes_per_second",
            Shape::Integer(1),
            "Bytes that one partition is to take in a second.",
        )
        .default("10000000"),
        Key::new(
            "consumer_events_per_second",
            Shape::Integer(1),
            "Events that one consumer handles in a second. Left out, consumers need no partitions.",
        ),
    ],
};

static INSTRUMENT: MapShape = MapShape {
    name: "instrument",
    doc: "What an instrumented operation announces.",
    keys: &[
        Key::new(
            "events",
            Shape::Word(&["all", "outcomes", "failures"]),
            "Which of its events are published: `all`, `outcomes` (completed and failed) or `failures`.",
        )
        .default("\"all\""),
        Key::new(
            "sample_started",
            Shape::Share,
            "Share of calls whose start is announced, from 0 to 1. How they end always is.",
        )
        .default("1"),
        Key::new(
            "fields",
            Shape::Labels,
            "Texts, numbers and booleans that stand in the metadata of each event.",
        ),
    ],
};

static DEFINITION: MapShape = MapShape {
    name: "definition",
    doc: "A named group of fields.",
    keys: &[
        Key::new("description", Shape::Text, "For people."),
        Key::new(
            "fields",
            FIELDS,
            "Its fields. Each is as public as the field that has this type, unless it is private.",
        )
        .required(),
    ],
};

const FIELDS: Shape = Shape::Dict(&FIELD_OR_TYPE);

static FIELD_OR_TYPE: Shape = Shape::OneOf(&FIELD_FORMS);

static FIELD_FORMS: [Shape; 3] = [Shape::Text, Shape::List(&Shape::Scalar), Shape::Map(&FIELD)];

static FIELD: MapShape = MapShape {
    name: "field",
    doc: "One field: its type and what else is known of it.",
    keys: &[
        Key::new(
            "type",
            Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Scalar)]),
            "Type such as `uuid`, `list[string]` or `integer | null`. Left out, any value passes.",
        ),
        Key::new("description", Shape::Text, "For people."),
        Key::new(
            "required",
            Shape::Bool,
            "Whether it must be there. By default it must, unless it has a default.",
        ),
        Key::new(
            "default",
            Shape::Any,
            "Value that stands in when it is left out.",
        ),
        Key::new(
            "enum",
            Shape::List(&Shape::Scalar),
            "The texts that it may be.",
        ),
        Key::new(
            "items",
            Shape::OneOf(&FIELD_FORMS),
            "Type of a list's items.",
        ),
        Key::new("minimum", Shape::Number, "The least number."),
        Key::new("maximum", Shape::Number, "The greatest number."),
        Key::new(
            "exclusive_minimum",
            Shape::Number,
            "Numbers have to be greater than this.",
        ),
        Key::new(
            "exclusive_maximum",
            Shape::Number,
            "Numbers have to be less than this.",
        ),
        Key::new(
            "min_length",
            Shape::Integer(0),
            "Characters that a text has at least.",
        ),
        Key::new(
            "max_length",
            Shape::Integer(0),
            "Characters that a text has at most.",
        ),
        Key::new(
            "pattern",
            Shape::Text,
            "Regular expression that is found in a text; `^` and `$` make it match all of it. Only what every language reads in the same way: `[0-9]`, not `\\d`.",
        ),
        Key::new(
            "min_items",
            Shape::Integer(0),
            "Items that a list has at least.",
        ),
        Key::new(
            "max_items",
            Shape::Integer(0),
            "Items that a list has at most.",
        ),
        Key::new("nullable", Shape::Bool, "Whether null passes too.").default("false"),
        Key::new(
            "privacy",
            Shape::Word(&["public", "private"]),
            "Whether the value may leave the process or only the name of its type. By default inputs and results are private, payloads of events public.",
        ),
    ],
};

static STATES: MapShape = MapShape {
    name: "states",
    doc: "States of the node and the ways between them.",
    keys: &[
        Key::new("names", Shape::List(&Shape::Text), "All states.").required(),
        Key::new("initial", Shape::Text, "The state that the node begins in."),
        Key::new(
            "terminal",
            Shape::List(&Shape::Text),
            "States that nothing follows.",
        ),
        Key::new(
            "transitions",
            Shape::List(&Shape::Map(&TRANSITION)),
            "The ways that are allowed. Left out, all are.",
        ),
    ],
};

static TRANSITION: MapShape = MapShape {
    name: "transition",
    doc: "A way from one state to another.",
    keys: &[
        Key::new("from", Shape::Text, "The state before; `*` means any.").required(),
        Key::new("to", Shape::Text, "The state after.").required(),
        Key::new("trigger", Shape::Text, "What sets it off."),
    ],
};

static METRIC_OR_NAME: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&METRIC)]);

static METRIC: MapShape = MapShape {
    name: "metric",
    doc: "A metric that the node records.",
    keys: &[
        Key::new("name", Shape::Text, "Its name.").required(),
        Key::new(
            "unit",
            Shape::Text,
            "Unit of its values, such as `ms` or `messages`.",
        ),
        Key::new("description", Shape::Text, "For people."),
        Key::new("per_request", PER_REQUEST, "Values in a request."),
    ],
};

static EVENT_OR_TYPE: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&EVENT)]);

static EVENT: MapShape = MapShape {
    name: "event",
    doc: "An event that the contract declares itself.",
    keys: &[
        Key::new("event_type", Shape::Text, "Event type on the wire.").required(),
        Key::new(
            "topic",
            Shape::Text,
            "Topic; `{namespace}` may stand in it. Left out, it follows the topic pattern.",
        ),
        Key::new("description", Shape::Text, "For people."),
        Key::new(
            "payload",
            FIELDS,
            "Fields of the payload. Left out, the payload is open.",
        ),
        Key::new(
            "partition_key",
            Shape::Text,
            "Field of the payload whose value decides the partition. Left out, the correlation id does.",
        ),
        Key::new(
            "topic_settings",
            Shape::Map(&TOPIC_SETTINGS),
            "How the topic should be made.",
        ),
        Key::new(
            "schema_ref",
            Shape::Text,
            "Name of the payload's model in your code.",
        ),
        Key::new("per_request", PER_REQUEST, "How many of it in a request."),
    ],
};

static TOPIC_SETTINGS: MapShape = MapShape {
    name: "topic_settings",
    doc: "How a topic should be made.",
    keys: &[
        Key::new("partitions", Shape::Integer(1), "Number of partitions."),
        Key::new(
            "replication_factor",
            Shape::Integer(1),
            "Number of replicas.",
        ),
        Key::new(
            "config",
            Shape::Dict(&Shape::Scalar),
            "Topic configuration of Kafka, such as `retention.ms`.",
        ),
    ],
};

/// Reads a contract of the native format.
pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> ContractFile {
    CONTRACT.check(yaml, diagnostics);
    let reader = FieldReader::new(yaml, Format::Native);
    let instrument = yaml
        .get("instrument")
        .map_or_else(Instrument::default, |written| {
            Instrument::default().overridden(written)
        });
    ContractFile {
        format: Format::Native,
        location: yaml.head(),
        name: text_at(yaml, "service_name"),
        kind: yaml
            .get("node_type")
            .and_then(Yaml::as_str)
            .and_then(|word| word.parse().ok()),
        contract_version: yaml.get("version").and_then(read_version),
        node_version: yaml.get("node_version").and_then(read_version),
        namespace: text_at(yaml, "namespace"),
        description: text(yaml, "description"),
        operations: list(yaml, "operations")
            .iter()
            .filter_map(|operation| read_operation(operation, &reader, &instrument, diagnostics))
            .collect(),
        state_events: yaml
            .get("include_state_events")
            .and_then(Yaml::as_bool)
            .unwrap_or(true),
        metric_events: yaml
            .get("include_metric_events")
            .and_then(Yaml::as_bool)
            .unwrap_or(true),
        states: yaml
            .get("states")
            .map(|states| read_states(states, diagnostics)),
        metrics: list(yaml, "metrics")
            .iter()
            .filter_map(|metric| read_metric(metric, diagnostics))
            .collect(),
        events: list(yaml, "events")
            .iter()
            .filter_map(|event| read_event(event, &reader, diagnostics))
            .collect(),
        consumed: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        definitions: reader.definitions(yaml, diagnostics),
        volume: yaml
            .get("volume")
            .map_or_else(Volume::default, |volume| Volume::read(volume, diagnostics)),
        redact: list(yaml, "redact")
            .iter()
            .filter_map(Located::read)
            .collect(),
    }
}

fn read_operation(
    yaml: &Yaml,
    reader: &FieldReader<'_>,
    instrument: &Instrument,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<WrittenOperation> {
    let mut fields = |key: &str| {
        yaml.get(key).map_or_else(Vec::new, |f| {
            reader.fields(f, Privacy::Private, diagnostics)
        })
    };
    Some(WrittenOperation {
        name: Located::read(if yaml.is_mapping() {
            yaml.get("name")?
        } else {
            yaml
        })?,
        description: text(yaml, "description"),
        input: fields("input"),
        result: fields("result"),
        instrument: yaml
            .get("instrument")
            .map_or_else(|| instrument.clone(), |own| instrument.overridden(own)),
        per_request: range(yaml, "per_request", diagnostics),
        failure_ratio: range(yaml, "failure_ratio", diagnostics),
        sources: vec!["operations"],
    })
}

fn range(yaml: &Yaml, key: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Range> {
    Range::read(yaml.get(key)?, diagnostics)
}

fn read_states(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> StateMachine {
    let written = if yaml.is_mapping() {
        list(yaml, "names")
    } else {
        yaml.items()
    };
    let mut states = Vec::new();
    let mut known = HashSet::new();
    for name in written.iter().filter_map(Located::read) {
        if known.insert(name.value.clone()) {
            states.push(name.value);
        }
    }
    let terminal = || list(yaml, "terminal").iter().filter_map(Located::read);
    let initial = text_at(yaml, "initial");
    for end in initial.iter().cloned().chain(terminal()) {
        if !known.contains(&end.value) {
            diagnostics.push(unknown_state(&end, &states, diagnostics));
        }
    }
    StateMachine {
        source: "states",
        location: yaml.head(),
        states,
        initial: initial.map(|state| state.value),
        terminal: terminal().map(|state| state.value).collect(),
        transitions: list(yaml, "transitions")
            .iter()
            .filter_map(read_transition)
            .collect(),
    }
}

fn read_transition(yaml: &Yaml) -> Option<Transition> {
    Some(Transition {
        from: text_at(yaml, "from")?,
        to: text_at(yaml, "to")?,
        trigger: text(yaml, "trigger"),
    })
}

fn read_metric(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Metric> {
    Some(Metric {
        name: Located::read(if yaml.is_mapping() {
            yaml.get("name")?
        } else {
            yaml
        })?,
        unit: text(yaml, "unit"),
        description: text(yaml, "description"),
        per_request: range(yaml, "per_request", diagnostics),
    })
}

fn read_event(
    yaml: &Yaml,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<WrittenEvent> {
    let event_type = Located::read(if yaml.is_mapping() {
        yaml.get("event_type")?
    } else {
        yaml
    })?;
    Some(WrittenEvent {
        location: event_type.location,
        event_type: Some(event_type),
        topic: text_at(yaml, "topic"),
        description: text(yaml, "description"),
        payload: yaml.get("payload").map_or_else(Vec::new, |fields| {
            reader.fields(fields, Privacy::Public, diagnostics)
        }),
        partition_key: text_at(yaml, "partition_key"),
        settings: yaml
            .get("topic_settings")
            .map(|s| TopicSettings::read(s, "config")),
        roles: Vec::new(),
        schema_ref: text(yaml, "schema_ref"),
        per_request: range(yaml, "per_request", diagnostics),
        sources: vec!["events"],
    })
}

fn read_version(yaml: &Yaml) -> Option<Version> {
    if yaml.is_mapping() {
        Version::read_parts(yaml)
    } else {
        Version::read(yaml)
    }
}

fn text_at(yaml: &Yaml, key: &str) -> Option<Located<String>> {
    yaml.get(key).and_then(Located::read)
}

fn text(yaml: &Yaml, key: &str) -> Option<String> {
    text_at(yaml, key).map(|text| text.value)
}

fn list<'a>(yaml: &'a Yaml, key: &str) -> &'a [Yaml] {
    yaml.get(key).map(Yaml::items).unwrap_or_default()
}
