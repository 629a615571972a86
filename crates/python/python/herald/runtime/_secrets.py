"""Redaction of secrets in error texts."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from herald.runtime._context import private_input
from herald.runtime._json import text_of
from herald.runtime._log import printable
from herald.runtime._private_input import mask_private
from herald.runtime._redaction import mask_secrets

ERROR_WINDOW: Final = 4_000  # so much of an error is read and masked,
HALF_A_SECRET: Final = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT: Final = 2_000  # and so much of that is kept
MAX_PLACES: Final = 10  # of a validation error

Masker = Callable[[str, Iterable[re.Pattern[str]]], str]

# The engine in Rust where the package is there, and otherwise the one in Python.
_MASKERS: Final[list[Masker]] = [mask_secrets]


def use_masker(masker: Masker) -> None:
    """Set what masks the secrets of a text."""
    _MASKERS[0] = masker


def error_text(value: object) -> str:
    """Return the text of an error, with `***` for private values of the input of the
    current operation. Validation errors quote their input, so their text is made of
    places and types. Never raises.
    """
    text = _validation_text(value) if isinstance(value, Exception) else None
    if text is None:
        text = text_of(value)
    private = private_input()
    return text if private is None else mask_private(text, private)


def _validation_text(error: Exception) -> str | None:
    """Return the places and types of errors of pydantic, and of those with the same
    `errors()`, such as FastAPI's; None for others.
    """
    with suppress(Exception):
        details: Any = error
        found: list[Mapping[str, Any]] = list(details.errors())
        places = [
            f"{'.'.join(map(str, each['loc'])) or 'value'}: {each['type']}"
            for each in found[:MAX_PLACES]
        ]
        if len(found) > MAX_PLACES:
            places.append("...")
        count = "1 validation error" if len(found) == 1 else f"{len(found)} errors"
        title = getattr(error, "title", None)
        subject = f" for {title}" if isinstance(title, str) else ""
        return f"{count}{subject}: {'; '.join(places)}"
    return None


def redact_secrets(value: object, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the text of an error, truncated, with `***` for secrets and for private
    values of the input of the current operation. Never raises.

    Args:
        value: The error.
        also: Patterns of secrets from a contract, in addition to the built-in ones.
    """
    try:
        full = error_text(value)
        text = full[:ERROR_WINDOW]
        text = _MASKERS[0](text, also)
        if len(full) > ERROR_WINDOW:
            masked, mask, rest = text.rpartition("***")
            text = masked + mask + rest[:-HALF_A_SECRET] + " [...]"
        return text if len(text) <= MAX_ERROR_TEXT else text[:MAX_ERROR_TEXT] + " [...]"
    except Exception:
        return "<unprintable error>"


def reason_of(error: BaseException, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the type of an error and its redacted text, on one line for logs."""
    name, text = type(error).__name__, printable(redact_secrets(error, also))
    return f"{name}: {text}" if text else name
