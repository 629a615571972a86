"""Exceptions of the package."""

from herald.runtime._errors import HeraldError, PayloadError, PublishError

__all__ = ["HeraldError", "PayloadError", "PublishError", "SettingsError"]


class SettingsError(HeraldError, ValueError):
    """A client setting is invalid. The message names it and what is expected."""


# Tracebacks and pickles name the public module.
for _error in (HeraldError, PayloadError, PublishError):
    _error.__module__ = __name__
del _error
