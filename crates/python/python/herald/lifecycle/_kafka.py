"""Health of the Kafka client."""

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
