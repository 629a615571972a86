"""Comparison of expected and actual values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from herald._herald import to_json
from herald.errors import PayloadError


def differences(expected: object, found: object, path: str) -> Iterator[str]:
    """Returns the differences of a JSON value from an expected one, one line per place.

    An expected mapping may be a part of the value, a list must be complete. A type
    matches its instances, a callable the values it returns true for; anything else must
    be equal, as it is or as JSON.
    """
    if isinstance(expected, Mapping):
        yield from _in_mapping(expected, found, path)
    elif isinstance(expected, list | tuple):
        yield from _in_list(expected, found, path)
    elif isinstance(expected, type):
        if not isinstance(found, expected):
            yield _line(path, expected, found)
    elif callable(expected):
        yield from _by_predicate(expected, found, path)
    elif not _equal(expected, found):
        yield from _as_json(expected, found, path)


def _in_mapping(
    expected: Mapping[object, object], found: object, path: str
) -> Iterator[str]:
    if not isinstance(found, dict):
        yield _line(path, expected, found)
        return
    for key, value in expected.items():
        place = f"{path}.{key}"
        if str(key) in found:
            yield from differences(value, found[str(key)], place)
        else:
            yield f"{place}: expected {formatted(value)}, but it is missing"


def _in_list(
    expected: list[object] | tuple[object, ...], found: object, path: str
) -> Iterator[str]:
    if not isinstance(found, list):
        yield _line(path, expected, found)
        return
    for number, (value, other) in enumerate(zip(expected, found, strict=False)):
        yield from differences(value, other, f"{path}[{number}]")
    if len(expected) != len(found):
        yield f"{path}: expected {len(expected)} items, found {len(found)}"


def _by_predicate(
    expected: Callable[[object], object], found: object, path: str
) -> Iterator[str]:
    try:
        agrees = bool(expected(found))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        yield f"{_line(path, expected, found)} ({reason})"
    else:
        if not agrees:
            yield _line(path, expected, found)


def _as_json(expected: object, found: object, path: str) -> Iterator[str]:
    try:
        written = json.loads(to_json(expected))
    except PayloadError:
        written = expected
    if isinstance(written, dict | list) and written is not expected:
        yield from differences(written, found, path)
    elif not _equal(written, found):
        yield _line(path, expected, found)


def _equal(expected: object, found: object) -> bool:
    # 1 equals True in Python, but not in JSON.
    if isinstance(expected, bool) is not isinstance(found, bool):
        return False if isinstance(expected, bool | int | float) else expected == found
    return bool(expected == found)


def _line(path: str, expected: object, found: object) -> str:
    return f"{path}: expected {formatted(expected)}, found {formatted(found)}"


MAX_VALUE_CHARS = 200
"""Most characters shown of a value."""


def formatted(value: object) -> str:
    """Returns a value as text, truncated."""
    text = _text(value)
    if len(text) <= MAX_VALUE_CHARS:
        return text
    return f"{text[:MAX_VALUE_CHARS]}... ({len(text)} characters)"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        items = (f"{key!r}: {_text(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, type):
        return f"any {value.__name__}"
    if code := getattr(value, "__code__", None):
        name = getattr(value, "__name__", "function").strip("<>")
        return f"{name} at {Path(code.co_filename).name}:{code.co_firstlineno}"
    return repr(value)
