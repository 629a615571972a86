"""One run of an operation, measured."""

from collections.abc import Callable
from time import perf_counter
from types import TracebackType

from herald.metrics._operation import OperationMetrics


class Track:
    """A scope that is measured from its start to its end."""

    __slots__ = ("_began", "_ended", "_operation")

    def __init__(self, operation: OperationMetrics, ended: Callable[[], None]) -> None:
        self._operation = operation
        self._ended = ended
        self._began = 0.0

    def __enter__(self) -> None:
        self._operation.begin()
        self._began = perf_counter()

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._operation.end(perf_counter() - self._began, error, 1)
        self._ended()
