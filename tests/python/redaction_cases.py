"""Texts with secrets, and what redaction makes of them. In examples `«…»` marks a
secret, and `{hex*32}` stands for 32 characters of a class.
"""

import json
import re
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "crates/redact/tests"
CHARACTERS: Final = {
    "alnum": "a9Bc7De5Fg3Hi1JkL8mN6oP4qR2sT0uVwXyZ",
    "upper": "K7M2Q9X4A6B3T8Z5",
    "hex": "3fa9c1e7b5d8264f",
    "digits": "4820917365",
    "base64": "aB3+cD5/eF7Gh9Ij",
}


def _plain(example: str) -> str:
    return _expanded(example.replace("«", "").replace("»", ""))


def _masked(example: str) -> str:
    return _expanded(re.sub("«.*?»", "***", example, flags=re.DOTALL))


def _expanded(text: str) -> str:
    def filler(match: re.Match[str]) -> str:
        return "".join(islice(cycle(CHARACTERS[match[1]]), int(match[2])))

    return re.sub(r"\{(alnum|upper|hex|digits|base64)\*(\d+)\}", filler, text)


def _cases() -> list[tuple[str, str]]:
    table: dict[str, dict[str, list[str]]] = _read("examples.json")
    formats: dict[str, list[str]] = _read("formats.json")
    secrets = [text for texts in table["examples"].values() for text in texts]
    others = [text for texts in table["near_misses"].values() for text in texts]
    secrets += formats["masked"]
    others += formats["kept"]
    return [(_plain(text), _masked(text)) for text in secrets + others]


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


CASES: Final = _cases()
"""Texts of the table and of services, and the same without secrets."""
