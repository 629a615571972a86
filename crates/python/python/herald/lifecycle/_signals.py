"""Handling of SIGTERM and SIGINT."""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGTERM, signal.SIGINT)

MIN_INTERVAL = 0.5
"""Seconds between two signals that count separately. One stop request may send several:
coreutils' `timeout` signals its child and then the process group.
"""


class Signals:
    """Scope with signal handlers. A third signal kills the process.

    Not `loop.add_signal_handler`: its handlers don't run while the loop is blocked.
    """

    def __init__(self, notify: Callable[[signal.Signals, int], None]) -> None:
        self._notify = notify
        self._count = 0
        self._last = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._count and now - self._last < MIN_INTERVAL:
            return
        self._last = now
        self._count += 1
        if self._count > 1:
            for each in SIGNALS:
                signal.signal(each, signal.SIG_DFL)
        self._notify(signal.Signals(number), self._count)
