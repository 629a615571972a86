"""What a client is given, checked where Python's types do not say enough."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from herald.errors import SettingsError

if TYPE_CHECKING:
    from herald._herald import MemoryCluster

USUAL_SPOOL: Final = "usual"
"""The spool where `HERALD_SPOOL` or `herald.yaml` say, else in the user's state
folder.
"""

Mode = Literal["direct", "write_ahead"]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, as the publisher reads them."""

    bootstrap_servers: str | None
    properties: list[tuple[str, str]]
    service: str | None
    service_version: str | None
    environment: str | None
    instance: str | None
    region: str | None
    namespace: str | None
    topic_pattern: str | None
    spool: PathLike | None
    spool_max_bytes: int | None
    write_ahead: bool
    deadline: float | None
    max_in_flight: int | None
    max_in_flight_bytes: int | None
    config: PathLike | None
    cluster: MemoryCluster | None


def servers(given: str | Sequence[str] | None) -> str | None:
    """Brokers, as librdkafka wants them."""
    text = given if given is None or isinstance(given, str) else ",".join(given)
    if text is not None and not text.strip(" ,"):
        raise SettingsError("bootstrap_servers names no broker; expected 'HOST:PORT'")
    return text


def properties(given: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Properties of librdkafka as text. Booleans are written as it reads them."""
    return [(name, _text(name, value)) for name, value in (given or {}).items()]


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    kind = type(value).__name__
    raise SettingsError(
        f"properties[{name!r}] must be str, int, float or bool, not {kind}"
    )


def write_ahead(mode: str) -> bool:
    """Whether the disk comes first."""
    if mode not in ("direct", "write_ahead"):
        raise SettingsError(f"mode must be 'direct' or 'write_ahead', not {mode!r}")
    return mode == "write_ahead"


def spool(given: PathLike | None) -> PathLike | None:
    """The spool's path, empty for the usual one."""
    if given == USUAL_SPOOL:
        return ""
    if given is not None and not os.fspath(given):
        raise SettingsError("spool must be a path, 'usual', or None for no spool")
    return given
