"""What can go wrong, as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from herald._herald import Receipt

__all__ = ["HeraldError", "PayloadError", "PublishError", "SettingsError"]


class HeraldError(Exception):
    """Anything that Herald raises by itself."""


class SettingsError(HeraldError, ValueError):
    """The settings of a client can't be used; the message says which, and what to
    do.
    """


class PayloadError(HeraldError, ValueError):
    """A payload can't be written as JSON. It names the path and types, never a
    value.
    """


class PublishError(HeraldError):
    """An event got no receipt: it is not safe, unless `dead_letter` says where it is
    kept.
    """

    code: str
    """A name that stays the same in all versions, such as `deadline` or `closed`."""

    is_retriable: bool
    """Whether the same event may get a receipt when it is published again later."""

    dead_letter: Receipt | None
    """Where an event is kept that the cluster will never take."""

    def __init__(
        self,
        message: str,
        code: str,
        is_retriable: bool = False,
        dead_letter: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.is_retriable = is_retriable
        self.dead_letter = dead_letter

    def __reduce__(self) -> tuple[object, ...]:
        parts = (str(self), self.code, self.is_retriable, self.dead_letter)
        return (type(self), parts)
