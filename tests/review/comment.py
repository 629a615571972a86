"""The summary of a review as a service renders it."""

from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The first line, by which a comment is found again, and nothing else of HTML.
MARKER = "<!-- herald review -->"


@dataclass
class Comment:
    """Text of a comment, with code apart from text that a service acts upon."""

    text: str
    code: str


def read(markdown: str) -> Comment:
    """Parse a comment, which may have neither links nor images nor HTML."""
    parser = MarkdownIt("gfm-like", {"linkify": True, "html": True})
    text, code = [], []
    for token in flat(parser.parse(markdown)):
        kind = token.type
        if kind == "html_block":
            assert token.content.strip() == MARKER
        elif kind in ("code_inline", "fence"):
            code.append(token.content)
        elif kind == "text":
            text.append(token.content)
        else:
            assert kind in STRUCTURE, token
    return Comment("\n".join(text), "\n".join(code))


STRUCTURE = {
    f"{name}_{end}"
    for name in ("heading", "bullet_list", "list_item", "paragraph", "strong")
    for end in ("open", "close")
} | {"inline", "softbreak"}


def flat(tokens: list[Token]) -> list[Token]:
    """Return all tokens, with those inside of others."""
    return [one for token in tokens for one in (token, *flat(token.children or []))]
