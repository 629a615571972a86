"""Exceptions of publishing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from herald import Receipt


class HeraldError(Exception):
    """Base class of Herald's exceptions."""


class PayloadError(HeraldError, ValueError):
    """A payload that does not match its contract, or can't be written as JSON. The
    message names the path and the rule or the types, never a value.
    """


class PublishError(HeraldError):
    """An event got no receipt: it is not safe, unless `dead_letter` is its receipt."""

    code: str
    """Stable error code, such as `deadline` or `closed`."""

    is_retriable: bool
    """Whether publishing the event again later may succeed."""

    dead_letter: "Receipt | None"
    """Receipt of the dead letter of an event that the cluster rejects permanently."""

    def __init__(
        self,
        message: str,
        code: str,
        is_retriable: bool = False,
        dead_letter: "Receipt | None" = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.is_retriable = is_retriable
        self.dead_letter = dead_letter

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (str(self), self.code, self.is_retriable, self.dead_letter)
        return (type(self), parts)
