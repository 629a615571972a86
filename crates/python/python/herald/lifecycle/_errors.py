"""What can go wrong in the life of a service."""

from herald.errors import HeraldError


class LifecycleError(HeraldError):
    """A service is put together or used in a way that can't work."""


class StartError(LifecycleError):
    """A service could not start; what had started is stopped again."""


class NotAccepting(LifecycleError):
    """A service takes no operations: it has not started, or it stops."""
