"""Validation of client settings."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from herald._herald import MemoryCluster
from herald._tokens import TokenProvider
from herald.errors import SettingsError

DEFAULT_SPOOL: Final = "usual"
"""Stands for the spool of `HERALD_SPOOL` or `herald.yaml`, else one in the user's state
folder.
"""

Mode = Literal["direct", "write_ahead"]
CheckTopics = Literal["off", "warn", "error"]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings in the form that the publisher reads."""

    bootstrap_servers: str | None
    properties: list[tuple[str, str]] = field(repr=False)
    """Not in `repr`: some are secrets."""
    token_provider: TokenProvider | None
    service: str | None
    service_version: str | None
    environment: str | None
    instance: str | None
    region: str | None
    namespace: str | None
    topic_pattern: str | None
    envelope: str | None
    headers: list[str] | None
    schema_registry: dict[str, str] = field(repr=False)
    """Not in `repr`: some are secrets."""
    spool: PathLike | None
    spool_max_bytes: int | None
    write_ahead: bool
    deadline: float | None
    max_in_flight: int | None
    max_in_flight_bytes: int | None
    config: PathLike | None
    cluster: MemoryCluster | None


def servers(given: str | Sequence[str] | None) -> str | None:
    """Returns brokers in librdkafka's format."""
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
    """Returns librdkafka properties as text."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise _wrong("properties", "a mapping", given)
    return [(name, _property(name, value)) for name, value in given.items()]


_SCHEMA_REGISTRY: Final = ("url", "framing", "subjects", "user_info", "token", "ca")


def schema_registry(given: str | Mapping[str, str] | None) -> dict[str, str]:
    """Returns the settings of a schema registry that are given."""
    if given is None:
        return {}
    if isinstance(given, str):
        given = {"url": given}
    if not isinstance(given, Mapping):
        raise _wrong("schema_registry", "a mapping or an address", given)
    settings = {}
    for name, value in given.items():
        if name not in _SCHEMA_REGISTRY:
            known = ", ".join(_SCHEMA_REGISTRY)
            raise SettingsError(
                f"schema_registry has no setting {name!r}; it has {known}"
            )
        if (checked := text(f"schema_registry[{name!r}]", value)) is not None:
            settings[name] = checked
    return settings


def text(name: str, given: str | None) -> str | None:
    """Returns text that is not blank, if given."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise _wrong(name, "str", given)
    if not given.strip():
        raise SettingsError(f"{name} must not be empty; leave it out for the default")
    return given


def headers(given: Sequence[str] | None) -> list[str] | None:
    """Returns the names of headers, if given."""
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise _wrong("headers", "a list of names", given)
    for name in given:
        if not isinstance(name, str):
            raise _wrong("headers", "a list of names", name)
    return list(given)


def count(name: str, given: int | None) -> int | None:
    """Returns a positive integer, if given."""
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool):
        raise _wrong(name, "int", given)
    if not 1 <= given < 1 << 63:
        raise SettingsError(f"{name} must be 1 or more, not {given}")
    return given


def seconds(name: str, given: float | None) -> float | None:
    """Returns a number of seconds, if given."""
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise _wrong(name, "a number of seconds", given)
    if math.isnan(given) or given < 0:
        raise SettingsError(f"{name} must be 0 seconds or more, not {given}")
    return float(given)


def path(name: str, given: PathLike | None) -> PathLike | None:
    """Returns a path, if given."""
    if given is not None and not isinstance(given, str | os.PathLike):
        raise _wrong(name, "a path", given)
    return given


def cluster(given: MemoryCluster | None) -> MemoryCluster | None:
    """Returns an in-memory cluster, if given."""
    if given is not None and not isinstance(given, MemoryCluster):
        raise _wrong("cluster", "a herald.testing.MemoryCluster", given)
    return given


def token_provider(given: TokenProvider | None) -> TokenProvider | None:
    """Returns a function that returns tokens, if given."""
    if given is None:
        return None
    if not callable(given) or inspect.iscoroutinefunction(given):
        found = "a coroutine function" if callable(given) else type(given).__name__
        raise SettingsError(
            "token_provider must be a function that returns a token, and is called "
            f"in a thread, not {found}"
        )
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
    """Returns whether the mode is `write_ahead`."""
    if mode not in ("direct", "write_ahead"):
        raise SettingsError(f"mode must be 'direct' or 'write_ahead', not {mode!r}")
    return mode == "write_ahead"


def check_topics(given: str) -> str:
    """Returns a way to check topics."""
    if given not in ("off", "warn", "error"):
        raise SettingsError(
            f"check_topics must be 'off', 'warn' or 'error', not {given!r}"
        )
    return given


def spool(given: PathLike | None) -> PathLike | None:
    """Returns the spool's path; empty for the default one."""
    if given == DEFAULT_SPOOL:
        return ""
    checked = path("spool", given)
    if checked is not None and not os.fspath(checked):
        raise SettingsError("spool must be a path, 'usual', or None for no spool")
    return checked
