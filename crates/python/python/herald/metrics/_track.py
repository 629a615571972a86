"""One measured run of an operation."""

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Self

from herald.metrics._operation import OperationMetrics
from herald.runtime._call_scope import CallScope


class Track(CallScope):
    """Scope that counts and times one run of an operation, for `with`."""

    __slots__ = ("_ended", "_operation", "_start")

    def __init__(self, operation: OperationMetrics, ended: Callable[[], None]) -> None:
        self.result = None
        self._operation = operation
        self._ended = ended
        self._start = 0.0

    def start(self, *, may_wait: bool) -> None:
        """Starts the clock."""
        self._operation.begin()
        self._start = perf_counter()

    def finish(self, error: BaseException | None, *, may_wait: bool) -> None:
        """Records the run."""
        self._operation.end(perf_counter() - self._start, error, 1)
        self._ended()

    # Overridden for speed: there is nothing to enter or leave.

    def __enter__(self) -> Self:
        self._operation.begin()
        self._start = perf_counter()
        return self

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._operation.end(perf_counter() - self._start, error, 1)
        self._ended()
