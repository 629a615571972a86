"""Diagnostics of contracts."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from herald.errors import HeraldError

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Label:
    """Secondary position of a diagnostic."""

    file: str
    line: int | None
    column: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Violation of a rule at one position.

    Lines and columns count from 1, columns in characters; they are `None` without a
    position. The end is exclusive.
    """

    code: str
    """Stable code of the rule, such as `topic.invalid`; see `herald explain`."""
    severity: Severity
    message: str
    file: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    help: str | None
    """Suggested fix."""
    detail: str | None
    """Machine-readable subject, such as a count or a topic."""
    labels: tuple[Label, ...]

    @property
    def is_error(self) -> bool:
        """Whether the diagnostic prevents generation."""
        return self.severity == "error"

    def __str__(self) -> str:
        parts = (self.file, self.line, self.column)
        place = ":".join(str(part) for part in parts if part is not None)
        sentence = f"{self.severity}[{self.code}]: {self.message}"
        help = f" ({self.help})" if self.help else ""
        return f"{place}: {sentence}{help}" if place else f"{sentence}{help}"


class ContractError(HeraldError, ValueError):
    """Contracts or their project are invalid."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message, diagnostics)
        self.message = message
        self.diagnostics = diagnostics
        """Diagnostics by position."""

    def __str__(self) -> str:
        return "\n".join([self.message, *map(str, self.diagnostics)])


def read_diagnostics(document: str) -> tuple[Diagnostic, ...]:
    """Parse the JSON of `herald check --format json`."""
    return tuple(map(_diagnostic, json.loads(document)["diagnostics"]))


def _diagnostic(written: dict[str, Any]) -> Diagnostic:
    start, end = _ends(written)
    return Diagnostic(
        code=written["code"],
        severity=written["severity"],
        message=written["message"],
        file=written["path"],
        line=start.get("line"),
        column=start.get("column"),
        end_line=end.get("line"),
        end_column=end.get("column"),
        help=written["help"],
        detail=written["detail"],
        labels=tuple(map(_label, written["labels"])),
    )


def _label(written: dict[str, Any]) -> Label:
    start, _ = _ends(written)
    return Label(
        file=written["path"],
        line=start.get("line"),
        column=start.get("column"),
        message=written["message"],
    )


def _ends(written: dict[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    span = written["span"] or {"start": {}, "end": {}}
    return span["start"], span["end"]
