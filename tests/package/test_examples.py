"""Tests that run the Python examples as described in their README."""

import subprocess
import sys
from pathlib import Path

import pytest

from command import BINARY, needs_command

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "passed"),
    [("fastapi", "2 passed"), ("faststream", "3 passed"), ("payments", "6 passed")],
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


TYPED = [
    ("fastapi", ["mypy", "--strict", "app.py", "test_app.py"]),
    ("faststream", ["mypy", "--strict", "app.py", "test_app.py"]),
    ("payments", ["mypy", "payments", "ledger/ledger", "test_payments.py"]),
    ("payments", ["pyright", "--pythonpath", sys.executable, "payments", "ledger"]),
]


@pytest.mark.parametrize(("name", "checker"), TYPED)
def test_an_example_is_typed(name: str, checker: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *checker],
        cwd=EXAMPLES / name,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@needs_command
@pytest.mark.parametrize(
    "name", ["orders", "fastapi", "faststream", "payments", "payments/ledger"]
)
def test_generated_files_of_an_example_are_up_to_date(name: str) -> None:
    assert BINARY
    run = subprocess.run(
        [BINARY, "generate", "--check"],
        cwd=EXAMPLES / name,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr
