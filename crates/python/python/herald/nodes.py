"""What contracts mean: nodes, what they do and what they announce."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from herald import _herald

Kind = Literal["effect", "compute", "reducer", "orchestrator"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an input, a result or a payload."""

    name: str
    type: str
    """In Herald's own words, such as `list[string] | null`."""
    spelling: str
    """The type as the contract spells it."""
    required: bool
    limits: Mapping[str, Any]
    """What is allowed of its values, by the keys of contracts, such as `max_length`."""
    default: Any
    description: str | None
    privacy: Literal["public", "private"]
    """Of private fields only the type's name is published."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A named group of fields, which other fields have for their type."""

    name: str
    ident: str
    """In identifiers."""
    description: str | None
    fields: tuple[Field, ...]
    """Each is as public as the field that has this type, unless it is private."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What an instrumented operation announces."""

    events: Literal["all", "outcomes", "failures"]
    sample_started: float
    """Share of calls whose start is announced."""
    fields: Mapping[str, str | int | float | bool]
    """In the metadata of each event."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a node does."""

    name: str
    ident: str
    """In identifiers."""
    description: str | None
    input: tuple[Field, ...]
    result: tuple[Field, ...]
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How a topic should be made."""

    partitions: int | None
    replication_factor: int | None
    kafka_config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """One thing that a node announces."""

    event_type: str
    topic: str
    """With `{namespace}` where the deployment fills in its own; see `topic_in`."""
    category: str
    """`operation_lifecycle`, `state_events`, `metric_events` or `declared`."""
    ident: str
    """In identifiers."""
    operation: str | None = None
    """Name of the operation that it is about."""
    description: str | None = None
    fields: tuple[Field, ...] = ()
    """Payload of a declared event; empty where it is open."""
    partition_key: str | None = None
    """Field of the payload whose value is the partition key."""
    schema_ref: str | None = None
    """Model of the payload that the contract names."""
    topic_settings: TopicSettings | None = None

    def topic_in(self, namespace: str) -> str:
        """The whole name of the topic in a namespace such as `dev`."""
        return self.topic.replace("{namespace}", namespace)


@dataclass(frozen=True, slots=True)
class Consumed:
    """A topic that a node reads."""

    topic: str
    event_type: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that the contract names."""

    name: str
    unit: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one state to another."""

    source: str
    target: str
    trigger: str | None


@dataclass(frozen=True, slots=True)
class StateMachine:
    """The states of a node."""

    states: tuple[str, ...]
    initial: str | None
    terminal: tuple[str, ...]
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """What one contract means."""

    path: str
    """The contract, as diagnostics name it."""
    format: Literal["native", "onex"]
    fingerprint: str
    """Identifies what the contract says."""
    name: str | None
    slug: str
    """The name in those of generated files."""
    contract_version: str | None
    node_version: str | None
    kind: Kind | None
    """`None` where the contract doesn't say it, or says what nobody knows."""
    service_name: str
    """In the topics of generated events."""
    namespace: str | None
    """Of its topics, where contract or project set one."""
    description: str | None
    operations: tuple[Operation, ...]
    events: tuple[EventDefinition, ...]
    """By category, in the order of the catalog."""
    consumed: tuple[Consumed, ...]
    state_machine: StateMachine | None
    metrics: tuple[Metric, ...]
    inputs: Mapping[str, str]
    """Fields of an ONEX contract's input, and how their types are spelled."""
    outputs: Mapping[str, str]
    definitions: tuple[Definition, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Names of its states."""
        return self.state_machine.states if self.state_machine else ()

    @property
    def event_type_catalog(self) -> dict[str, list[str]]:
        """The event types of every category."""
        catalog: dict[str, list[str]] = {
            category: [] for category in _herald.categories()
        }
        for event in self.events:
            catalog[event.category].append(event.event_type)
        return catalog


def read_nodes(document: str) -> tuple[Node, ...]:
    """Nodes from the JSON of `herald inspect`."""
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
