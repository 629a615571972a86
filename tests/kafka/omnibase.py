"""An environment with omnibase_core, which needs Python 3.12 or later."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import herald
import pytest

OMNIBASE_CORE = "omnibase_core==0.47.57"
VERSIONS = ("3.13", "3.12")
INSTALL_SECONDS = 300


def make_environment(environment: Path) -> Path:
    """Returns an interpreter with omnibase_core, and the Herald of this one."""
    base = next(pythons(), None)
    if base is None:
        pytest.skip(f"needs a Python of {' or '.join(VERSIONS)}, for omnibase_core")
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
    lend_herald(environment)
    return python


def pythons() -> Iterator[Path]:
    """Interpreters that the package can be installed for."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(folder) for folder in os.get_exec_path()]
    for version in VERSIONS:
        of_version = sorted(pyenv.glob(f"versions/{version}*/bin"))
        for folder in (*of_version, *folders):
            path = folder / f"python{version}"
            if path.exists() and "shims" not in path.parts:
                yield path


def lend_herald(environment: Path) -> None:
    """It is made for all versions of Python, with libraries that lie beside it."""
    [packages] = environment.glob("lib/python*/site-packages")
    here = Path(herald.__file__).parent
    for part in (here, here.with_name("herald_events.libs")):
        if part.exists():
            (packages / part.name).symlink_to(part)
