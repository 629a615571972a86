"""Native part of the package."""

import asyncio
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Final, Self, final
from uuid import UUID

from herald._settings import Settings
from herald.errors import PublishError
from herald.events import Event

__version__: Final[str]

def to_json(value: object, /) -> bytes:
    """Serializes a value to the JSON of event payloads."""

def payload_json(payload: object, /) -> bytes:
    """Serializes an event payload, which must be a JSON object."""

def run_command(arguments: list[str], /) -> int: ...
def new_id() -> tuple[int, str]: ...
def warm_up(event: Event, raw: dict[str, object], settings: Settings, /) -> None: ...
def stop_logging() -> None: ...
def wait_for_detached() -> None: ...
def before_fork() -> None: ...
def after_fork() -> None: ...

@final
class TokenAnswer:
    """Receiver of the token of a provider, or of the reason why there is none."""

    def token(self, text: str, end: float | None = None) -> None: ...
    def failed(self, problem: str) -> None: ...

@final
class Redactor:
    """The built-in table of secrets, with patterns beside it."""

    def __new__(cls, patterns: list[str], /) -> Self: ...
    def redact(self, text: str, /) -> str: ...

@final
class Receipt:
    """Proof that an event is safe: acknowledged by the cluster, or flushed to the local
    spool. Always truthy.
    """

    @property
    def is_delivered(self) -> bool:
        """Whether all in-sync replicas of the cluster have acknowledged the event."""
    @property
    def is_spooled(self) -> bool:
        """Whether the event is flushed to the local spool, from where it is delivered
        later.
        """
    @property
    def topic(self) -> str | None:
        """Topic of a delivered event."""
    @property
    def partition(self) -> int | None:
        """Partition of a delivered event."""
    @property
    def offset(self) -> int | None:
        """Offset of a delivered event."""
    @property
    def sequence(self) -> int | None:
        """Sequence number in the spool, for `herald spool show SEQUENCE`."""
    @property
    def event_id(self) -> str | None:
        """Event id as text; `None` for a raw message."""
    def __bool__(self) -> bool: ...
    def __reduce__(self) -> tuple[object, ...]: ...
    def __hash__(self) -> int: ...

@final
class PendingReceipt:
    """Receipt of an event in flight."""

    def result(self, timeout: float | None = None) -> Receipt:
        """Waits for the receipt, at most `timeout` seconds: then a `TimeoutError` is
        raised, and the event is still in flight.
        """
    def done(self) -> bool:
        """Whether `result` returns at once."""

@final
class BrokerStats:
    """Work of the native transport with one broker, on the present connection."""

    id: int
    """Id of the broker."""
    address: str
    """Its address: `host:port`."""
    is_connected: bool
    """Whether it takes requests now."""
    connections: int
    """Connections that were made."""
    requests: int
    """Requests with events."""
    in_flight: int
    """Number of them without an answer."""
    batches: int
    """Batches in these requests: events of one partition."""
    repeated_batches: int
    """Batches of them that had been sent before."""
    records: int
    """Events in these batches."""
    record_bytes: int
    """Bytes of the events before compression."""
    request_bytes: int
    """Bytes of the requests."""
    latency: float
    """Seconds from a request to its answer: a moving average over the last ones."""
    throttled: float
    """Seconds for which the broker took nothing because of a quota."""

@final
class Stats:
    """Statistics of a client since it connected."""

    published: int
    """Events accepted: each has got a receipt or an error, or will."""
    delivered: int
    """Receipts from the cluster."""
    spooled: int
    """Receipts from the spool."""
    failed: int
    """Events that ended with an error."""
    drained: int
    """Spooled events that the cluster has acknowledged, including those of earlier
    processes.
    """
    retried: int
    """Failed delivery attempts of spooled events that are retried."""
    dead: int
    """Events that the cluster rejects permanently."""
    lost: int
    """Events with a receipt of the spool that were lost, because its files were damaged
    or replaced while it was in use.
    """
    in_flight: int
    """Events waiting for their receipt."""
    in_flight_bytes: int
    """Their bytes."""
    reachable: bool
    """Whether the cluster is considered reachable."""
    outages: int
    """Number of times the cluster became unreachable."""
    spool_records: int
    """Events queued in the spool; 0 without a spool."""
    spool_bytes: int
    """Their bytes."""
    spool_dead: int
    """Dead letters in the spool."""
    spool_oldest_age: float | None
    """Age of the oldest event queued in the spool, in seconds; `None` if it is empty.
    """
    spool_failure: str | None
    """Code of the error for which the spool accepts no events now, such as
    `spool_disk_full`; `None` if all is well.
    """
    latency_p50: float
    """Median time from publishing to the cluster's acknowledgement, in seconds."""
    latency_p99: float
    """99th percentile of that time, in seconds."""
    latency_max: float
    """Maximum of that time, in seconds."""
    brokers: list[BrokerStats]
    """Work of the native transport with each broker, by id; empty with librdkafka."""

@final
class SpoolStatus:
    """Status of a spool as of its last commit."""

    path: str
    """Path of its file."""
    records: int
    """Events queued."""
    bytes: int
    """Their bytes."""
    dead: int
    """Dead letters."""
    dead_bytes: int
    """Their bytes."""
    oldest: float | None
    """Time of the oldest queued event, in seconds since 1970."""
    file_bytes: int
    """Size of its files on disk, in bytes."""
    owner: int | None
    """Process id of the owner, if known."""

@final
class CompletionQueue:
    def __new__(cls, event_loop: asyncio.AbstractEventLoop) -> Self: ...
    @staticmethod
    def with_waker(
        event_loop: asyncio.AbstractEventLoop,
    ) -> tuple[CompletionQueue, LoopWaker]: ...
    def fileno(self) -> int: ...
    def process(self) -> None: ...
    def __len__(self) -> int: ...

@final
class LoopWaker:
    def wait(self) -> bool: ...

@final
class PreparedEvent:
    def enqueue(
        self,
        correlation_id: UUID | str,
        causation_id: UUID | str | None,
        fields: object,
        milliseconds: float,
        /,
    ) -> str | None: ...

@final
class Publisher:
    def __new__(cls, settings: Settings, topics: list[str]) -> Self: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def is_owner_process(self) -> bool: ...
    def check_topics(
        self, topics: list[str], namespace: str | None, wait: bool
    ) -> None: ...
    def publish(
        self,
        queue: CompletionQueue,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None,
        correlation_id: UUID | str | None,
        metadata: object | None,
        traceparent: str | None,
    ) -> asyncio.Future[Receipt]: ...
    def publish_event(
        self, queue: CompletionQueue, event: Event
    ) -> asyncio.Future[Receipt]: ...
    def publish_raw(
        self, queue: CompletionQueue, raw: dict[str, object]
    ) -> asyncio.Future[Receipt]: ...
    def publish_many(
        self, queue: CompletionQueue, events: list[Event]
    ) -> asyncio.Future[list[Receipt | PublishError]]: ...
    def enqueue(self, event: Event) -> PendingReceipt: ...
    def try_enqueue(
        self,
        queue: CompletionQueue | None,
        event: Event,
        traceparent: str | None,
        on_error: Callable[[PublishError], object],
        block: bool,
    ) -> bool: ...
    def prepare(
        self,
        sample: Any,
        slots: Sequence[str],
        public: dict[str, None] | None,
        json_value: Callable[[Any], Any],
        published: Callable[[object], dict[Any, Any]],
        traceparent: Callable[[], str | None],
        on_error: Callable[[str, PublishError], object],
    ) -> PreparedEvent: ...
    def enqueue_raw(self, raw: dict[str, object]) -> PendingReceipt: ...
    def send_many(self, events: list[Event]) -> list[Receipt | PublishError]: ...
    def stats(self) -> Stats: ...
    def spool(self) -> SpoolStatus | None: ...
    def undelivered(self) -> int: ...
    def close(self, seconds: float) -> tuple[int, int, int]: ...

@final
class MemoryCluster:
    """In-memory cluster for the clients of this process: no ports, no waiting, and
    failures on demand. Topics are created when they are first written to.
    """

    def __new__(cls, partitions: int = 3) -> Self: ...
    def stop(self) -> None:
        """Makes the cluster unreachable, like a stopped broker."""
    def start(self) -> None:
        """Makes the cluster reachable again."""
    def pause(self) -> None:
        """Freezes the cluster: connections stay open, and nothing is acknowledged."""
    def resume(self) -> None:
        """Continues after `pause`."""
    def set_delay(self, seconds: float) -> None:
        """Delays each acknowledgement by a number of seconds."""
    def refuse(self, topic: str) -> None:
        """Rejects all messages of a topic permanently, like a missing authorization."""
    def accept(self, topic: str) -> None:
        """Accepts messages of a topic again."""
    def messages(
        self, topic: str
    ) -> list[tuple[int, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
        """Returns the messages of a topic in write order: partition, offset, key,
        value, headers.
        """
    def written(
        self, skip: int = 0
    ) -> list[tuple[str, int, int, bytes | None, bytes, list[tuple[str, bytes]]]]:
        """Returns the messages of all topics in write order, without the first `skip`:
        topic, then the values of `messages`.
        """

@final
class DevCluster:
    """Kafka-compatible cluster in this process, reachable over loopback by any client.
    For development and tests: it keeps its records in memory, in limited numbers.
    """

    def __new__(cls, brokers: int = 1) -> Self: ...
    @property
    def bootstrap_servers(self) -> str:
        """Addresses of the brokers."""
    def create_topic(self, name: str, partitions: int = 3) -> None:
        """Creates a topic. Other topics are created with four partitions when first
        written to.
        """
    def take_down(self, broker: int | None = None) -> None:
        """Closes all connections of a broker, counted from 1, or of all brokers, and
        accepts no new ones.
        """
    def bring_up(self, broker: int | None = None) -> None:
        """Accepts connections again."""
    def stop(self) -> None:
        """Stops the cluster and discards its records."""

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
def started_for_service(service_name: object, operation: object) -> str: ...
def completed_for_service(service_name: object, operation: object) -> str: ...
def failed_for_service(service_name: object, operation: object) -> str: ...

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
    def verify(
        self,
        records: list[
            tuple[str, int, int, bytes | None, bytes, list[tuple[str, bytes]]]
        ],
        namespace: str | None,
        allowed: list[str],
    ) -> str: ...
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
