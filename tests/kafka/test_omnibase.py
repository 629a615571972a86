"""Tests that generated code logs with omnibase_core if it is installed.

Takes about 30 s, most of it pip's.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import herald
import pytest

from broker import HANG_SECONDS, Broker
from load import AT_ONCE, all_topics
from nodes import NODES

OMNIBASE_CORE = "omnibase_core==0.47.57"
VERSIONS = ("3.13", "3.12")
INSTALL_SECONDS = 300
PROGRAM = Path(__file__).with_name("program.py")


def pythons() -> Iterator[Path]:
    """Interpreters that the package can be installed for."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(folder) for folder in os.get_exec_path()]
    for version in VERSIONS:
        folders_of_version = sorted(pyenv.glob(f"versions/{version}*/bin"))
        for folder in (*folders_of_version, *folders):
            path = folder / f"python{version}"
            if path.exists() and "shims" not in path.parts:
                yield path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter with omnibase_core, and the Herald of this one."""
    base = next(pythons(), None)
    if base is None:
        pytest.skip(f"needs a Python of {' or '.join(VERSIONS)}, for omnibase_core")
    environment = tmp_path / "environment"
    subprocess.run([base, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check"]
    installed = subprocess.run(
        [str(python), "-m", "pip", "install", *options, OMNIBASE_CORE],
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if installed.returncode != 0:
        pytest.skip(f"{OMNIBASE_CORE} can't be installed: {installed.stderr[-300:]}")
    lend_herald(python)
    return python


def lend_herald(python: Path) -> None:
    """It is made for all versions of Python, with libraries that lie beside it."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    asked = [str(python), "-c", question]
    packages = Path(subprocess.check_output(asked, text=True).strip())
    here = Path(herald.__file__).parent
    for part in (here, here.with_name("herald_events.libs")):
        if part.exists():
            (packages / part.name).symlink_to(part)


def test_omnibase_core_logs_what_heralds_client_publishes(
    broker: Broker, python: Path
) -> None:
    topics = all_topics(broker.namespace)
    broker.create(topics)

    done = subprocess.run(
        [python, PROGRAM, "each_once", broker.namespace],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )

    assert done.returncode == 0, done.stderr
    records = broker.read(topics)
    calls = AT_ONCE * sum(len(node.calls(uuid4(), uuid4())) for node in NODES)
    assert len(records) == calls
    logged = [
        json.loads(line.removeprefix("omnibase "))
        for line in done.stderr.splitlines()
        if line.startswith("omnibase ")
    ]
    published = [entry for entry in logged if entry["message"].startswith("Published ")]
    assert len(published) == calls
    assert {entry["context"]["topic"] for entry in published} == set(topics)
    assert "herald.events " not in done.stderr, "its stand-in is silent"
