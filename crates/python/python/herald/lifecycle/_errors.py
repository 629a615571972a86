"""Errors of the lifecycle."""

from herald.errors import HeraldError


class LifecycleError(HeraldError):
    """A service is configured or used incorrectly."""


class StartError(LifecycleError):
    """A service could not start; what had started was stopped."""


class NotAccepting(LifecycleError):
    """A service accepts no operations: it has not started, or it is stopping."""
