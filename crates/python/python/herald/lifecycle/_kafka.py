"""Health of the Kafka client."""

from collections.abc import Callable
from typing import Any, Protocol

from herald.lifecycle._checks import Outcome


class KafkaClient(Protocol):
    """Kafka client protocol. `connect`, `stats` and `close` are used if the client has
    them.
    """

    @property
    def is_connected(self) -> bool: ...


def client_outcomes(client: KafkaClient) -> list[Outcome]:
    """Returns the health of the client. It must be connected; an unreachable cluster
    only degrades the service, because events are spooled.
    """
    if not client.is_connected:
        return [Outcome("kafka", False, "the client is not connected")]
    detail = ""
    if (stats := getattr(client, "stats", None)) is not None:
        try:
            now: Any = stats()
            if not getattr(now, "reachable", True):
                waiting = getattr(now, "spool_records", 0)
                detail = f"the cluster is not reachable; {waiting} events in the spool"
        except Exception as error:
            detail = f"no statistics: {type(error).__name__}"
    return [Outcome("kafka", not detail, detail, is_critical=False)]


def spool_check(
    client: KafkaClient,
    *,
    max_age: float | None = 600.0,
    max_records: int | None = None,
    max_dead_letters: int | None = 0,
) -> Callable[[], str | None]:
    """Returns a function for `Lifecycle.check` that fails while the spool needs
    attention.

    Args:
        client: Herald's Kafka client.
        max_age: Highest age of the oldest event in the spool, in seconds; None for any.
        max_records: Most events in the spool; None for any number.
        max_dead_letters: Most dead letters in the spool; None for any number.
    """

    def check() -> str | None:
        stats: Any = getattr(client, "stats")()  # noqa: B009 - other clients have none
        age = stats.spool_oldest_age or 0.0
        problems: list[str] = []
        failure = getattr(stats, "spool_failure", None)
        if failure:
            problems.append(f"no event can be spooled: {failure}")
        if max_age is not None and age > max_age:
            problems.append(f"the oldest event is {age:.0f} s old, limit {max_age:g} s")
        if max_records is not None and stats.spool_records > max_records:
            problems.append(f"{stats.spool_records} events, limit {max_records}")
        if max_dead_letters is not None and stats.spool_dead > max_dead_letters:
            limit = max_dead_letters
            problems.append(f"dead letters: {stats.spool_dead}, limit {limit}")
        return "; ".join(problems) or None

    return check
