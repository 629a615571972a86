"""Redaction of secrets in texts."""

import re
from collections.abc import Iterable
from functools import lru_cache

from herald._herald import Redactor
from herald.runtime._secrets import use_masker

__all__ = ["redact"]


def redact(text: str, patterns: Iterable[str | re.Pattern[str]] = ()) -> str:
    """Return a text with `***` for passwords, tokens and other secrets.

    Args:
        text: An error message, a line of a log, or any other text.
        patterns: Regular expressions of more secrets. Those given as text ignore case,
            and may not have look-around or back-references, as in contracts.

    Raises:
        ValueError: A pattern is not a valid regular expression.
    """
    plain: list[str] = []
    compiled: list[re.Pattern[str]] = []
    for pattern in patterns:
        if isinstance(pattern, str):
            plain.append(pattern)
        elif _is_portable(pattern):
            plain.append(pattern.pattern)
        else:
            compiled.append(pattern)
    try:
        masked = _redactor(tuple(plain)).redact(text)
    except UnicodeEncodeError:  # A lone surrogate, which UTF-8 can't have.
        masked = _redactor(tuple(plain)).redact(
            text.encode(errors="backslashreplace").decode()
        )
    for each in compiled:
        masked = each.sub("***", masked)
    return masked


@lru_cache(maxsize=256)
def _redactor(patterns: tuple[str, ...]) -> Redactor:
    return Redactor(list(patterns))


@lru_cache(maxsize=256)
def _is_portable(pattern: re.Pattern[str]) -> bool:
    """Tell whether a pattern means the same to the engine, as those of contracts do."""
    if pattern.flags != re.IGNORECASE | re.UNICODE:
        return False
    try:
        Redactor([pattern.pattern])
    except ValueError:
        return False
    return True


use_masker(redact)
