"""A cluster of a test's own, whose nodes it may stop and kill."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker import HANG_SECONDS

SCRIPT = Path(__file__).parents[2] / "scripts" / "kafka"


@dataclass
class Run:
    """A run whose command is a shell, which takes lines from the test."""

    process: subprocess.Popen[str]
    data: Path
    addresses: list[str]

    def node(self, arguments: str) -> tuple[int, str]:
        """Call the script's `node` from inside; its exit code and what it said."""
        *said, code = self.shell(f"{SCRIPT} node {arguments} 2>&1; echo $?")
        return int(code), "\n".join(said)

    def shell(self, line: str) -> list[str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}; echo end\n")
        self.process.stdin.flush()
        return [text.strip() for text in iter(self.process.stdout.readline, "end\n")]

    def pids(self) -> list[int]:
        return [int(file.read_text()) for file in self.data.glob("run-*/node-*/pid")]


@contextmanager
def run(data: Path, nodes: int) -> Iterator[Run]:
    process = subprocess.Popen(
        [SCRIPT, "run", "--nodes", str(nodes), "--", "sh"],
        env=environment(data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        run = Run(process, data, [])
        run.addresses = run.shell("echo $KAFKA_BOOTSTRAP_SERVERS")[0].split(",")
        yield run
    finally:
        # The end of its input ends the shell, and with it the run.
        process.communicate(timeout=HANG_SECONDS)


def environment(data: Path) -> dict[str, str]:
    """Environment without a Kafka installation."""
    names = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_CLUSTER")
    return {
        **{name: value for name, value in os.environ.items() if name not in names},
        "KAFKA_DATA": str(data),
    }
