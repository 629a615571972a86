"""The Kafka client, as far as a service needs to know it."""

from typing import Any, Protocol

from herald.lifecycle._checks import Outcome


class KafkaClient(Protocol):
    """What is needed of a client; `connect`, `stats` and `close` are used where it has
    them.
    """

    @property
    def is_connected(self) -> bool: ...


def outcomes(client: KafkaClient) -> list[Outcome]:
    """How the client is: it must be connected; the cluster may be away, for events
    wait in the spool.
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
            detail = f"no figures: {type(error).__name__}"
    return [Outcome("kafka", not detail, detail, is_critical=False)]
