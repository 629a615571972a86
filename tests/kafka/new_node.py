"""A node as `herald new` writes it, with its body filled in, as a process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker import HANG_SECONDS

# All that stopping waits for together, and some time for a slow machine.
STOP_SECONDS = 30

BODY = """\
        await asyncio.sleep(0.01)
        if request["number"] % 10 == 9:
            raise ValueError("sold out")
        return request
"""

# Calls the operation, and records the data to compare the events with.
LOAD = '''"""Requests, as fast as they are served."""

import asyncio
import itertools
import json
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from herald.lifecycle import Lifecycle, NotAccepting
from herald.runtime import correlation

from orders.node import Orders


async def load(node: Orders, life: Lifecycle, journal: Path) -> None:
    numbers = itertools.count()
    with journal.open("a", buffering=1) as lines:

        def note(request: object, said: str) -> None:
            lines.write(json.dumps([str(request), said]) + "\\n")

        async def serve(number: int) -> None:
            request = uuid4()
            async with life.operation():
                note(request, "started")
                try:
                    with correlation(request):
                        await node.place({"number": number})
                except ValueError:
                    note(request, "failed")
                else:
                    note(request, "completed")

        async def work() -> None:
            with suppress(NotAccepting):
                for number in numbers:
                    await serve(number)

        await asyncio.gather(*(work() for _ in range(10)))
'''


@dataclass
class Node:
    """A project, and the processes that run it."""

    folder: Path
    journal: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    process: subprocess.Popen[str] | None = None

    def write(self) -> None:
        """Make the project, and write what people write."""
        new = ["new", "orders", "--kind", "effect", "--operation", "place"]
        self.herald(*new, "--dir", str(self.folder))
        edit(
            self.folder / "orders" / "node.py",
            ("        raise NotImplementedError\n", BODY),
            ("\nfrom collections.abc", "\nimport asyncio\nfrom collections.abc"),
        )
        (self.folder / "orders" / "load.py").write_text(LOAD)
        edit(
            self.folder / "orders" / "service.py",
            (
                "    return life\n",
                "    journal = Path(os.environ['JOURNAL'])\n"
                "    requests = partial(load, node, life, journal)\n"
                "    life.task('requests', requests, essential=True)\n"
                "    return life\n",
            ),
            ("import os\n", "import os\nfrom functools import partial\n"),
            (
                "\nfrom herald.lifecycle",
                "from pathlib import Path\n\nfrom herald.lifecycle",
            ),
            ("\nfrom orders.node", "\nfrom orders.load import load\nfrom orders.node"),
        )

    def herald(self, *arguments: str) -> str:
        """Run the command of the installed package."""
        done = subprocess.run(
            [sys.executable, "-m", "herald", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=HANG_SECONDS,
        )
        # 1 means that action is needed, such as for records in a spool.
        assert done.returncode in (0, 1), arguments
        return done.stdout

    def start(self) -> None:
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "orders"],
                cwd=self.folder,
                env={**self.environment, "JOURNAL": str(self.journal)},
                stderr=log,
                text=True,
            )

    def serves(self, more: int = 300) -> None:
        """Wait until so many more requests have ended."""
        ended = len(self.ended())
        until(lambda: self.is_running() and len(self.ended()) >= ended + more)

    def is_running(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return True

    def stop(self) -> int:
        """Ask it to stop; returns the number of events it reports as left behind."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0, self.log()
        reported = re.findall(
            r"stopped after [\d.]+ s \(SIGTERM\): (\d+) operations unfinished, "
            r"(\d+) events spooled",
            self.log(),
        )
        unfinished, spooled = reported[-1]
        assert unfinished == "0"
        return int(spooled)

    def kill(self) -> None:
        """End it, if a test has not."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(HANG_SECONDS)

    def waiting(self) -> int:
        """Events in its spool."""
        status = json.loads(self.herald("spool", "status", "--format", "json"))
        return sum(int(spool["records"]) for spool in status["spools"])

    def journalled(self) -> list[tuple[str, str]]:
        """Calls of operations, with their outcome."""
        if not self.journal.exists():
            return []
        whole = self.journal.read_text().splitlines(keepends=True)
        lines: list[list[Any]] = [json.loads(s) for s in whole if s.endswith("\n")]
        return [(request, said) for request, said in lines]

    def ended(self) -> list[tuple[str, str]]:
        return [line for line in self.journalled() if line[1] != "started"]

    def log(self) -> str:
        return (self.folder / "log").read_text()


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    path.write_text(text)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)
