"""Test that the page of the Python package is up to date."""

import subprocess
import sys

from blocks import ROOT


def test_the_page_of_the_package_is_not_stale() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "python-reference"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
