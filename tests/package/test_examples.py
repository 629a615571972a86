"""Tests that run the Python examples as described in their README."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "passed"), [("fastapi", "2 passed"), ("faststream", "3 passed")]
)
def test_an_example_passes_its_own_tests(name: str, passed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLES / name,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert passed in run.stdout, run.stdout


@pytest.mark.parametrize("name", ["fastapi", "faststream"])
def test_an_example_is_typed(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "app.py", "test_app.py"],
        cwd=EXAMPLES / name,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
