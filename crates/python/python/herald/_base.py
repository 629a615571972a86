"""Base class of the clients: settings and shutdown."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from herald import _client_registry, _settings
from herald._herald import (
    Publisher,
    Receipt,
    SpoolStatus,
    Stats,
    new_id,
    warm_up,
)
from herald._settings import DEFAULT_SPOOL, CheckTopics, Mode, PathLike
from herald._tokens import TokenProvider
from herald._trace import current_traceparent
from herald.errors import PublishError
from herald.events import Event
from herald.runtime._ids import use_ids
from herald.runtime._source import known_topics

if TYPE_CHECKING:
    from herald._herald import CompletionQueue, MemoryCluster, PreparedEvent

log = logging.getLogger("herald")


class Client:
    """Publishes events to Kafka, and gives a receipt for each.

    With a receipt the event is safe: all in-sync replicas of the cluster have
    acknowledged it, or it is flushed to the spool on the local disk, from where it is
    delivered later, even after a crash. Without a spool, an event that the cluster does
    not acknowledge in time is a `PublishError`.

    Settings that are not given are read from the environment, then from `herald.yaml`
    in the working folder or above it:

    ====================  ==============================================================
    `bootstrap_servers`   `KAFKA_BOOTSTRAP_SERVERS`; `kafka.bootstrap_servers`
    `properties`          of Kafka's clients; they override `KAFKA_SECURITY_PROTOCOL`,
                          `KAFKA_SASL_MECHANISM`, `KAFKA_SASL_USERNAME`,
                          `KAFKA_SASL_PASSWORD`, `KAFKA_SSL_CAFILE` and the like;
                          `kafka.properties`. `env:NAME` and `file:PATH` are read when a
                          connection is made
    `service`             `HERALD_SERVICE`, `OTEL_SERVICE_NAME`; else `unnamed`
    `service_version`     `HERALD_SERVICE_VERSION`; else `0.0.0`
    `environment`         `HERALD_ENVIRONMENT`; else `development`
    `namespace`           `HERALD_NAMESPACE`; `namespace`; else `dev`
    `topic_pattern`       `topic_pattern`
    `envelope`            `HERALD_ENVELOPE`; `envelope`; else `onex-v1`. Events of a
                          contract with an `envelope` have that of the contract
    `headers`             Names of those to write, among the headers that repeat the
                          envelope; `headers`; else all. Events of a contract with
                          `headers` have those of the contract
    `schema_registry`     Schema ids in records: a mapping with `url`, `framing`,
                          `subjects`, `user_info`, `token` and `ca`;
                          `SCHEMA_REGISTRY_URL`, `HERALD_SCHEMA_FRAMING`,
                          `HERALD_SCHEMA_SUBJECTS` and others; `schema_registry`; else
                          records have none
    `spool`               `HERALD_SPOOL`; `spool`; else `herald/SERVICE.db` in the state
                          folder of the user, and without a `service` a `SettingsError`:
                          services must not share one. Several processes get a file
                          each. `None`: no spool
    ====================  ==============================================================

    `mode="write_ahead"` hands each event to Kafka and to the spool at once; the first
    that has it gives the receipt, so no publish waits for Kafka. `deadline` is the
    number of seconds after which an event that the cluster has not acknowledged is
    spooled (2), or is an error without a spool (30). At most `max_in_flight` events
    (20,000) of `max_in_flight_bytes` (64 MiB) are in flight; publishing more waits.

    `check_topics` looks at the start for the topics of all generated modules that the
    program has imported: with `"warn"` those that the cluster does not have are logged,
    with `"error"` they are a `SettingsError`. Topics with a namespace are looked for if
    the client has one. A cluster that does not answer is not an error.

    `token_provider` is a function that returns tokens for logins with `OAUTHBEARER`,
    such as those that a cloud signs: the token, or the token and the end of its
    lifetime in seconds since 1970. It is called in a thread, and again when most of the
    lifetime is over.

    A client may be used from several event loops and threads. A loop without
    `add_reader`, such as asyncio's on Windows, is woken by a thread. A forked child has
    to connect the client again, or to create one of its own.
    """

    def __init__(
        self,
        bootstrap_servers: str | Sequence[str] | None = None,
        *,
        service: str | None = None,
        service_version: str | None = None,
        environment: str | None = None,
        instance: str | None = None,
        region: str | None = None,
        namespace: str | None = None,
        topic_pattern: str | None = None,
        envelope: str | None = None,
        headers: Sequence[str] | None = None,
        schema_registry: str | Mapping[str, str] | None = None,
        spool: PathLike | None = DEFAULT_SPOOL,
        spool_max_bytes: int | None = None,
        mode: Mode = "direct",
        deadline: float | None = None,
        max_in_flight: int | None = None,
        max_in_flight_bytes: int | None = None,
        close_timeout: float = 10.0,
        check_topics: CheckTopics = "off",
        properties: Mapping[str, object] | None = None,
        token_provider: TokenProvider | None = None,
        config: PathLike | None = None,
        cluster: MemoryCluster | None = None,
    ) -> None:
        self._settings = _settings.Settings(
            bootstrap_servers=_settings.servers(bootstrap_servers),
            properties=_settings.properties(properties),
            token_provider=_settings.token_provider(token_provider),
            service=_settings.text("service", service),
            service_version=_settings.text("service_version", service_version),
            environment=_settings.text("environment", environment),
            instance=_settings.text("instance", instance),
            region=_settings.text("region", region),
            namespace=_settings.text("namespace", namespace),
            topic_pattern=_settings.text("topic_pattern", topic_pattern),
            envelope=_settings.text("envelope", envelope),
            headers=_settings.headers(headers),
            schema_registry=_settings.schema_registry(schema_registry),
            spool=_settings.spool(spool),
            spool_max_bytes=_settings.count("spool_max_bytes", spool_max_bytes),
            write_ahead=_settings.write_ahead(mode),
            deadline=_settings.seconds("deadline", deadline),
            max_in_flight=_settings.count("max_in_flight", max_in_flight),
            max_in_flight_bytes=_settings.count(
                "max_in_flight_bytes", max_in_flight_bytes
            ),
            config=_settings.path("config", config),
            cluster=_settings.cluster(cluster),
        )
        self._namespace = namespace or os.environ.get("HERALD_NAMESPACE") or None
        self._close_timeout = _settings.seconds("close_timeout", close_timeout) or 0.0
        self._check_topics = _settings.check_topics(check_topics)
        self._publisher: Publisher | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the client accepts events. The cluster need not be reachable: while
        it is not, events are spooled. See `stats().reachable`.
        """
        return self._publisher is not None and self._publisher.is_open

    @property
    def namespace(self) -> str | None:
        """Namespace of the settings or of `HERALD_NAMESPACE`, which generated
        publishers use too; `None` if neither has one.
        """
        return self._namespace

    def stats(self) -> Stats:
        """Returns the statistics since `connect`."""
        return self._open_publisher().stats()

    @property
    def spool(self) -> SpoolStatus | None:
        """Status of the spool, read from its file; `None` without one."""
        return self._open_publisher().spool()

    def try_enqueue(
        self,
        event: Event,
        on_error: Callable[[PublishError], object] | None = None,
        *,
        block: bool = False,
    ) -> bool:
        """Enqueues an event whose receipt nobody awaits. Returns False if the in-flight
        limit is reached, or other events wait for it.

        Args:
            event: An `Event`, or another object with its attributes.
            on_error: Called in a background thread if the event gets no receipt; by
                default a warning is logged.
            block: Waits at the in-flight limit, in this thread; not for event loops.
        """
        return self._open_publisher().try_enqueue(
            self._queue_of_loop(),
            event,
            current_traceparent(),
            on_error or _client_registry.log_lost_event,
            block,
        )

    def _prepare(
        self,
        sample: Any,
        slots: Sequence[str],
        public: dict[str, None] | None,
        json_value: Callable[[Any], Any],
        published: Callable[[object], dict[Any, Any]],
        on_error: Callable[[str, PublishError], object],
    ) -> PreparedEvent:
        """Prepares events of the kind of a sample, whose receipts nobody awaits; see
        `herald.runtime._prepared`.
        """
        return self._open_publisher().prepare(
            sample, slots, public, json_value, published, current_traceparent, on_error
        )

    def _queue_of_loop(self) -> CompletionQueue | None:
        """Returns the completion queue of the running loop, whose waiting events must
        not be overtaken.
        """
        return None

    def _close_at_exit(self) -> None:
        """Closes the client at exit, without an event loop."""
        self._close_unclosed(self._close_timeout)

    def __del__(self) -> None:
        publisher = getattr(self, "_publisher", None)
        if publisher is not None and publisher.is_owner_process:
            message = f"{self!r} was not closed"
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)
            # Dropping the last reference must not wait for the cluster.
            self._close_unclosed(0)

    def _close_unclosed(self, seconds: float) -> None:
        publisher = self._take_publisher()
        if publisher is not None:
            log.warning(
                "%s was not closed by the program; closing it now",
                type(self).__name__,
            )
            _client_registry.log_close(*publisher.close(seconds))

    def __repr__(self) -> str:
        where = self._settings.bootstrap_servers or "the environment's cluster"
        state = "connected" if self.is_connected else "not connected"
        return f"<{type(self).__name__} {where} {state}>"

    def _timeout(self, given: float | None) -> float:
        """Returns the timeout of `close`."""
        seconds = _settings.seconds("timeout", given)
        return self._close_timeout if seconds is None else seconds

    def _new_publisher(self) -> Publisher:
        """Opens the spool and the connection, and checks the topics."""
        topics = known_topics(self._namespace)
        publisher = Publisher(self._settings, topics)
        if self._check_topics != "off":
            try:
                publisher.check_topics(
                    topics,
                    self._namespace,
                    self._check_topics == "error",
                )
            except BaseException:
                publisher.close(0)
                raise
        return publisher

    def _has_publisher(self) -> bool:
        """Whether the client is connected in this process."""
        return self._publisher is not None and self._publisher.is_owner_process

    def _take_publisher(self) -> Publisher | None:
        """Disconnects the client. Returns the publisher to close; a forked child leaves
        the one of its parent to the parent.
        """
        publisher, self._publisher = self._publisher, None
        if publisher is None or not publisher.is_owner_process:
            return None
        return publisher

    def _open_publisher(self) -> Publisher:
        if self._publisher is None:
            raise PublishError(
                "the client is not connected: call `connect` or use `with`",
                "not_connected",
            )
        return self._publisher


def receipts(
    outcomes: list[Receipt | PublishError], return_errors: bool
) -> list[Receipt] | list[Receipt | PublishError]:
    """Returns the receipts. Raises the first error, unless errors are returned too."""
    if return_errors:
        return outcomes
    safe: list[Receipt] = []
    for outcome in outcomes:
        if isinstance(outcome, PublishError):
            raise outcome
        safe.append(outcome)
    return safe


Raw = dict[str, object]


def raw(
    topic: str,
    value: bytes,
    key: bytes | None,
    headers: Mapping[str, bytes] | Sequence[tuple[str, bytes]],
) -> Raw:
    """Returns a message that is not an event, as the publisher reads it."""
    _expect("topic", topic, str)
    _expect("value", value, bytes)
    if key is not None:
        _expect("key", key, bytes)
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    for name, content in pairs:
        _expect("the name of a header", name, str)
        _expect(f"headers[{name!r}]", content, bytes)
    return {"topic": topic, "value": value, "key": key, "headers": pairs}


def _expect(name: str, given: object, kind: type) -> None:
    if not isinstance(given, kind):
        found = type(given).__name__
        raise TypeError(f"{name} must be {kind.__name__}, not {found}")


def traced(event: Event) -> Event:
    """Returns the event with the current trace, unless it has one."""
    if not isinstance(event, Event):
        found = type(event).__name__
        raise TypeError(f"expected a herald.Event, not {found}")
    if event.traceparent is None and (trace := current_traceparent()) is not None:
        return replace(event, traceparent=trace)
    return event


use_ids(new_id)
# A fork while another thread initializes something would leave it locked in the child.
warm_up(Event("", "", None), raw("", b"", None, ()), Client()._settings)
