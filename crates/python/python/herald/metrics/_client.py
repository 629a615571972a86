"""Readings of the statistics of a Kafka client and its spool."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from herald.metrics._snapshot import Reading

Kind = Literal["counter", "gauge"]

READINGS: Final[tuple[tuple[str, str, str, Kind], ...]] = (
    ("client.published", "published", "count", "counter"),
    ("client.delivered", "delivered", "count", "counter"),
    ("client.spooled", "spooled", "count", "counter"),
    ("client.failed", "failed", "count", "counter"),
    ("client.rejected", "dead", "count", "counter"),
    ("client.lost", "lost", "count", "counter"),
    ("client.retried", "retried", "count", "counter"),
    ("client.drained", "drained", "count", "counter"),
    ("client.outages", "outages", "count", "counter"),
    ("client.in_flight", "in_flight", "count", "gauge"),
    ("client.in_flight_size", "in_flight_bytes", "bytes", "gauge"),
    ("client.reachable", "reachable", "count", "gauge"),
    ("spool.records", "spool_records", "count", "gauge"),
    ("spool.size", "spool_bytes", "bytes", "gauge"),
    ("spool.dead_letters", "spool_dead", "count", "gauge"),
    ("spool.oldest_age", "spool_oldest_age", "s", "gauge"),
)
"""Name, attribute of `herald.Stats`, unit and kind of each reading."""


def client_readings(client: object) -> Iterator[Reading]:
    """Returns the readings of a client; none if it has no statistics, as a foreign
    client, or one that is not connected.
    """
    stats: Any = getattr(client, "stats", None)
    if not callable(stats) or not getattr(client, "is_connected", False):
        return
    try:
        found: Any = stats()
    except Exception:  # closed meanwhile
        return
    for name, attribute, unit, kind in READINGS:
        if hasattr(found, attribute):
            # An empty spool has no oldest event.
            yield Reading(name, float(getattr(found, attribute) or 0), unit, kind)
