"""An environment with omnibase_core, which needs Python 3.12 or later."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import herald
import pytest

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
OMNIBASE_CORE = "omnibase_core==0.47.57"
VERSIONS = ("3.13", "3.12")
INSTALL_SECONDS = 300


def python_with_omnibase() -> Path:
    """Returns an interpreter with omnibase_core, and the Herald of this one."""
    # Installing takes a minute, and both suites need it.
    environment = TOOLS / OMNIBASE_CORE
    installed = environment / ".installed"
    if not installed.exists():
        install(environment)
        installed.touch()
    lend_herald(environment)
    return environment / "bin" / "python"


def install(environment: Path) -> None:
    base = next(pythons(), None)
    if base is None:
        pytest.skip(f"needs a Python of {' or '.join(VERSIONS)}, for omnibase_core")
    subprocess.run([base, "-m", "venv", "--clear", environment], check=True)
    python = environment / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [str(python), "-m", "pip", "install", *options, OMNIBASE_CORE],
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode != 0:
        pytest.skip(f"{OMNIBASE_CORE} can't be installed: {done.stderr[-300:]}")


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
        link = packages / part.name
        link.unlink(missing_ok=True)
        if part.exists():
            link.symlink_to(part)
