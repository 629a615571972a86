"""Tests that a project of `herald new` is clean, and that its tests are right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from places import EXAMPLES

HOSTILE = Path(__file__).parent / "contracts" / "hostile.yaml"
KINDS = ("effect", "compute", "reducer", "orchestrator")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def new(folder: Path, *arguments: str) -> Path:
    done = run(folder, "herald", "new", *arguments)
    assert done.returncode == 0, done.stderr
    return folder / arguments[0]


def outcome(project: Path) -> tuple[int, dict[str, int], str]:
    """Exit code of its tests, how many came out how, and what they said."""
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider")
    last = done.stdout.strip().splitlines()[-1]
    counts = {kind: int(n) for n, kind in re.findall(r"(\d+) ([a-z]+)", last)}
    return done.returncode, counts, done.stdout + done.stderr


CONTRACTS = {
    **{
        kind: ["--kind", kind, "--operation", "a.b", "--operation", "c"]
        for kind in KINDS
    },
    "orders": ["--contract", str(EXAMPLES / "orders" / "contracts" / "orders.yaml")],
    "hostile": ["--contract", str(HOSTILE)],
}


@pytest.mark.parametrize(
    ("name", "passed", "unwritten"),
    [*((kind, 3, 2) for kind in KINDS), ("orders", 4, 2), ("hostile", 19, 16)],
)
def test_a_project_is_typed_and_tested(
    folder: Path, name: str, passed: int, unwritten: int
) -> None:
    project = new(folder, f"{name}_node", *CONTRACTS[name])
    code, counts, said = outcome(project)
    assert code == 0, said
    assert (counts["passed"], counts["xfailed"]) == (passed, unwritten), said
    typed = run(project, "mypy")
    assert typed.returncode == 0, typed.stdout
    (project / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    sources = project / f"{name}_node"
    typed = run(project, "pyright", "--pythonpath", sys.executable, str(sources))
    assert typed.returncode == 0, typed.stdout


@pytest.fixture
def orders(folder: Path) -> Path:
    return new(folder, "orders", "--kind", "effect", "--operation", "place")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def test_an_implemented_body_loses_its_xfail_mark(orders: Path) -> None:
    edit(orders / "orders" / "node.py", "raise NotImplementedError", "return request")
    code, _, said = outcome(orders)
    assert code == 1
    assert "[XPASS(strict)] write the body in orders/node.py, then remove" in said
    edit(orders / "tests" / "test_orders.py", "@to_be_written\n", "")
    assert outcome(orders)[:2] == (0, {"passed": 3})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.kafka_client = kafka_client", "self.kafka_client = None"),
        ("self.default_namespace = namespace", "self.default_namespace = '{'"),
        ("    @instrument_place\n", ""),
        ("NodeMetrics(self)\n", "NodeMetrics()\n"),
    ],
)
def test_project_tests_fail_for_missing_events(
    orders: Path, old: str, new: str
) -> None:
    node = orders / "orders" / "node.py"
    edit(node, "raise NotImplementedError", "return request")
    edit(orders / "tests" / "test_orders.py", "@to_be_written\n", "")
    edit(node, old, new)
    code, counts, said = outcome(orders)
    assert code == 1, said
    assert counts["failed"] >= 1


def test_a_project_without_a_cluster_reports_it(
    orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    done = run(orders, "orders")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    reason = "the Kafka client did not start: SettingsError: no cluster is configured"
    assert last.startswith(reason)
    assert "Traceback" not in done.stderr
