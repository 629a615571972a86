"""Metrics of one operation."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from re import Pattern
from threading import RLock
from time import time

from herald.metrics._snapshot import DURATION_BOUNDS, LastError, OperationSnapshot
from herald.metrics._window import Window, cumulative, percentiles
from herald.runtime import redact_secrets
from herald.runtime._secrets import error_text

NANO = 1e-9
MAX_ERROR_CHARS = 8_000


class OperationMetrics:
    """Counts and times runs of one operation, safe for tasks and threads."""

    __slots__ = (
        "_cancelled",
        "_count",
        "_errors",
        "_in_flight",
        "_last_error",
        "_lock",
        "_seconds",
        "_window",
        "name",
        "observe",
    )

    def __init__(self, name: str, window: float, clock: Callable[[], float]) -> None:
        self.name = name
        # Reentrant: a finalizer may end a run while its thread holds the lock.
        self._lock = RLock()
        self._window = Window(window, clock)
        self._count = self._errors = self._cancelled = self._in_flight = 0
        self._seconds = 0.0
        self._last_error: tuple[str, str, float] | None = None
        self.observe: Callable[[float], object] | None = None
        """Called with the seconds of each run, by an exporter that needs each value."""

    def begin(self) -> None:
        """Counts the start of a run."""
        with self._lock:
            self._in_flight += 1

    def end(self, seconds: float, error: BaseException | None, began: int) -> None:
        """Records the end of a run; `began` is 1 if `begin` counted it, else 0."""
        with self._lock:
            self._in_flight -= began
            self._count += 1
            self._seconds += seconds
            self._window.record(int(seconds * 1e9))
            if error is not None:
                self._note(error)
        if self.observe is not None:
            with suppress(Exception):  # a metric never fails an operation
                self.observe(seconds)

    def _note(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            self._cancelled += 1
            return
        self._errors += 1
        # Only the text is kept: the exception would keep its frames alive.
        text = error_text(error)[:MAX_ERROR_CHARS]
        self._last_error = type(error).__name__, text, time()

    @property
    def in_flight(self) -> int:
        """Number of runs in progress."""
        return self._in_flight

    @property
    def count(self) -> int:
        """Number of runs that ended."""
        return self._count

    def snapshot(self, redactions: Iterable[Pattern[str]]) -> OperationSnapshot:
        """Returns the current values."""
        with self._lock:
            parts, last = self._window.parts(), self._last_error
            totals = self._window.totals()
            count, errors, cancelled = self._count, self._errors, self._cancelled
            in_flight, seconds = self._in_flight, self._seconds
        return OperationSnapshot(
            self.name,
            count,
            errors,
            cancelled,
            in_flight,
            seconds,
            None if last is None else _redacted(*last, redactions),
            percentiles(parts, NANO),
            cumulative(totals, DURATION_BOUNDS, NANO),
        )


def _redacted(
    kind: str, text: str, at: float, redactions: Iterable[Pattern[str]]
) -> LastError:
    moment = datetime.fromtimestamp(at, UTC)
    return LastError(kind, redact_secrets(text, redactions), moment)
