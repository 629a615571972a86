"""Clients that run, so that none is forgotten when Python ends."""

from __future__ import annotations

import atexit
import logging
import os
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from herald._herald import (
    after_fork,
    before_fork,
    start_logging,
    stop_logging,
    wait_at_end,
)

if TYPE_CHECKING:
    from herald.errors import PublishError

log = logging.getLogger("herald")


class Closable(Protocol):
    """A client, as far as the end is concerned."""

    def _close_at_exit(self) -> None: ...


_running: WeakSet[Closable] = WeakSet()


def started(client: Closable) -> None:
    """Remembers a client."""
    start_logging()
    _running.add(client)


def ended(client: Closable) -> None:
    """Forgets it."""
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
    wait_at_end()


def lost(error: PublishError) -> None:
    """Says that an event got no receipt which nobody waited for."""
    log.warning("an event got no receipt (%s): %s", error.code, error)


def report(spooled: int, dead: int, failed: int) -> None:
    """Says what a client left behind."""
    if failed:
        log.error("%d events got no receipt: there was no spool to take them", failed)
    if spooled:
        log.warning("%d events wait in the spool for the next client", spooled)
    if dead:
        log.warning("%d dead letters are in the spool: herald spool dead list", dead)
