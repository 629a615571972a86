"""JSON representations of values without a JSON type, each with exactly one form."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from herald.runtime._generics import T


class Wire:
    """Reader of a JSON representation in an `Annotated` type, for pydantic and
    `from_json`. A value of the type itself is accepted.
    """

    def __init__(
        self,
        read: Callable[[Any], object],
        write: Callable[[Any], object] | None = None,
    ) -> None:
        self.read = read
        self.write = write

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return the schema for pydantic, which calls this."""
        from pydantic_core import core_schema

        schema = core_schema.no_info_before_validator_function(
            self.read, handler(source)
        )
        if self.write is not None:
            schema["serialization"] = core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json-unless-none"
            )
        return schema


_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_BASE64: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
)


_SECONDS: Final = r"\d{1,9}(?:\.\d{1,6})?S"
_CLOCK: Final = (
    rf"T(?:\d{{1,9}}H(?:\d{{1,9}}M)?(?:{_SECONDS})?"
    rf"|\d{{1,9}}M(?:{_SECONDS})?|{_SECONDS})"
)
_DATES: Final = r"(?:\d{1,6}Y(?:\d{1,3}D)?|\d{1,8}D)"
_DURATION: Final = re.compile(
    rf"-?P(?:\d{{1,8}}W|{_DATES}(?:{_CLOCK})?|{_CLOCK})", re.ASCII
)
_PART: Final = re.compile(r"([\d.]+)([YWDHMS])", re.ASCII)

_DAYS_OF_YEAR: Final = 365  # as pydantic writes a timedelta

_MINUTE: Final = timedelta(minutes=1)
_MAX_DURATION: Final = timedelta(days=100_000_000)


def _text(value: object, form: re.Pattern[str], expected: str) -> str:
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ValueError(f"expected {expected}")


def _converted(read: Callable[[str], T], text: str, expected: str) -> T:
    try:
        return read(text)
    except ValueError:  # its text quotes the value
        raise ValueError(f"expected {expected}") from None


def read_uuid(value: object) -> UUID:
    """Parse a UUID with hyphens."""
    if isinstance(value, UUID):
        return value
    return UUID(_text(value, _UUID, "a UUID with hyphens"))


def read_datetime(value: object) -> datetime:
    """Parse an RFC 3339 time."""
    expected = "a time with an offset, such as 2025-11-05T12:00:00Z"
    if isinstance(value, datetime):
        offset = value.utcoffset()
        # RFC 3339 has no seconds in offsets, as those of local times before 1900 have.
        if offset is None or offset % _MINUTE:
            raise ValueError(f"expected {expected}, in whole minutes")
        return value
    text = _text(value, _TIME, expected).upper()
    return _converted(datetime.fromisoformat, text, expected)


def read_date(value: object) -> date:
    """Parse an RFC 3339 date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    expected = "a date such as 2025-11-05"
    return _converted(date.fromisoformat, _text(value, _DATE, expected), expected)


def read_decimal(value: object) -> Decimal:
    """Parse a decimal number from text: a JSON number would lose digits."""
    expected = 'a decimal number as text, such as "12.50"'
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"expected {expected}, not NaN or Infinity")
        return value
    try:
        return Decimal(_text(value, _DECIMAL, expected))
    except InvalidOperation:
        raise ValueError(f"expected {expected}") from None


def read_bytes(value: object) -> bytes:
    """Decode Base64."""
    if isinstance(value, bytes):
        return value
    return b64decode(_text(value, _BASE64, "bytes as Base64"))


def read_integer(value: object) -> int:
    """Read an integer, also one written as 2.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("expected a whole number")


def read_duration(value: object) -> timedelta:
    """Parse a duration in ISO 8601, without months; a year is 365 days."""
    expected = "a duration such as P1DT2H30M"
    if isinstance(value, timedelta):
        if abs(value) >= _MAX_DURATION:
            raise ValueError(f"expected {expected}, of less than 100,000,000 days")
        return value
    text = _text(value, _DURATION, expected)
    parts = {unit: number for number, unit in _PART.findall(text)}
    seconds, _, fraction = parts.get("S", "0").partition(".")
    length = timedelta(
        weeks=int(parts.get("W", 0)),
        days=int(parts.get("Y", 0)) * _DAYS_OF_YEAR + int(parts.get("D", 0)),
        hours=int(parts.get("H", 0)),
        minutes=int(parts.get("M", 0)),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(6, "0")),
    )
    return -length if text.startswith("-") else length


def write_duration(value: timedelta) -> str:
    """Return a duration in ISO 8601, with days as its longest unit."""
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{seconds}{fraction}S" if seconds or fraction else "",
    ]
    days = f"{length.days}D" if length.days else ""
    time = "".join(parts)
    if not time:
        return f"{sign}P{days}" if days else "PT0S"
    return f"{sign}P{days}T{time}"


def _write_bytes(value: bytes) -> str:
    return b64encode(value).decode()


Uuid: TypeAlias = Annotated[UUID, Wire(read_uuid)]
DateTime: TypeAlias = Annotated[datetime, Wire(read_datetime, datetime.isoformat)]
Date: TypeAlias = Annotated[date, Wire(read_date)]
DecimalText: TypeAlias = Annotated[Decimal, Wire(read_decimal, str)]
Base64: TypeAlias = Annotated[bytes, Wire(read_bytes, _write_bytes)]
Duration: TypeAlias = Annotated[timedelta, Wire(read_duration, write_duration)]
Integer: TypeAlias = Annotated[int, Wire(read_integer)]
