"""Registry of connected clients, which are closed at exit."""

from __future__ import annotations

import atexit
import logging
import os
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from herald._herald import (
    after_fork,
    before_fork,
    stop_logging,
    wait_for_detached,
)
from herald.runtime._log import printable

if TYPE_CHECKING:
    from herald.errors import PublishError

log = logging.getLogger("herald")


class Closable(Protocol):
    """Protocol of clients that can be closed at exit."""

    def _close_at_exit(self) -> None: ...


_running: WeakSet[Closable] = WeakSet()


def add(client: Closable) -> None:
    """Adds a client."""
    _running.add(client)


def discard(client: Closable) -> None:
    """Removes a client."""
    _running.discard(client)


os.register_at_fork(
    before=before_fork, after_in_parent=after_fork, after_in_child=after_fork
)


@atexit.register
def _at_exit() -> None:
    for client in list(_running):
        try:
            client._close_at_exit()
        except Exception:
            log.exception("a Kafka client could not be closed")
    stop_logging()
    wait_for_detached()


def log_lost_event(error: PublishError) -> None:
    """Logs that a fire-and-forget event got no receipt."""
    log.warning("an event got no receipt (%s): %s", error.code, printable(str(error)))


def log_close(spooled: int, dead: int, failed: int) -> None:
    """Logs the events that a closed client did not deliver."""
    if failed:
        log.error("events lost, because there is no spool: %d", failed)
    if spooled:
        log.warning("events left in the spool for the next client: %d", spooled)
    if dead:
        log.warning(
            "dead letters in the spool: %d; see `herald spool dead list`",
            dead,
        )
