"""Scope of one call: base of instrumented and measured runs."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class CallScope:
    """Scope of one call, which may be awaited at its start and its end.

    `start` and `finish` are called once, `enter` and `leave` around each part of the
    call's code: a generator leaves the scope while its caller runs. Subclasses override
    these four; here they do nothing.

    Attributes:
        result: Result of the call, set before `finish`.
    """

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: object = None

    def start(self, *, may_wait: bool) -> Awaitable[None] | None:
        """Starts the call. The caller awaits the returned value, if any, before
        `enter`.
        """
        return None

    def finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        """Finishes the call. The caller awaits the returned value, if any."""
        return None

    def enter(self) -> None:
        """Enters the scope."""

    def leave(self) -> None:
        """Leaves the scope."""

    async def start_async(self) -> None:
        """Starts the call, and awaits what `start` returns."""
        if (waiting := self.start(may_wait=True)) is not None:
            await self.await_start(waiting)

    async def await_start(self, waiting: Awaitable[None]) -> None:
        """Awaits what `start` returned. A cancellation meanwhile fails the call."""
        try:
            await waiting
        except BaseException as cancelled:
            self.finish(cancelled, may_wait=False)
            raise

    async def finish_async(self, error: BaseException | None) -> None:
        """Finishes the call, and awaits what `finish` returns."""
        if (waiting := self.finish(error, may_wait=True)) is not None:
            await waiting

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Enters the scope for a `with` block."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def __enter__(self) -> Self:
        self.start(may_wait=False)
        self.enter()
        return self

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish(error, may_wait=False)
        self.leave()

    async def __aenter__(self) -> Self:
        await self.start_async()
        self.enter()
        return self

    async def __aexit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.finish_async(error)
        finally:
            self.leave()
