"""Resource usage of the process: from /proc, else from psutil if installed; unknown
values are left out.
"""

import importlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from herald.metrics._snapshot import Reading

STATM = Path("/proc/self/statm")
DESCRIPTORS = Path("/proc/self/fd")


class Process:
    """Reader of the process's resource usage."""

    def __init__(self) -> None:
        self._psutil = None if STATM.exists() else _psutil()

    def readings(self) -> Iterator[Reading]:
        """Returns the current values."""
        for name, unit, read in (
            ("process.memory_rss", "bytes", self._rss),
            ("process.open_files", "count", self._files),
            ("process.connections", "count", self._connections),
        ):
            value = _without_errors(read)
            if value is not None:
                yield Reading(name, value, unit, "gauge")
        yield Reading("process.cpu_time", time.process_time(), "s", "counter")

    def _rss(self) -> float | None:
        if self._psutil is not None:
            return float(self._psutil.memory_info().rss)
        pages = int(STATM.read_text("ascii").split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))

    def _files(self) -> float | None:
        if self._psutil is not None:
            return float(self._psutil.num_fds())
        return float(len(os.listdir(DESCRIPTORS)))

    def _connections(self) -> float | None:
        """Returns the number of open sockets."""
        if self._psutil is not None:
            return float(len(self._psutil.net_connections()))
        return float(sum(map(_is_socket, DESCRIPTORS.iterdir())))


class CpuShare:
    """CPU usage since the last reading, in percent of one CPU; with two CPUs it is up
    to 200.
    """

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def reading(self) -> Reading | None:
        """Returns the usage since the last call, if any time has passed."""
        wall, cpu = time.monotonic(), time.process_time()
        passed, used = wall - self._wall, cpu - self._cpu
        if passed <= 0:
            return None
        self._wall, self._cpu = wall, cpu
        share = round(100 * used / passed, 2)
        return Reading("process.cpu", share, "percent", "gauge")


def _is_socket(descriptor: Path) -> bool:
    # The descriptor that lists them is gone by now.
    with suppress(OSError):
        return os.readlink(descriptor).startswith("socket:")
    return False


def _without_errors(read: Callable[[], float | None]) -> float | None:
    try:
        return read()
    except Exception:
        return None


def _psutil() -> Any:
    with suppress(ImportError):
        return importlib.import_module("psutil").Process()
    return None
