"""The programs in the documents run as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("document", "says"), [("metrics", "Percentiles("), ("lifecycle", "StopReport(")]
)
def test_a_program_of_a_document_runs(folder: Path, document: str, says: str) -> None:
    text = (ROOT / "docs" / f"{document}.md").read_text("utf-8")
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program.replace("127.0.0.1:9092", "127.0.0.1:1")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "examples" / "orders")},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    assert "Traceback" not in done.stderr
