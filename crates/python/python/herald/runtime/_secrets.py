"""Redaction of secrets in error texts."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from herald.runtime._json import text_of
from herald.runtime._log import printable
from herald.runtime._redaction import mask_secrets

ERROR_WINDOW: Final = 4_000  # so much of an error is read and masked,
HALF_A_SECRET: Final = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT: Final = 2_000  # and so much of that is kept

Masker = Callable[[str, Iterable[re.Pattern[str]]], str]

# The engine in Rust where the package is there, and otherwise the one in Python.
_MASKERS: Final[list[Masker]] = [mask_secrets]


def use_masker(masker: Masker) -> None:
    """Set what masks the secrets of a text."""
    _MASKERS[0] = masker


def redact_secrets(value: object, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the text of an error, truncated, with `***` for secrets. Never raises.

    Args:
        value: The error.
        also: Patterns of secrets from a contract, in addition to the built-in ones.
    """
    try:
        full = text_of(value)
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
