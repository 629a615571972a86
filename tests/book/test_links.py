"""Tests that links and anchors of the built book have targets, without network."""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from blocks import DOCS, ROOT

BOOK = ROOT / "target" / "book"


class Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            elif value and name in {"href", "src"}:
                self.links.append(value)


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    """Pages of mdBook; rustdoc checks its own."""
    if not (BOOK / "index.html").exists():
        pytest.fail("there is no book: `make book` builds it")
    files = [file for file in BOOK.rglob("*.html") if BOOK / "rust" not in file.parents]
    return {file: Page(file) for file in files}


def test_every_page_is_in_the_book(pages: dict[Path, Page]) -> None:
    sources = {page.relative_to(DOCS) for page in DOCS.rglob("*.md")}
    wanted = {BOOK / page.with_suffix(".html") for page in sources}
    missing = sorted(
        str(page) for page in wanted - set(pages) if page.stem != "SUMMARY"
    )
    assert not missing, "pages that docs/SUMMARY.md does not name"


def test_links_lead_to_pages_and_anchors(pages: dict[Path, Page]) -> None:
    broken = []
    checked = 0
    for file, page in pages.items():
        for link in page.links:
            trouble = trouble_with(file, link, pages)
            if trouble:
                broken.append(f"{file.relative_to(BOOK)}: {link}: {trouble}")
            checked += 1
    assert not broken, "\n".join(broken)
    assert checked > len(pages), "no links were found"


def trouble_with(file: Path, link: str, pages: dict[Path, Page]) -> str | None:
    """Problem of a link inside the book."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    # The page of what is not there is served from any place.
    folder = BOOK if parts.path.startswith("/") else file.parent
    target = Path(os.path.normpath(folder / unquote(parts.path).lstrip("/")))
    if not parts.path:
        target = file
    if not target.is_relative_to(BOOK):
        return "it leads out of the book"
    if not target.exists():
        return "there is no such file"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].anchors:
        return "there is no such anchor"
    return None
