"""How receipts come to event loops."""

from __future__ import annotations

import asyncio

from herald._herald import Mailbox


class Mailboxes:
    """One for each event loop that publishes."""

    def __init__(self) -> None:
        self._all: dict[asyncio.AbstractEventLoop, Mailbox] = {}
        self._latest: tuple[asyncio.AbstractEventLoop, Mailbox] | None = None

    def here(self) -> Mailbox:
        """That of the running loop."""
        loop = asyncio.get_running_loop()
        latest = self._latest
        if latest is not None and latest[0] is loop:
            return latest[1]
        mailbox = self._all.get(loop)
        if mailbox is None:
            self._forget_closed()
            mailbox = Mailbox(loop)
            loop.add_reader(mailbox.fileno(), mailbox.deliver)
            self._all[loop] = mailbox
        self._latest = (loop, mailbox)
        return mailbox

    def known(self) -> Mailbox | None:
        """That of the running loop, if there is one already."""
        if not self._all:
            return None
        try:
            return self._all.get(asyncio.get_running_loop())
        except RuntimeError:
            return None

    def leave(self) -> None:
        """The running loop needs its own no longer, unless something is still
        awaited.
        """
        self._latest = None
        loop = asyncio.get_running_loop()
        mailbox = self._all.get(loop)
        if mailbox is None:
            return
        mailbox.deliver()
        if not len(mailbox):
            del self._all[loop]
            loop.remove_reader(mailbox.fileno())

    def _forget_closed(self) -> None:
        """Lets go of what awaits receipts in loops that are over: of the loop, and of
        room in flight.
        """
        for loop in list(self._all):
            if loop.is_closed():
                self._all.pop(loop, None)

    def leave_all(self) -> None:
        """No loop needs its own any longer; each is told to stop watching when it runs
        again.
        """
        self._latest = None
        for loop, mailbox in list(self._all.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(loop.remove_reader, mailbox.fileno())
        self._all.clear()
