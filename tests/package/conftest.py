"""Shared fixtures of the tests of the package."""

from pathlib import Path

import herald
import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# Tests must not fail because the machine is busy.
settings.register_profile("herald", deadline=None)
settings.load_profile("herald")


def pytest_sessionstart() -> None:
    """The tests are about what users install, never about the source folder."""
    here = Path(herald.__file__)
    if "site-packages" not in here.parts:
        pytest.exit(f"herald is imported from {here}, not from an installed wheel", 2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder without a project, to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
