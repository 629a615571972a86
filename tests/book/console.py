"""Console sessions: commands and their output."""

import re
from collections.abc import Iterator

# Values that differ from run to run, and their placeholders.
PASSING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b\d\d:\d\d:\d\d\.\d{3}"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|seconds?)\b"), "LONG"),
    (re.compile(r"\b\d+(\.\d+)? (B|KiB|MiB)\b"), "SIZE"),
    (re.compile(r"\b(partition|offset)(\":|[ =])\d+"), "WHERE"),
    (re.compile(r"(?<=\.v\d)/\d+@\d+"), "/WHERE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "BROKER"),
]


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Each command, with its output."""
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = step.partition("\n")
        yield command, output


def agrees(shown: str, printed: str) -> bool:
    """Whether a page shows the printed output. `…` stands for any text; alone in a
    line, for any lines."""
    shown, printed = settled(shown), settled(printed)
    pattern = re.escape(shown).replace(r"\ ", " ")
    pattern = re.sub(r"(?m)^ *…\n?$", r"(?s:.*)", pattern.replace("\\\n", "\n"))
    return re.fullmatch(pattern.replace("…", r"[^\n]*"), printed) is not None


def settled(text: str) -> str:
    """Text with placeholders for values that differ."""
    for pattern, name in PASSING:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
