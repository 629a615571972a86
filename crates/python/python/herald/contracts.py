"""Loading of contracts."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from herald import _herald
from herald.diagnostics import ContractError, Diagnostic, read_diagnostics
from herald.nodes import EventDefinition, Node, read_nodes

Path: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Loaded contracts and their diagnostics."""

    nodes: tuple[Node, ...]
    """Nodes by path. Contracts with errors are included as far as they could be parsed.
    """
    diagnostics: tuple[Diagnostic, ...]
    """Diagnostics by file and position."""
    skipped: tuple[str, ...]
    """YAML files in searched folders that are not contracts."""
    _loaded: _herald.Loaded = field(repr=False, compare=False)

    @property
    def events(self) -> tuple[EventDefinition, ...]:
        """Events of all nodes."""
        return tuple(event for node in self.nodes for event in node.events)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Diagnostics that prevent generation."""
        return tuple(
            diagnostic for diagnostic in self.diagnostics if diagnostic.is_error
        )


def load(
    paths: Path | Iterable[Path] | None = None,
    *,
    config: Path | None = None,
) -> Catalog:
    """Load contracts, with a diagnostic for each problem.

    Args:
        paths: Files, folders to search, or globs; by default the project's contracts.
        config: The project's `herald.yaml`; by default the nearest one in the working
            folder or above.

    Raises:
        ContractError: There are no contracts, or `herald.yaml` is invalid.
    """
    given = None if paths is None else _texts(paths)
    loaded = _herald.load(given, config)
    if loaded.usable:
        return _catalog(loaded)
    raise _unusable(loaded, given)


def load_text(
    text: str,
    *,
    name: str = "contract.yaml",
    config: Path | None = None,
) -> Catalog:
    """Load one contract from a string, which diagnostics call `name`.

    No project is searched; `config` names one.

    Raises:
        ContractError: `herald.yaml` is invalid.
    """
    loaded = _herald.load_text(text, name, config)
    if loaded.usable:
        return _catalog(loaded)
    raise _unusable(loaded, None)


def check(
    paths: Path | Iterable[Path] | None = None,
    *,
    config: Path | None = None,
) -> list[Diagnostic]:
    """Lint contracts. Takes the arguments of `load`."""
    return list(load(paths, config=config).diagnostics)


def _texts(paths: Path | Iterable[Path]) -> list[str]:
    if isinstance(paths, str | bytes | os.PathLike):
        paths = [paths]
    return [_text(path) for path in paths]


def _text(path: Path) -> str:
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"paths must be str or os.PathLike[str]; got {path!r}")
    return text


def _catalog(loaded: _herald.Loaded) -> Catalog:
    return Catalog(
        nodes=read_nodes(loaded.nodes()),
        diagnostics=read_diagnostics(loaded.diagnostics()),
        skipped=tuple(loaded.skipped()),
        _loaded=loaded,
    )


def _unusable(loaded: _herald.Loaded, given: list[str] | None) -> ContractError:
    diagnostics = read_diagnostics(loaded.diagnostics())
    if diagnostics:
        return ContractError("nothing was read", diagnostics)
    if given == []:
        return ContractError(
            "no paths were given; without `paths`, the project's are read"
        )
    skipped = loaded.skipped()
    files = (
        "1 YAML file was" if len(skipped) == 1 else f"{len(skipped)} YAML files were"
    )
    return ContractError(
        f"no contracts were found: {files} skipped, such as {skipped[0]}"
    )
