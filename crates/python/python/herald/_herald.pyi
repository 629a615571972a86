"""The part of `herald` that is written in Rust; the modules beside it are its face."""

import asyncio
from collections.abc import Callable
from os import PathLike
from typing import Final, Self, final
from uuid import UUID

from herald._settings import Settings
from herald.errors import PublishError
from herald.events import Event

__version__: Final[str]

def to_json(value: object, /) -> bytes:
    """Any value as the JSON that stands for it in the payload of an event."""

def payload_json(payload: object, /) -> bytes:
    """The payload of an event as JSON: it has to be an object."""

def run_command(arguments: list[str], /) -> int: ...
def start_logging() -> None: ...
def stop_logging() -> None: ...
def wait_at_end() -> None: ...
def before_fork() -> None: ...
def after_fork() -> None: ...

@final
class Receipt:
    """Proof that an event is safe: the cluster has it, or the local disk. Always
    true.
    """

    @property
    def is_delivered(self) -> bool:
        """Whether all in-sync replicas of the cluster have it."""
    @property
    def is_spooled(self) -> bool:
        """Whether the local disk has it, from where it goes to the cluster."""
    @property
    def topic(self) -> str | None:
        """Where the cluster has it."""
    @property
    def partition(self) -> int | None:
        """Partition of the topic."""
    @property
    def offset(self) -> int | None:
        """Offset in the partition."""
    @property
    def sequence(self) -> int | None:
        """Its number in the spool: `herald spool show SEQUENCE`."""
    @property
    def event_id(self) -> str | None:
        """The event's identity; `None` for a raw message."""
    def __bool__(self) -> bool: ...
    def __reduce__(self) -> tuple[object, ...]: ...
    def __hash__(self) -> int: ...

@final
class PendingReceipt:
    """A receipt that is not there yet."""

    def result(self, timeout: float | None = None) -> Receipt:
        """Waits for the receipt, for ever or for so many seconds: then it is a
        `TimeoutError`, and the event is still on its way.
        """
    def done(self) -> bool:
        """Whether `result` would return at once."""

@final
class Stats:
    """What a client has done since it was connected, and what it is doing."""

    published: int
    """Events that were taken: each has got a receipt or an error, or will."""
    delivered: int
    """Receipts of the cluster."""
    spooled: int
    """Receipts of the spool."""
    failed: int
    """Events that ended as errors."""
    drained: int
    """Events of the spool that the cluster acknowledged, also those of earlier
    processes.
    """
    retried: int
    """Tries of spooled events that failed and will be repeated."""
    dead: int
    """Events that the cluster will never take."""
    in_flight: int
    """Events that wait for their receipt."""
    in_flight_bytes: int
    """Their bytes."""
    reachable: bool
    """Whether the cluster is taken to be reachable."""
    outages: int
    """How often it was found unreachable."""
    spool_records: int
    """Events in the spool's queue; 0 without a spool."""
    spool_bytes: int
    """Their bytes."""
    spool_dead: int
    """Dead letters in the spool."""
    spool_oldest_age: float | None
    """Age of the oldest event in the spool's queue, in seconds."""
    latency_p50: float
    """Median of the time from publishing to the cluster's receipt, in seconds."""
    latency_p99: float
    """99 of 100 receipts of the cluster took no longer, in seconds."""
    latency_max: float
    """The longest, in seconds."""

@final
class SpoolStatus:
    """What a spool holds, as last committed."""

    path: str
    """Its file."""
    records: int
    """Events in the queue."""
    bytes: int
    """Their bytes."""
    dead: int
    """Dead letters."""
    dead_bytes: int
    """Their bytes."""
    oldest: float | None
    """When the first event in the queue came to be, in seconds since 1970."""
    file_bytes: int
    """What its files take on the disk, in bytes."""
    owner: int | None
    """The process that has it open, where that is known."""

@final
class Mailbox:
    def __new__(cls, event_loop: asyncio.AbstractEventLoop) -> Self: ...
    def fileno(self) -> int: ...
    def deliver(self) -> None: ...
    def __len__(self) -> int: ...

@final
class Publisher:
    def __new__(cls, settings: Settings) -> Self: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def is_here(self) -> bool: ...
    def publish(
        self,
        mailbox: Mailbox,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None,
        correlation_id: UUID | str | None,
        metadata: object | None,
        traceparent: str | None,
    ) -> asyncio.Future[Receipt]: ...
    def publish_event(
        self, mailbox: Mailbox, event: Event
    ) -> asyncio.Future[Receipt]: ...
    def publish_raw(
        self, mailbox: Mailbox, raw: dict[str, object]
    ) -> asyncio.Future[Receipt]: ...
    def publish_many(
        self, mailbox: Mailbox, events: list[Event]
    ) -> asyncio.Future[list[Receipt | PublishError]]: ...
    def enqueue(self, event: Event) -> PendingReceipt: ...
    def try_enqueue(
        self,
        mailbox: Mailbox | None,
        event: Event,
        traceparent: str | None,
        on_error: Callable[[PublishError], object],
        wait_for_room: bool,
    ) -> bool: ...
    def enqueue_raw(self, raw: dict[str, object]) -> PendingReceipt: ...
    def send_many(self, events: list[Event]) -> list[Receipt | PublishError]: ...
    def stats(self) -> Stats: ...
    def spool(self) -> SpoolStatus | None: ...
    def undelivered(self) -> int: ...
    def close(self, seconds: float) -> tuple[int, int, int]: ...

@final
class MemoryCluster:
    """A cluster in this process that only one client reaches: no ports, no waiting,
    and it fails when it is told to. Topics come into being as they are written to.
    """

    def __new__(cls, partitions: int = 3) -> Self: ...
    def stop(self) -> None:
        """Takes the cluster away, as a stopped broker."""
    def start(self) -> None:
        """Brings it back."""
    def pause(self) -> None:
        """Freezes it: nobody is told, and nothing is acknowledged."""
    def resume(self) -> None:
        """Goes on after `pause`."""
    def set_delay(self, seconds: float) -> None:
        """Lets each acknowledgement take so many seconds."""
    def refuse(self, topic: str) -> None:
        """Refuses all messages of a topic for good, as for a missing authorisation."""
    def accept(self, topic: str) -> None:
        """Takes them again."""
    def messages(
        self, topic: str
    ) -> list[tuple[int, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
        """Everything in a topic, in the order of writing: partition, offset, key,
        value, headers.
        """
    def written(
        self, skip: int = 0
    ) -> list[tuple[str, int, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
        """What was written to all topics, in the order of writing, without the first
        `skip`: topic, then as `messages`.
        """

@final
class DevCluster:
    """A Kafka-compatible cluster in this process that any client reaches over
    loopback. It is for development and tests: it keeps everything in memory, and not
    much of it.
    """

    def __new__(cls, brokers: int = 1) -> Self: ...
    @property
    def bootstrap_servers(self) -> str:
        """Where its brokers are."""
    def create_topic(self, name: str, partitions: int = 3) -> None:
        """Creates a topic. Others come into being, with four partitions, as they are
        written to.
        """
    def take_down(self, broker: int | None = None) -> None:
        """Cuts all connections of a broker, counted from 1, or of all brokers."""
    def bring_up(self, broker: int | None = None) -> None:
        """Takes connections again."""
    def stop(self) -> None:
        """Ends it, with all that it holds."""

# The generator: herald.codegen.patterns

@final
class PatternGenerator:
    def __new__(
        cls,
        node_type: object,
        service_name: object,
        operations: object,
        include_state_events: object,
        include_metric_events: object,
    ) -> PatternGenerator: ...
    def imports(self) -> str: ...
    def all_methods(self) -> str: ...
    def module(self) -> str: ...
    def started(self, operation: object) -> str: ...
    def completed(self, operation: object) -> str: ...
    def failed(self, operation: object) -> str: ...
    def state_changed(self) -> str: ...
    def metric_recorded(self) -> str: ...
    def catalog(self) -> dict[str, list[str]]: ...

def join_imports(texts: list[str]) -> str: ...
def started_of_service(service_name: object, operation: object) -> str: ...
def completed_of_service(service_name: object, operation: object) -> str: ...
def failed_of_service(service_name: object, operation: object) -> str: ...

@final
class MetricsGenerator:
    def __new__(
        cls,
        node_type: object,
        service_name: object,
        operations: object,
        business_metrics: object,
        publish_interval_ops: object,
        publish_interval_seconds: object,
        include_resource_metrics: object,
    ) -> MetricsGenerator: ...
    def imports(self) -> str: ...
    def all_methods(self) -> str: ...
    def module(self) -> str: ...
    def initialization(self) -> str: ...
    def operations(self) -> str: ...
    def resources(self) -> str: ...
    def business(self) -> str: ...
    def publishing(self) -> str: ...
    def decorator(self) -> str: ...

@final
class LifecycleGenerator:
    def __new__(
        cls,
        node_type: object,
        service_name: object,
        operations: object,
        dependencies: object,
        background_tasks: object,
        include_metrics: object,
        include_health_checks: object,
        monitor_interval_seconds: object,
        heartbeat_interval_seconds: object,
        drain_timeout_seconds: object,
    ) -> LifecycleGenerator: ...
    def imports(self) -> str: ...
    def all_methods(self) -> str: ...
    def module(self) -> str: ...
    def init(self) -> str: ...
    def startup(self) -> str: ...
    def shutdown(self) -> str: ...
    def monitoring(self) -> str: ...
    def helpers(self) -> str: ...

# Contracts: herald.contracts, herald.output

@final
class Loaded:
    @property
    def usable(self) -> bool: ...
    def nodes(self) -> str: ...
    def diagnostics(self) -> str: ...
    def skipped(self) -> list[str]: ...
    def generate(
        self, targets: list[str], models: str | None, standalone: bool | None
    ) -> tuple[str, list[tuple[str, str]]]: ...

def load(
    paths: list[str] | None,
    config: str | PathLike[str] | None,
) -> Loaded: ...
def load_text(
    text: str,
    name: str,
    config: str | PathLike[str] | None,
) -> Loaded: ...
def targets() -> list[tuple[str, str, str]]: ...
def categories() -> list[str]: ...
