//! The native format: tables of its keys, and the decoder.

use std::collections::HashSet;

use herald_diagnostics::Diagnostic;
use herald_envelope::PROFILE_NAMES;
use herald_envelope::headers::{HeaderSet, NAMES as HEADER_NAMES};

use crate::checks;
use crate::checks::identity::NAME_MISSING;
use crate::checks::kind;
use crate::contract::{Consumed, Format, Located, Metric, StateMachine, TopicSettings, Transition};
use crate::contract_file::{ContractFile, WrittenEvent};
use crate::field_reader::FieldReader;
use crate::fields::Privacy;
use crate::ident::ident;
use crate::instrument::Instrument;
use crate::node::{Declared, Identity, Node, Operation};
use crate::onex::topics::is_conforming;
use crate::payload::{Payload, Surroundings};
use crate::raw_schema::RawSchema;
use crate::shape::{Key, MAX_INTEGER, MapShape, Shape};
use crate::version::Version;
use crate::volume::{Range, Volume};
use crate::yaml::Yaml;

/// A contract of the native format.
pub(crate) static CONTRACT: MapShape = MapShape {
    name: "contract",
    doc: "The contract of one node: its kind, service, operations, states, metrics and events.",
    keys: &[
        Key::new("node_type", Shape::Word(&["effect", "compute", "reducer", "orchestrator"]), "Kind of the node: `effect`, `compute`, `reducer` or `orchestrator`. Event types of generated events begin with it.").required().rules(&kind::MISSING, &kind::UNKNOWN),
        Key::new("service_name", Shape::Text, "Name of the service, in topics and in the names of generated files.").required().rules(&NAME_MISSING, &NAME_MISSING),
        Key::new("description", Shape::Text, "Description for people; the first lines of generated documentation."),
        Key::new("version", Shape::OneOf(&[Shape::Version, Shape::Map(&SEMVER)]), "Version of the contract.").default("\"1.0.0\""),
        Key::new("topic_version", Shape::Integer(1), "Version of the events that follow from operations, states and metrics: the `N` of `.vN` in their topics. Change it when their consumers have to choose between the old and the new form.").default("1"),
        Key::new("node_version", Shape::OneOf(&[Shape::Version, Shape::Map(&SEMVER)]), "Version of the node's code."),
        Key::new("namespace", Shape::Text, "Namespace at the start of topics, such as `dev` or `prod`. Left out, the running service sets it."),
        Key::new("envelope", Shape::Word(&PROFILE_NAMES), "Envelope profile of the events. Left out, the running service sets it."),
        Key::new("headers", Shape::List(&Shape::Word(&HEADER_NAMES)), "Headers of the events, among those whose content is in the envelope too. Left out, the running service sets them."),
        Key::new("operations", Shape::List(&OPERATION_OR_NAME), "Operations of the node. Each publishes events when it started, completed or failed.").default("[]"),
        Key::new("include_state_events", Shape::Bool, "Whether the node publishes changes of its state.").default("true"),
        Key::new("include_metric_events", Shape::Bool, "Whether the node publishes metrics.").default("true"),
        Key::new("states", Shape::OneOf(&[Shape::List(&Shape::Text), Shape::Map(&STATES)]), "States of the node: their names, or names with transitions."),
        Key::new("metrics", Shape::List(&METRIC_OR_NAME), "Metrics that the node records."),
        Key::new("events", Shape::List(&EVENT_OR_TYPE), "Declared events, beside those of operations, states and metrics."),
        Key::new("consumes", Shape::List(&CONSUMED_OR_TOPIC), "Topics that the node consumes, for `herald graph` and `herald breaking`."),
        Key::new("definitions", Shape::Dict(&Shape::Map(&DEFINITION)), "Named groups of fields. Types refer to them by name: `Customer`, `list[Customer]`, `Customer | null`."),
        Key::new("instrument", Shape::Map(&INSTRUMENT), "Events of instrumented operations, unless an operation has its own setting."),
        Key::new("volume", Shape::Map(&VOLUME), "Expected event volume, for `herald volume`."),
        Key::new("redact", Shape::List(&Shape::Text), "Regular expressions of secrets in error messages, beside the built-in ones. Case is ignored. No look-around, no inline flags."),
    ],
};

static SEMVER: MapShape = MapShape {
    name: "version",
    doc: "A semantic version in three numbers.",
    keys: &[
        Key::new(
            "major",
            Shape::Integer(0),
            "Incremented by changes that break consumers.",
        )
        .required(),
        Key::new("minor", Shape::Integer(0), "Incremented by additions.").default("0"),
        Key::new("patch", Shape::Integer(0), "Incremented by fixes.").default("0"),
    ],
};

static OPERATION_OR_NAME: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&OPERATION)]);

static OPERATION: MapShape = MapShape {
    name: "operation",
    doc: "An operation of the node.",
    keys: &[
        Key::new(
            "name",
            Shape::Text,
            "Name in event types; identifiers are made from it.",
        )
        .required(),
        Key::new("description", Shape::Text, "Description for people."),
        Key::new(
            "input",
            FIELDS,
            "Fields of the input, or `{json_schema: FILE#/$defs/NAME}`, or `{python: MODULE:CLASS}`. Only their types are published, unless a field is public.",
        ),
        Key::new(
            "result",
            FIELDS,
            "Fields of the result, or `{json_schema: FILE#/$defs/NAME}`, or `{python: MODULE:CLASS}`. Only their types are published, unless a field is public.",
        ),
        Key::new(
            "instrument",
            Shape::Map(&INSTRUMENT),
            "Events of the operation when it is instrumented.",
        ),
        Key::new("per_request", PER_REQUEST, "Number of runs in a request."),
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
    doc: "Expected event volume. Each number may be a range from the lowest to the highest: `[20, 80]`.",
    keys: &[
        Key::new(
            "requests_per_second",
            Shape::Range(MAX_INTEGER),
            "Requests per second.",
        ),
        Key::new(
            "state_changes_per_request",
            PER_REQUEST,
            "Changes of state in a request.",
        ),
        Key::new(
            "metrics_per_request",
            PER_REQUEST,
            "Measured values in a request, of all metrics. Left out, the sum over the metrics.",
        ),
        Key::new(
            "failure_ratio",
            Shape::Range(1),
            "Share of runs that fail, for operations without their own.",
        ),
        Key::new(
            "retention",
            Shape::Duration,
            "Retention of topics without `retention.ms`.",
        ),
        Key::new(
            "replication_factor",
            Shape::Integer(1),
            "Number of replicas, for topics without their own.",
        ),
        Key::new(
            "partition_bytes_per_second",
            Shape::Integer(1),
            "Bytes per second for one partition.",
        )
        .default("10000000"),
        Key::new(
            "consumer_events_per_second",
            Shape::Integer(1),
            "Events per second that one consumer handles. Left out, consumers don't affect the number of partitions.",
        ),
    ],
};

static INSTRUMENT: MapShape = MapShape {
    name: "instrument",
    doc: "Events of an instrumented operation.",
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
            "Share of calls whose start is published, from 0 to 1. Their end always is.",
        )
        .default("1"),
        Key::new(
            "fields",
            Shape::Labels,
            "Texts, numbers and booleans in the metadata of each event.",
        ),
        Key::new(
            "error_text",
            Shape::Word(&["masked", "omitted"]),
            "Texts of errors in failed events and in the log: `masked` (private values of the input are replaced), or `omitted` (only the type of the error is published).",
        )
        .default("\"masked\""),
    ],
};

// Keys of fields and of named types.
const ENUM: Key = Key::new(
    "enum",
    Shape::List(&Shape::Scalar),
    "The allowed texts or numbers.",
);
const OPEN: Key = Key::new(
    "open",
    Shape::Bool,
    "Whether the list of values will grow: consumers keep values that they do not know.",
)
.default("false");
const MINIMUM: Key = Key::new("minimum", Shape::Number, "Lowest allowed number.");
const MAXIMUM: Key = Key::new("maximum", Shape::Number, "Highest allowed number.");
const EXCLUSIVE_MINIMUM: Key = Key::new(
    "exclusive_minimum",
    Shape::Number,
    "Numbers must be greater than this.",
);
const EXCLUSIVE_MAXIMUM: Key = Key::new(
    "exclusive_maximum",
    Shape::Number,
    "Numbers must be less than this.",
);
const MULTIPLE_OF: Key = Key::new(
    "multiple_of",
    Shape::Integer(1),
    "Whole numbers must be multiples of this.",
);
const MIN_LENGTH: Key = Key::new(
    "min_length",
    Shape::Integer(0),
    "Minimum number of characters.",
);
const MAX_LENGTH: Key = Key::new(
    "max_length",
    Shape::Integer(0),
    "Maximum number of characters.",
);

static DEFINITION: MapShape = MapShape {
    name: "definition",
    doc: "A named group of fields, or a named type of single values, such as an enumeration.",
    keys: &[
        Key::new("description", Shape::Text, "Description for people."),
        Key::new(
            "fields",
            FIELDS,
            "Its fields. Each is as public as the field of this type, unless it is private itself.",
        ),
        Key::new(
            "type",
            Shape::Text,
            "Type of single values: `string`, `integer`, `decimal`, …, with the keys of a field below.",
        ),
        ENUM,
        OPEN,
        MINIMUM,
        MAXIMUM,
        EXCLUSIVE_MINIMUM,
        EXCLUSIVE_MAXIMUM,
        MULTIPLE_OF,
        MIN_LENGTH,
        MAX_LENGTH,
        Key::new(
            "pattern",
            Shape::Text,
            "Regular expression that matches some part of the text, as in fields.",
        ),
    ],
};

const FIELDS: Shape = Shape::Dict(&FIELD_OR_TYPE);

static FIELD_OR_TYPE: Shape = Shape::OneOf(&FIELD_FORMS);

static FIELD_FORMS: [Shape; 3] = [Shape::Text, Shape::List(&Shape::Scalar), Shape::Map(&FIELD)];

static FIELD: MapShape = MapShape {
    name: "field",
    doc: "A field: its type, limits and privacy.",
    keys: &[
        Key::new(
            "type",
            Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Scalar)]),
            "Type such as `uuid`, `list[string]` or `integer | null`. Left out, any value passes.",
        ),
        Key::new("description", Shape::Text, "Description for people."),
        Key::new(
            "required",
            Shape::Bool,
            "Whether it is required. By default it is, unless it has a default.",
        ),
        Key::new(
            "renamed_from",
            Shape::Text,
            "Name that the field had before, so that `herald breaking` reports a new name instead of a field that is gone.",
        ),
        Key::new("default", Shape::Any, "Value of a field that is left out."),
        ENUM,
        OPEN,
        Key::new(
            "fields",
            Shape::Dict(&FIELD_OR_TYPE),
            "Fields of an object without a name of its own.",
        ),
        Key::new(
            "items",
            Shape::OneOf(&FIELD_FORMS),
            "Type of a list's items.",
        ),
        MINIMUM,
        MAXIMUM,
        EXCLUSIVE_MINIMUM,
        EXCLUSIVE_MAXIMUM,
        MULTIPLE_OF,
        MIN_LENGTH,
        MAX_LENGTH,
        Key::new(
            "pattern",
            Shape::Text,
            "Regular expression that matches some part of the text; `^` and `$` make it match all of it. Use only syntax that all languages read in the same way: `[0-9]`, not `\\d`.",
        ),
        Key::new("min_items", Shape::Integer(0), "Minimum number of items."),
        Key::new("max_items", Shape::Integer(0), "Maximum number of items."),
        Key::new(
            "unique_items",
            Shape::Bool,
            "Whether no two items of a list are equal.",
        )
        .default("false"),
        Key::new("nullable", Shape::Bool, "Whether null is allowed.").default("false"),
        Key::new(
            "json_schema",
            Shape::Any,
            "JSON Schema (draft 2020-12, without `$ref`) that values match besides the type.",
        ),
        Key::new(
            "privacy",
            Shape::Word(&["public", "private"]),
            "Whether the value may leave the process, or only the name of its type. By default inputs and results are private, payloads of events public.",
        ),
    ],
};

static STATES: MapShape = MapShape {
    name: "states",
    doc: "States of the node and the transitions between them.",
    keys: &[
        Key::new("names", Shape::List(&Shape::Text), "All states.").required(),
        Key::new("initial", Shape::Text, "The state that the node begins in."),
        Key::new(
            "terminal",
            Shape::List(&Shape::Text),
            "States without a following state.",
        ),
        Key::new(
            "transitions",
            Shape::List(&Shape::Map(&TRANSITION)),
            "Allowed transitions. Left out, all are.",
        ),
    ],
};

static TRANSITION: MapShape = MapShape {
    name: "transition",
    doc: "A transition from one state to another.",
    keys: &[
        Key::new("from", Shape::Text, "The state before it; `*` means any.").required(),
        Key::new("to", Shape::Text, "The state after it.").required(),
        Key::new("trigger", Shape::Text, "Cause of the transition."),
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
        Key::new("description", Shape::Text, "Description for people."),
        Key::new("per_request", PER_REQUEST, "Number of values in a request."),
    ],
};

static EVENT_OR_TYPE: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&EVENT)]);

static EVENT: MapShape = MapShape {
    name: "event",
    doc: "A declared event.",
    keys: &[
        Key::new("event_type", Shape::Text, "Event type on the wire.").required(),
        Key::new(
            "version",
            Shape::Integer(1),
            "Version of the event. One event type may be declared in several versions, each with its own topic and payload. Left out, it is the number at the end of the topic (`.v2`), else 1.",
        ),
        Key::new(
            "topic",
            Shape::Text,
            "Topic; may contain `{namespace}`. Left out, it follows the topic pattern.",
        ),
        Key::new("description", Shape::Text, "Description for people."),
        Key::new(
            "payload",
            FIELDS,
            "Fields of the payload, or `{json_schema: FILE#/$defs/NAME}`, or `{python: MODULE:CLASS}`. Left out, the payload is open.",
        ),
        Key::new(
            "payload_schema",
            Shape::Any,
            "JSON Schema (draft 2020-12, without `$ref`) that payloads match besides their fields.",
        ),
        Key::new(
            "partition_key",
            Shape::Text,
            "Field of the payload whose value decides the partition. Left out, the correlation id does.",
        ),
        Key::new(
            "topic_settings",
            Shape::Map(&TOPIC_SETTINGS),
            "Settings for the creation of the topic.",
        ),
        Key::new(
            "schema_ref",
            Shape::Text,
            "Name of the payload's model in your code.",
        ),
        Key::new("per_request", PER_REQUEST, "Number of events in a request."),
    ],
};

static CONSUMED_OR_TOPIC: Shape = Shape::OneOf(&[Shape::Text, Shape::Map(&CONSUMED)]);

static CONSUMED: MapShape = MapShape {
    name: "consumed",
    doc: "A topic that the node consumes.",
    keys: &[
        Key::new(
            "topic",
            Shape::Text,
            "The topic, with `{namespace}` or without its namespace.",
        )
        .required(),
        Key::new(
            "event_type",
            Shape::Text,
            "Event type that the node waits for. Left out, all of the topic.",
        ),
    ],
};

static TOPIC_SETTINGS: MapShape = MapShape {
    name: "topic_settings",
    doc: "Settings for the creation of a topic.",
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
pub(crate) fn read<'a>(
    yaml: &'a Yaml,
    surroundings: Surroundings<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> ContractFile {
    CONTRACT.check(yaml, diagnostics);
    let reader = FieldReader::new(yaml, Format::Native).within(surroundings);
    let flag = |key: &str| yaml.get(key).and_then(Yaml::as_bool).unwrap_or(true);
    ContractFile {
        name: text_at(yaml, "service_name"),
        namespace: text_at(yaml, "namespace"),
        topic_version: read_number(yaml, "topic_version"),
        state_events: flag("include_state_events"),
        metric_events: flag("include_metric_events"),
        events: list(yaml, "events")
            .iter()
            .filter_map(|event| read_event(event, &reader, diagnostics))
            .collect(),
        redact: list(yaml, "redact")
            .iter()
            .filter_map(Located::read)
            .collect(),
        node: Node {
            // An unknown name is reported with the shape.
            envelope: (yaml.get("envelope").and_then(Yaml::as_str))
                .and_then(|name| name.parse().ok()),
            headers: yaml.get("headers").and_then(read_headers),
            ..read_node(yaml, &reader, diagnostics)
        },
        ..ContractFile::default()
    }
}

/// Reads a list of headers. An unknown name is reported with the shape.
pub fn read_headers(yaml: &Yaml) -> Option<HeaderSet> {
    HeaderSet::of(yaml.items().iter().filter_map(Yaml::as_str)).ok()
}

fn read_node(yaml: &Yaml, reader: &FieldReader<'_>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let instrument = yaml.get("instrument");
    let instrument = instrument.map_or_else(Instrument::default, |written| {
        Instrument::default().overridden(written)
    });
    let word = yaml.get("node_type").and_then(Yaml::as_str);
    let volume = yaml.get("volume");
    Node {
        format: Format::Native,
        identity: Identity {
            contract_version: yaml.get("version").and_then(read_version),
            node_version: yaml.get("node_version").and_then(read_version),
            ..Identity::default()
        },
        kind: word.and_then(|word| word.parse().ok()),
        description: text(yaml, "description"),
        operations: list(yaml, "operations")
            .iter()
            .filter_map(|operation| read_operation(operation, reader, &instrument, diagnostics))
            .collect(),
        states: yaml
            .get("states")
            .map(|states| read_states(states, diagnostics)),
        metrics: list(yaml, "metrics")
            .iter()
            .filter_map(|metric| read_metric(metric, diagnostics))
            .collect(),
        consumed: list(yaml, "consumes")
            .iter()
            .filter_map(read_consumed)
            .collect(),
        definitions: reader.definitions(yaml, diagnostics),
        scalars: reader.scalars(diagnostics),
        volume: volume.map_or_else(Volume::default, |volume| Volume::read(volume, diagnostics)),
        location: yaml.head(),
        ..Node::default()
    }
}

pub(crate) fn read_operation(
    yaml: &Yaml,
    reader: &FieldReader<'_>,
    instrument: &Instrument,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Operation> {
    let name = named(yaml, "name")?;
    let mut fields = |key: &str| {
        yaml.get(key).map_or_else(Payload::default, |f| {
            let owner = format!("{}.{key}", name.value);
            reader.payload(&owner, f, Privacy::Private, diagnostics)
        })
    };
    let (input, result) = (fields("input"), fields("result"));
    Some(Operation {
        ident: ident(&name.value),
        name: name.value,
        description: text(yaml, "description"),
        input: input.fields,
        result: result.fields,
        input_class: input.class,
        result_class: result.class,
        instrument: yaml
            .get("instrument")
            .map_or_else(|| instrument.clone(), |own| instrument.overridden(own)),
        per_request: range(yaml, "per_request", diagnostics),
        failure_ratio: range(yaml, "failure_ratio", diagnostics),
        sources: vec!["operations"],
        location: name.location,
    })
}

/// Reads the name of an item: the item itself, or the text under `key` of a mapping.
fn named(yaml: &Yaml, key: &str) -> Option<Located<String>> {
    if yaml.is_mapping() {
        text_at(yaml, key)
    } else {
        Located::read(yaml)
    }
}

fn range(yaml: &Yaml, key: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<Range> {
    Range::read(yaml.get(key)?, diagnostics)
}

pub(crate) fn read_states(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> StateMachine {
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
            let diagnostic = checks::fsm::unknown_state::unknown(&end, &states, diagnostics);
            diagnostics.push(diagnostic);
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

pub(crate) fn read_metric(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Metric> {
    Some(Metric {
        name: named(yaml, "name")?,
        unit: text(yaml, "unit"),
        description: text(yaml, "description"),
        per_request: range(yaml, "per_request", diagnostics),
    })
}

pub(crate) fn read_event(
    yaml: &Yaml,
    reader: &FieldReader<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<WrittenEvent> {
    let event_type = named(yaml, "event_type")?;
    let payload = yaml
        .get("payload")
        .map(|payload| reader.payload(&event_type.value, payload, Privacy::Public, diagnostics));
    let payload = payload.unwrap_or_default();
    let json_schema = yaml.get("payload_schema");
    let json_schema = json_schema.and_then(|written| RawSchema::read(written, diagnostics));
    Some(WrittenEvent {
        location: event_type.location,
        event_type: Some(event_type),
        version: read_number(yaml, "version"),
        topic: text_at(yaml, "topic"),
        description: text(yaml, "description"),
        partition_key: text_at(yaml, "partition_key"),
        declared: Declared {
            payload: payload.fields,
            json_schema: payload.json_schema.or(json_schema),
            class: payload.class,
            settings: yaml
                .get("topic_settings")
                .map(|settings| TopicSettings::read(settings, "config")),
            schema_ref: text(yaml, "schema_ref"),
            per_request: range(yaml, "per_request", diagnostics),
            sources: vec!["events"],
            ..Declared::default()
        },
    })
}

/// Reads a topic, or `{topic, event_type}`.
pub(crate) fn read_consumed(yaml: &Yaml) -> Option<Consumed> {
    let topic = named(yaml, "topic")?;
    let name = topic.value.strip_prefix("{namespace}.");
    Some(Consumed {
        conforming: is_conforming(&topic.value),
        topic: name.unwrap_or(&topic.value).to_owned(),
        event_type: text(yaml, "event_type"),
        sources: vec!["consumes"],
        location: topic.location,
    })
}

/// Reads a version that is a number of at least 1.
pub(crate) fn read_number(yaml: &Yaml, key: &str) -> Option<u32> {
    let number = yaml.get(key)?.as_u64()?;
    u32::try_from(number).ok().filter(|number| *number > 0)
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
