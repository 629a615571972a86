"""Private values of the input of an operation, and their removal from error texts."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final
from urllib.parse import quote, quote_plus
from uuid import UUID

from herald.runtime._fields import fields_of
from herald.runtime._json import text_of
from herald.runtime._privacy import PublicFields, private_values
from herald.runtime._redaction import MASK

OMITTED: Final = "omitted by the contract"
MAX_VALUES: Final = 10_000  # of an input; a failure must not take seconds
MAX_TEXT: Final = 100_000  # of a value, and of an error text
SHORT: Final = 4  # Shorter values are masked only as whole words.
LONG: Final = 24  # Of longer values,
RUN: Final = 16  # so many characters in a row are masked, too.
MIN_DIGITS: Final = 8  # Numbers with so many digits are masked with any separators.
MAX_FAILED: Final = 100  # inner runs whose input is remembered


class PrivateInput:
    """Input of a run, whose private values are masked in the texts of its errors.

    Args:
        input: Input as `kept_input` returns it.
        public: Its public fields; None if nothing is private.
        around: Input of the surrounding run.
        omits_text: Whether the texts of errors are left out.
    """

    __slots__ = ("_around", "_failed", "_input", "_public", "omits_text")

    def __init__(
        self,
        input: object,
        public: PublicFields | None,
        around: "PrivateInput | None",
        *,
        omits_text: bool = False,
    ) -> None:
        self._input = input
        self._public = public
        self._around = around
        self.omits_text = omits_text
        """Whether the texts of errors are left out."""
        self._failed: list[PrivateInput] | None = None

    def failed(self) -> None:
        """Adds the private values to those of the surrounding run: the error may go
        there.
        """
        around, self._around = self._around, None
        if around is not None:
            around._failed = around._failed or []
            if len(around._failed) < MAX_FAILED:
                around._failed.append(self)

    def values(self) -> Iterator[object]:
        """Returns the private values: those of the input, and of inner runs that
        failed.
        """
        yield from private_values(fields_of(self._input) or {}, self._public)
        for inner in self._failed or ():
            yield from inner.values()


def mask_private(text: str, private: PrivateInput) -> str:
    """Returns a text with `***` for private values, in the forms in which errors quote
    them. Never raises.
    """
    if private.omits_text:
        return OMITTED
    try:
        text = text[:MAX_TEXT]
        lower = text.lower()
        wanted = []
        spans: list[tuple[int, int]] = []
        for scalar in _scalars(private.values()):
            for form in _forms(scalar):
                if form in text or form.lower() in lower:
                    wanted.append(_word(form))
                elif len(form) >= LONG:
                    spans += _runs(text, form)
            wanted += _digits(scalar, text)
        for pattern in wanted:
            found = re.finditer(f"(?=({pattern}))", text, re.IGNORECASE)
            spans += [match.span(1) for match in found]
        return _with_masks(text, spans)
    except Exception:
        return MASK


def _scalars(values: Iterable[object]) -> Iterator[object]:
    """Returns the scalars in values, at any depth."""
    open_values = list(values)
    for _ in range(MAX_VALUES):
        if not open_values:
            return
        value = open_values.pop()
        if isinstance(value, Mapping):
            open_values += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            open_values += value
        elif isinstance(value, Enum):
            open_values += [value.value, value.name]
        elif isinstance(value, _SCALARS):
            yield value
        else:
            fields = None
            with suppress(Exception):  # its attributes may raise
                fields = fields_of(value)
            open_values += [text_of(value)] if fields is None else fields.values()
    raise ValueError("too many values")


_SCALARS: Final = (
    str, bytes, int, float, Decimal, UUID, date, time, timedelta, type(None)
)  # fmt: skip


def _forms(value: object) -> set[str]:
    """Returns the texts of a value in error messages."""
    if value is None or isinstance(value, bool):
        return set()  # not private: there are no others
    texts = {str(value), repr(value)}
    match value:
        case str():
            texts = {value, value.strip()}
        case bytes():
            texts |= {value.hex(), b64encode(value).decode()}
            texts |= {value.decode("utf-8", "replace"), repr(value)[2:-1]}
        case UUID():
            texts.add(value.hex)
        case date() | time():
            texts.add(value.isoformat())
    for text in tuple(texts):
        text = text[:MAX_TEXT]
        texts |= {repr(text)[1:-1], quote(text, safe=""), quote_plus(text)}
        texts |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return {text[:MAX_TEXT] for text in texts if text.strip()}


def _word(form: str) -> str:
    if len(form) >= SHORT:
        return re.escape(form)
    return rf"(?<![^\W_]){re.escape(form)}(?![^\W_])"


def _digits(value: object, text: str) -> list[str]:
    """Returns a pattern for a number such as that of a card, with any separators."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return []
    digits = [character for character in str(value)[:100] if character.isdecimal()]
    if len(digits) < MIN_DIGITS or len(digits) * 2 < len(str(value)):
        return []
    return ["[ .:/_-]?".join(digits)]


def _runs(text: str, form: str) -> list[tuple[int, int]]:
    """Returns the parts of a text that are a long part of a value."""
    starts = range(len(text) - RUN + 1)
    return [(at, at + RUN) for at in starts if text[at : at + RUN] in form]


def _with_masks(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or (start == end and not parts):
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join(parts) + text[end:] if parts else text
