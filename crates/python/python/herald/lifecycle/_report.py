"""What came of stopping."""

import logging
from dataclasses import dataclass

log = logging.getLogger("herald.lifecycle")


@dataclass(frozen=True, slots=True)
class StopReport:
    """What came of stopping."""

    reason: str
    seconds: float
    unfinished: int
    """Operations that did not end in time."""
    spooled: int
    """Events that wait in the spool for the next client."""
    errors: tuple[str, ...]
    """What could not be stopped in order."""

    @property
    def is_clean(self) -> bool:
        """Whether everything ended by itself."""
        return not self.unfinished and not self.errors

    def log(self) -> None:
        """Says it."""
        for error in self.errors:
            log.error("%s", error)
        level = logging.INFO if self.is_clean else logging.WARNING
        log.log(
            level,
            "stopped after %.2f s (%s): %d operations unfinished, %d events spooled",
            self.seconds,
            self.reason,
            self.unfinished,
            self.spooled,
        )
