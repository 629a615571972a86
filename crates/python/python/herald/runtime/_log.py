"""The log of publishers: that of omnibase_core, or the logger `herald.events`."""

import logging
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

__all__ = ["LogLevel", "emit_log_event", "is_logged"]

try:
    from omnibase_core.enums.enum_log_level import (  # type: ignore[import-not-found, unused-ignore]
        EnumLogLevel as LogLevel,
    )

    try:
        from omnibase_core.logging.logging_structured import (  # type: ignore[import-not-found, unused-ignore]
            emit_log_event_sync,
        )
    except ImportError:  # the module's name in earlier versions
        from omnibase_core.logging.structured import (  # type: ignore[import-not-found, no-redef, unused-ignore]
            emit_log_event_sync,
        )
except ImportError:

    class LogLevel(StrEnum):  # type: ignore[no-redef, unused-ignore]
        """Stands in for the log levels of omnibase_core."""

        DEBUG = "DEBUG"
        INFO = "INFO"
        WARNING = "WARNING"
        ERROR = "ERROR"

    _LOG: Final = logging.getLogger("herald.events")
    _LEVELS: Final = {level: getattr(logging, level.name) for level in LogLevel}

    def emit_log_event_sync(  # type: ignore[misc, unused-ignore]
        level: LogLevel,
        message: str,
        context: Any = None,
    ) -> None:
        """Stand in for the log of omnibase_core: the logger `herald.events`."""
        _LOG.log(
            _LEVELS[level],
            "%s %s",
            message,
            context,
            extra={"event_context": context},
        )

    def is_logged(level: LogLevel) -> bool:
        """Whether anybody would see a line."""
        return _LOG.isEnabledFor(_LEVELS[level])

else:

    def is_logged(level: LogLevel) -> bool:
        """Whether anybody would see a line: that is for the log to say."""
        return True


def emit_log_event(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    """Log one line; what the log raises must not reach the node."""
    with suppress(Exception):
        emit_log_event_sync(level, message, context)
