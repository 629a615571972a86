"""Nodes, the parsed form of contracts, with their operations and events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from herald import _herald

Kind = Literal["effect", "compute", "reducer", "orchestrator"]


@dataclass(frozen=True, slots=True)
class Field:
    """Field of an input, a result or a payload."""

    name: str
    type: str
    """Type in Herald's notation, such as `list[string] | null`."""
    spelling: str
    """Type in the contract's spelling."""
    required: bool
    limits: Mapping[str, Any]
    """Limits of its values by their contract keys, such as `max_length`."""
    default: Any
    description: str | None
    privacy: Literal["public", "private"]
    """For private fields only the name of the type is published."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Named group of fields, used as the type of other fields."""

    name: str
    ident: str
    """Name in identifiers."""
    description: str | None
    fields: tuple[Field, ...]
    """Fields. Each is as public as the field of this type, unless it is private."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Settings of an instrumented operation."""

    events: Literal["all", "outcomes", "failures"]
    sample_started: float
    """Share of calls whose start is published."""
    fields: Mapping[str, str | int | float | bool]
    """Metadata of each event."""
    error_text: Literal["masked", "omitted"] = "masked"
    """Texts of errors in failed events and in the log."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Operation of a node."""

    name: str
    ident: str
    """Name in identifiers."""
    description: str | None
    input: tuple[Field, ...]
    result: tuple[Field, ...]
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """Settings for creating a topic."""

    partitions: int | None
    replication_factor: int | None
    kafka_config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """Event that a node publishes."""

    event_type: str
    topic: str
    """Topic with the placeholder `{namespace}`; see `topic_in`."""
    category: str
    """`operation_lifecycle`, `state_events`, `metric_events` or `declared`."""
    ident: str
    """Name in identifiers."""
    version: int = 1
    """Version of the event; with the event type its identity."""
    operation: str | None = None
    """Operation of a lifecycle event."""
    description: str | None = None
    fields: tuple[Field, ...] = ()
    """Payload of a declared event; empty if it is open."""
    partition_key: str | None = None
    """Payload field with the partition key."""
    schema_ref: str | None = None
    """Payload model named by the contract."""
    topic_settings: TopicSettings | None = None

    def topic_in(self, namespace: str) -> str:
        """Returns the topic's full name in a namespace such as `dev`."""
        return self.topic.replace("{namespace}", namespace)


@dataclass(frozen=True, slots=True)
class Consumed:
    """Topic that a node consumes."""

    topic: str
    event_type: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """Metric of the contract."""

    name: str
    unit: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """Transition between two states."""

    source: str
    target: str
    trigger: str | None


@dataclass(frozen=True, slots=True)
class StateMachine:
    """State machine of a node."""

    states: tuple[str, ...]
    initial: str | None
    terminal: tuple[str, ...]
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """Node of one contract."""

    path: str
    """Path of the contract, as in diagnostics."""
    format: Literal["native", "onex"]
    fingerprint: str
    """Hash of the contract's content."""
    name: str | None
    slug: str
    """Name in the paths of generated files."""
    contract_version: str | None
    node_version: str | None
    kind: Kind | None
    """Kind; `None` if it is missing or unknown."""
    service_name: str
    """Service name in topics of generated events."""
    namespace: str | None
    """Namespace of its topics, if the contract or the project sets one."""
    description: str | None
    operations: tuple[Operation, ...]
    events: tuple[EventDefinition, ...]
    """Events by category, in catalog order."""
    consumed: tuple[Consumed, ...]
    state_machine: StateMachine | None
    metrics: tuple[Metric, ...]
    inputs: Mapping[str, str]
    """Input fields of an ONEX contract, with their types as spelled."""
    outputs: Mapping[str, str]
    definitions: tuple[Definition, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states."""
        return self.state_machine.states if self.state_machine else ()

    @property
    def event_type_catalog(self) -> dict[str, list[str]]:
        """Event types by category."""
        catalog: dict[str, list[str]] = {
            category: [] for category in _herald.categories()
        }
        for event in self.events:
            catalog[event.category].append(event.event_type)
        return catalog


def read_nodes(document: str) -> tuple[Node, ...]:
    """Parse the JSON of `herald inspect`."""
    return tuple(map(_node, json.loads(document)))


def _node(written: dict[str, Any]) -> Node:
    identity = written["identity"]
    return Node(
        path=written["path"],
        format=written["format"],
        fingerprint=written["fingerprint"],
        name=identity["name"],
        slug=identity["slug"],
        contract_version=identity["contract_version"],
        node_version=identity["node_version"],
        kind=written["kind"],
        service_name=written["service_name"],
        namespace=written["namespace"],
        description=written["description"],
        operations=tuple(map(_operation, written["operations"])),
        # In the order of categories, declared events are the last.
        events=(
            *(EventDefinition(**event) for event in written["generated"]),
            *map(_declared, written["published"]),
        ),
        consumed=tuple(
            Consumed(topic["topic"], topic["event_type"])
            for topic in written["consumed"]
        ),
        state_machine=_state_machine(written),
        metrics=tuple(Metric(**metric) for metric in written["metrics"]),
        inputs=written["fields"].get("inputs", {}),
        outputs=written["fields"].get("outputs", {}),
        definitions=tuple(map(_definition, written["definitions"])),
    )


def _operation(written: dict[str, Any]) -> Operation:
    return Operation(
        name=written["name"],
        ident=written["ident"],
        description=written["description"],
        input=_fields(written["input"]),
        result=_fields(written["result"]),
        instrument=Instrument(**written["instrument"]),
    )


def _definition(written: dict[str, Any]) -> Definition:
    return Definition(
        name=written["name"],
        ident=written["ident"],
        description=written["description"],
        fields=_fields(written["fields"]),
    )


def _declared(written: dict[str, Any]) -> EventDefinition:
    settings = written["topic_config"]
    return EventDefinition(
        event_type=written["event_type"],
        topic=written["topic"],
        category="declared",
        ident=written["ident"],
        version=written["version"],
        description=written["description"],
        fields=_fields(written["payload_fields"] or {}),
        partition_key=written["partition_key"],
        schema_ref=written["schema_ref"],
        topic_settings=TopicSettings(**settings) if settings else None,
    )


def _fields(written: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(Field(name=name, **about) for name, about in written.items())


def _state_machine(written: dict[str, Any]) -> StateMachine | None:
    machine = written["fsm"]
    if machine is None:
        return None
    return StateMachine(
        states=tuple(written["states"]),
        initial=machine["initial"],
        terminal=tuple(machine["terminal"]),
        transitions=tuple(
            Transition(way["from"], way["to"], way["trigger"])
            for way in machine["transitions"]
        ),
    )
