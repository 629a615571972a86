"""The command `herald`, whose output that of the package must equal."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

BINARY = os.environ.get("HERALD_BIN")

needs_command = pytest.mark.skipif(
    not BINARY, reason="HERALD_BIN names no `herald` to compare with"
)


def run(*arguments: str | Path, folder: Path) -> str:
    """Output of a command; diagnostics are not a failure."""
    assert BINARY
    done = subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def run_json(*arguments: str | Path, folder: Path) -> Any:
    """The document that a command prints."""
    return json.loads(run(*arguments, folder=folder))
