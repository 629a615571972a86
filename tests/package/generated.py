"""Generated code as a user has it: written to a file, looked at by tools, imported."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Methods to paste have the spelling of `Optional` that existing code looks for.
RULES = ["--select", "E,F,W,I,UP,B,SIM,RUF", "--ignore", "UP045"]


def methods(code: str) -> list[str]:
    """Names of the methods of a class, which must be Python."""
    (node,) = ast.parse("class Node:\n" + code).body
    assert isinstance(node, ast.ClassDef)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [part.name for part in node.body if isinstance(part, kinds)]


def parameters(function: Callable[..., object]) -> dict[str, object]:
    """Names of the parameters in order, with their defaults."""
    found = inspect.signature(function).parameters.values()
    assert all(each.kind is each.POSITIONAL_OR_KEYWORD for each in found)
    return {each.name: each.default for each in found}


def imported(code: str, folder: Path, name: str = "generated_node") -> Any:
    """The module, of which a file is made first."""
    path = folder / f"{name}.py"
    path.write_text(code, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nothing_is_found(code: str, folder: Path) -> None:
    """No tool has anything to say about a module."""
    path = folder / "looked_at.py"
    path.write_text(code, "utf-8")
    ruff = os.environ.get("HERALD_RUFF") or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not there; set HERALD_RUFF")
    isolated = ["--isolated", "--no-cache"]
    mypy = [sys.executable, "-m", "mypy", "--strict"]
    for tool in (
        [ruff, "check", *isolated, *RULES, "--target-version", "py311"],
        [ruff, "format", *isolated, "--check"],
        [*mypy, "--cache-dir", str(folder / "cache")],
    ):
        command = [*tool, str(path)]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
