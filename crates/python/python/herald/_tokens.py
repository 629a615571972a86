"""Tokens for logins, from a function of the program."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from herald._herald import TokenAnswer

Token = str | tuple[str, float]
TokenProvider = Callable[[], Token]

_LAST_SECOND = 100_000_000_000
"""Times above are milliseconds, as AWS gives them."""


def start(provider: TokenProvider, answer: TokenAnswer) -> None:
    """Calls a provider on a thread of its own, because it may take long."""
    Thread(
        target=_ask, args=(provider, answer), name="herald-token", daemon=True
    ).start()


def _ask(provider: TokenProvider, answer: TokenAnswer) -> None:
    try:
        answer.token(*_parts(provider()))
    except Exception as error:
        answer.failed(f"{type(error).__name__}: {error}")


def _parts(token: object) -> tuple[str, float | None]:
    """Returns the text and the end of its lifetime."""
    match token:
        case str():
            return token, None
        case (str() as text, int() | float() as end):
            if end > _LAST_SECOND:
                raise ValueError(
                    "the end of the lifetime is in milliseconds, not seconds"
                )
            return text, end
    expected = "str, or str and the end of its lifetime in seconds since 1970"
    raise TypeError(f"a token is {expected}, not {type(token).__name__}")
