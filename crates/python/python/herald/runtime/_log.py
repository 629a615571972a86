"""Log of publishers: `omnibase_core` if installed, else the logger `herald.events`."""

import logging
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final


class LogLevel(StrEnum):
    """Log levels, a subset of those of omnibase_core."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


Emit = Callable[[LogLevel, str, dict[str, Any]], object]

_LOGGER: Final = logging.getLogger("herald.events")
_LEVELS: Final = {level: getattr(logging, level.name) for level in LogLevel}


def _of_omnibase() -> Emit | None:
    """Returns the log function of omnibase_core if it is installed."""
    try:
        from omnibase_core.enums.enum_log_level import (  # type: ignore[import-not-found, unused-ignore]
            EnumLogLevel,
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
        return None
    return lambda level, message, context: emit_log_event_sync(
        EnumLogLevel[level.name], message, context
    )


def _to_logging(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    extra = {"event_context": context}
    # The template is the message, by which error trackers group lines.
    template = message.replace("%", "%%") + " %s"
    _LOGGER.log(_LEVELS[level], template, context, extra=extra)


_OMNIBASE: Final = _of_omnibase()
_EMIT: Final = _OMNIBASE or _to_logging


def is_logged(level: LogLevel) -> bool:
    """Whether a level is enabled; omnibase_core decides for itself."""
    return _OMNIBASE is not None or _LOGGER.isEnabledFor(_LEVELS[level])


def is_debug_logged() -> bool:
    """Whether DEBUG is enabled, in a third of the time: the hash of an enumeration's
    member is slow.
    """
    return _OMNIBASE is not None or _LOGGER.isEnabledFor(logging.DEBUG)


def emit_log_event(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    """Log one line; exceptions of the log are suppressed. Control and invisible
    characters are escaped: texts of errors may contain line breaks and terminal escape
    sequences of somebody else.
    """
    with suppress(Exception):
        shown = {
            name: printable(value) if isinstance(value, str) else value
            for name, value in context.items()
        }
        _EMIT(level, printable(message), shown)


def printable(text: str) -> str:
    """Return the text with control and invisible characters escaped, as `repr` does."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
