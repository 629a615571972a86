"""Herald's side of the exchange."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WORKSPACE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Written:
    key: str
    text: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document


Exchange = Callable[[list[str]], list[Written]]


@pytest.fixture(scope="session")
def exchange() -> Exchange:
    """Has Herald read envelopes and write them again."""
    # With the features of the Rust tests, which have built it already.
    command = ["cargo", "run", "--quiet", "--all-features"]

    def run(envelopes: list[str]) -> list[Written]:
        done = subprocess.run(
            [*command, "--example", "roundtrip"],
            cwd=WORKSPACE,
            input="\n".join(envelopes),
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            check=True,
        )
        *lines, end = done.stdout.split("\n")
        assert end == ""
        return [
            Written(key, text)
            for key, text in zip(lines[::2], lines[1::2], strict=True)
        ]

    return run
