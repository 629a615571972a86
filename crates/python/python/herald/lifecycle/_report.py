"""Report of a shutdown."""

import logging
from dataclasses import dataclass

log = logging.getLogger("herald.lifecycle")


@dataclass(frozen=True, slots=True)
class StopReport:
    """Report of a shutdown."""

    reason: str
    seconds: float
    unfinished: int
    """Operations that did not finish in time."""
    spooled: int
    """Events in the spool for the next client."""
    errors: tuple[str, ...]
    """Failures during the shutdown."""

    @property
    def is_clean(self) -> bool:
        """Whether everything finished without a failure."""
        return not self.unfinished and not self.errors

    def log(self) -> None:
        """Logs the report."""
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
