"""Admission of operations: accepted while the service runs, awaited when it stops."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from herald.lifecycle._errors import NotAccepting


class AdmissionControl:
    """Tracks the operations in progress, and accepts new ones while open."""

    def __init__(self) -> None:
        self.is_open = False
        self._in_progress: list[asyncio.Task[Any] | None] = []

    @property
    def in_flight(self) -> int:
        """Number of operations in progress."""
        return len(self._in_progress)

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Returns the tasks of operations, which can be cancelled."""
        return {task for task in self._in_progress if task is not None}

    def enter(self) -> asyncio.Task[Any] | None:
        """Admits an operation.

        Raises:
            NotAccepting: It is closed.
        """
        if not self.is_open:
            raise NotAccepting("the service accepts no operations: it is not running")
        try:
            task = asyncio.current_task()
        except RuntimeError:  # a thread without a loop
            task = None
        self._in_progress.append(task)
        return task

    def leave(self, task: asyncio.Task[Any] | None) -> None:
        """Ends an operation."""
        self._in_progress.remove(task)


class Admission:
    """Scope of one operation, for `with` and `async with`."""

    def __init__(self, control: AdmissionControl) -> None:
        self._control = control
        self._leave: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        task = self._control.enter()
        self._leave = lambda: self._control.leave(task)
        return self

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._leave is not None:
            self._leave()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(of_type, error, traceback)
