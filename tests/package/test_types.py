"""The package's types are those that it has."""

import subprocess
import sys
from pathlib import Path

import pytest
from herald.codegen.patterns import LifecyclePatternGenerator


def test_stubs_match_the_native_module(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text("herald._herald.__all__\n")  # PyO3's own
    command = [sys.executable, "-m", "mypy.stubtest", "herald._herald"]
    command += ["--allowlist", str(allowed)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


USER = """
import herald
from herald.codegen.patterns import EventPublishingPatternGenerator

generator = EventPublishingPatternGenerator("effect", "orders", ["place"])
catalog: dict[str, list[str]] = generator.get_event_type_catalog()
texts: list[str] = [file.text for file in herald.generate("a.yaml")]
lines: list[int | None] = [diagnostic.line for diagnostic in herald.check("a.yaml")]
topics: list[str] = [event.topic for event in herald.load().events]
"""
SERVICE = LifecyclePatternGenerator("effect", "orders", ["place"], ["db"], ["refresh"])
WRONG = "import herald\nherald.load(3)\n"


@pytest.mark.parametrize(
    "checker", [["mypy", "--strict"], ["pyright", "--pythonpath", sys.executable]]
)
def test_types_are_clean_for_users(tmp_path: Path, checker: list[str]) -> None:
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "wrong.py").write_text(WRONG)
    service = SERVICE.generate_complete_lifecycle_class()
    (tmp_path / "service.py").write_text(service)
    command = [sys.executable, "-m", *checker]
    for file, code in (("user.py", 0), ("service.py", 0), ("wrong.py", 1)):
        done = subprocess.run(
            [*command, file], cwd=tmp_path, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == code, done.stdout + done.stderr
