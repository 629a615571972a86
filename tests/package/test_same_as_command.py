"""The package and the command refuse the same nodes, and generate the same methods."""

import random
import re
import subprocess
from pathlib import Path
from typing import Any

import herald
import pytest
from herald.codegen.patterns import EventPublishingPatternGenerator

from command import BINARY, needs_command

KINDS = ["effect", "compute", "reducer", "orchestrator", "query", ""]
PARTS = ["place", "order", "a", "B", "7", ".", "-", "_", "class", "state", "x" * 60]
ODD = [" ", "é", '"', "'", "{", "\\", "\n", "/", "日本"]


def any_name(chance: random.Random) -> str:
    parts = PARTS + ODD if chance.random() < 0.1 else PARTS
    return "".join(
        chance.choices(parts, k=chance.choice([1] * 4 + [2] * 6 + [3] * 6 + [0]))
    )


@needs_command
@pytest.mark.parametrize("seed", range(60))
def test_any_node_matches_the_rust_generator(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    kind = chance.choices(KINDS, [6, 6, 6, 6, 1, 1])[0]
    service = any_name(chance)
    operations = [any_name(chance) for _ in range(chance.randint(1, 3))]
    state, metric = chance.random() < 0.5, chance.random() < 0.5
    arguments = [f"--node-type={kind}", f"--service-name={service}"]
    arguments += [f"--operation={operation}" for operation in operations]
    arguments += [] if state else ["--no-state-events"]
    arguments += [] if metric else ["--no-metric-events"]
    assert BINARY
    command = subprocess.run(
        [BINARY, "generate", "--stdout", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    try:
        node = EventPublishingPatternGenerator(kind, service, operations, state, metric)
    except ValueError as refusal:
        assert command.returncode == 1, refusal
        assert str(refusal)
    else:
        assert command.returncode == 0, command.stderr
        methods = re.findall(r"async def (\w+)", node.generate_all_event_methods())
        assert re.findall(r" {4}(_publish_\w+) = ", command.stdout) == methods


OPTIONS = [
    ({}, []),
    ({"models": "dataclass"}, ["--models=dataclass"]),
    ({"standalone": True}, ["--standalone"]),
]
ORDERS = Path(__file__).parents[2] / "examples" / "orders" / "contracts"


@needs_command
@pytest.mark.parametrize(("keywords", "arguments"), OPTIONS)
@pytest.mark.parametrize("project", ["", "python: {models: dataclass}\n"])
def test_modules_are_the_same(
    folder: Path, keywords: dict[str, Any], arguments: list[str], project: str
) -> None:
    (folder / "herald.yaml").write_text(project)
    assert BINARY
    path = str(ORDERS / "orders.yaml")
    subprocess.run(
        [BINARY, "generate", "--out", "written", path, *arguments],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=True,
    )
    written = folder / "written"
    files = [path for path in written.rglob("*") if path.is_file()]
    texts = {path.relative_to(written).as_posix(): path.read_text() for path in files}
    made = herald.generate(path, **keywords)
    assert {module.path: module.text for module in made} == texts
