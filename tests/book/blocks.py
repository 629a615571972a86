"""Blocks of code on the pages, and the ways to try them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(
    r"(?:^<!-- before\n(?P<before>.*?)\n-->\n)?"
    r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

LANGUAGES = {"console", "json", "python", "rust", "sh", "text", "toml", "yaml"}

# A block with one of these words behind its language is not run, and is counted.
SKIPPED = {
    "fragment": "a part of something whole",
    "no-run": "type-checked, not run: it serves until it is stopped",
    "needs-kafka": "needs a cluster whose topics can be changed",
    "rule": "an example of a rule, which crates/catalog/tests/diagnostics.rs tries",
    "signature": "printed from the package itself",
    "setup": "builds or installs something",
}
MARKS = {*SKIPPED, "away", "broken", "no_run", "output", "target"}


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    page: Path
    line: int
    language: str
    marks: frozenset[str]
    text: str
    before: str
    """Code that runs first and is not shown, in the same language."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def skipped(self) -> str | None:
        """Reason that it is not run."""
        return next((why for mark, why in SKIPPED.items() if mark in self.marks), None)

    @property
    def is_tried(self) -> bool:
        """Whether it is run, or read by what it is for. Rust is compiled elsewhere, by
        `cargo test --doc -p herald-cli`.
        """
        tried = {"console", "json", "python", "toml", "yaml"}
        return self.language in tried and not self.skipped

    @property
    def is_whole(self) -> bool:
        """Whether it is code that a type checker understands."""
        return self.language == "python" and not self.marks & {"fragment", "signature"}

    @property
    def name(self) -> str | None:
        """Name of the file, if its first line is one."""
        found = re.match(r"# ([\w./-]+\.(?:yaml|py|json))\n", self.text)
        return found[1] if found else None


def blocks_of(page: Path) -> Iterator[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        words = found["info"].replace(",", " ").split()
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("info")) + 1,
            language=words[0] if words else "",
            marks=frozenset(words[1:]),
            text=found["text"],
            before=found["before"] or "",
        )


def all_blocks() -> list[Block]:
    """Blocks of all pages."""
    return [block for page in PAGES for block in blocks_of(page)]
