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
        target: Name of one or more targets; see `targets`.
        models: Kind of Python models; by default that of `herald.yaml`, else pydantic.
        standalone: Whether the runtime is copied beside the modules, so that they
            do not need Herald; by default the setting of `herald.yaml`.

    Raises:
        ContractError: A contract has errors, or two would write the same file.
        ValueError: The target or the kind of models is unknown.
    """
    names = [target] if isinstance(target, str) else list(dict.fromkeys(target))
    catalog = contracts if isinstance(contracts, Catalog) else load(contracts)
    errors, files = catalog._loaded.generate(names, models, standalone)
    if diagnostics := read_diagnostics(errors):
        raise ContractError("nothing was generated", diagnostics)
    return [GeneratedFile(path, text) for path, text in files]
