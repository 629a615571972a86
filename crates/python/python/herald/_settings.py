"""What a client is given, checked where Python's types do not say enough."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from herald._herald import MemoryCluster
from herald.errors import SettingsError

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
    properties: list[tuple[str, str]] = field(repr=False)
    """Some are secrets."""
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
    if given is None:
        return None
    servers = [given] if isinstance(given, str) else given
    if not isinstance(servers, Sequence):
        raise _wrong("bootstrap_servers", "str or a list of str", given)
    for server in servers:
        if not isinstance(server, str):
            raise _wrong("bootstrap_servers", "str or a list of str", server)
    joined = ",".join(servers)
    if not joined.strip(" ,"):
        raise SettingsError("bootstrap_servers names no broker; expected 'HOST:PORT'")
    return joined


def properties(given: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Properties of librdkafka as text. Booleans are written as it reads them."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise _wrong("properties", "a mapping", given)
    return [(name, _property(name, value)) for name, value in given.items()]


def text(name: str, given: str | None) -> str | None:
    """Text that says something, where it is given."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise _wrong(name, "str", given)
    if not given.strip():
        raise SettingsError(f"{name} must not be empty; leave it out for the default")
    return given


def count(name: str, given: int | None) -> int | None:
    """1 or more, where it is given."""
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool):
        raise _wrong(name, "int", given)
    if not 1 <= given < 1 << 63:
        raise SettingsError(f"{name} must be 1 or more, not {given}")
    return given


def seconds(name: str, given: float | None) -> float | None:
    """0 or more, where it is given."""
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise _wrong(name, "a number of seconds", given)
    if math.isnan(given) or given < 0:
        raise SettingsError(f"{name} must be 0 seconds or more, not {given}")
    return float(given)


def path(name: str, given: PathLike | None) -> PathLike | None:
    """A path, where it is given."""
    if given is not None and not isinstance(given, str | os.PathLike):
        raise _wrong(name, "a path", given)
    return given


def cluster(given: MemoryCluster | None) -> MemoryCluster | None:
    """A cluster in memory, where one is given."""
    if given is not None and not isinstance(given, MemoryCluster):
        raise _wrong("cluster", "a herald.testing.MemoryCluster", given)
    return given


def _wrong(name: str, expected: str, given: object) -> SettingsError:
    found = type(given).__name__
    return SettingsError(f"{name} must be {expected}, not {found}")


def _property(name: object, value: object) -> str:
    if not isinstance(name, str):
        raise _wrong("the name of a property", "str", name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise _wrong(f"properties[{name!r}]", "str, int, float or bool", value)


def write_ahead(mode: str) -> bool:
    """Whether the disk comes first."""
    if mode not in ("direct", "write_ahead"):
        raise SettingsError(f"mode must be 'direct' or 'write_ahead', not {mode!r}")
    return mode == "write_ahead"


def spool(given: PathLike | None) -> PathLike | None:
    """The spool's path, empty for the usual one."""
    if given == USUAL_SPOOL:
        return ""
    checked = path("spool", given)
    if checked is not None and not os.fspath(checked):
        raise SettingsError("spool must be a path, 'usual', or None for no spool")
    return checked
