"""Prints the places of literals in the library of Python, as Python finds them."""

import io
import json
import os
import tokenize
from itertools import accumulate
from pathlib import Path


def literals(text: str) -> list[list[int]]:
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(len(line.encode()) for line in lines)]

    def offset(row: int, column: int) -> int:
        return starts[row - 1] + len(lines[row - 1][:column].encode())

    found = []
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "TSTRING_START"):
            opened.append(offset(*token.start))
        elif name in ("FSTRING_END", "TSTRING_END"):
            start = opened.pop()
            if not opened:
                found.append([start, offset(*token.end)])
        elif name == "STRING" and not opened:
            found.append([offset(*token.start), offset(*token.end)])
    return found


LIBRARY = Path(os.__file__).parent
# The whole library takes half a minute.
GLOBS = ("*.py", "asyncio/*.py", "test/test_*str*.py", "test/test_*token*.py")

for path in sorted(path for glob in GLOBS for path in LIBRARY.glob(glob)):
    text = path.read_bytes().decode("utf-8", "replace")
    # Other separators of lines would be counted differently here.
    if "\r" in text or "\f" in text or len(text.splitlines()) != text.count("\n"):
        continue
    try:
        print(json.dumps([str(path), literals(text)]))
    except (tokenize.TokenError, SyntaxError):
        continue
