"""Generation of files from contracts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from herald import _herald
from herald.contracts import Catalog, Path, load
from herald.diagnostics import ContractError, read_diagnostics


@dataclass(frozen=True, slots=True)
class Target:
    """Kind of generated output."""

    name: str
    title: str
    extension: str
    """File extension without the dot."""


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """Generated file in memory."""

    path: str
    """Path relative to the output folder, with `/` between its parts."""
    text: str
    """Text with `\\n` line ends and one `\\n` at the end, to be written as UTF-8."""


def targets() -> list[Target]:
    """Return all targets."""
    return [Target(*row) for row in _herald.targets()]


def generate(
    contracts: Catalog | Path | Iterable[Path] | None = None,
    target: str | Iterable[str] = "python",
    *,
    models: Literal["pydantic", "dataclass"] | None = None,
    standalone: bool | None = None,
) -> list[GeneratedFile]:
    """Generate files in memory; nothing is written.

    Args:
        contracts: A catalog, or what `load` takes.
        target: Name of a target, or of several; see `targets`.
        models: What models of Python are made of; unless given, what `herald.yaml`
            says, else models of pydantic.
        standalone: Whether modules have the runtime in them, so that they need no
            Herald; unless given, what `herald.yaml` says.

    Raises:
        ContractError: A contract has errors, or two would write one file.
        ValueError: There is no such target, or no such models.
    """
    names = [target] if isinstance(target, str) else list(dict.fromkeys(target))
    catalog = contracts if isinstance(contracts, Catalog) else load(contracts)
    errors, files = catalog._loaded.generate(names, models, standalone)
    if diagnostics := read_diagnostics(errors):
        raise ContractError("nothing was generated", diagnostics)
    return [GeneratedFile(path, text) for path, text in files]
