"""The rows of the table of secrets, by the engine in Python that standalone modules have."""

import json
import re
from itertools import cycle, islice
from typing import Final

import pytest
from herald.runtime._redaction import mask_secrets

from harness import ROOT

TABLE: Final = json.loads((ROOT / "crates/redact/tests/examples.json").read_text())
FORMATS: Final = json.loads((ROOT / "crates/redact/tests/formats.json").read_text())
CHARACTERS: Final = {
    "alnum": "a9Bc7De5Fg3Hi1JkL8mN6oP4qR2sT0uVwXyZ",
    "upper": "K7M2Q9X4A6B3T8Z5",
    "hex": "3fa9c1e7b5d8264f",
    "digits": "4820917365",
    "base64": "aB3+cD5/eF7Gh9Ij",
}


def plain(example: str) -> str:
    return _expanded(example.replace("«", "").replace("»", ""))


def masked(example: str) -> str:
    return _expanded(re.sub("«.*?»", "***", example, flags=re.DOTALL))


def _expanded(text: str) -> str:
    def filler(match: re.Match[str]) -> str:
        return "".join(islice(cycle(CHARACTERS[match[1]]), int(match[2])))

    return re.sub(r"\{(alnum|upper|hex|digits|base64)\*(\d+)\}", filler, text)


def cases(part: str) -> list[tuple[str, str]]:
    return [(rule, text) for rule, texts in TABLE[part].items() for text in texts]


@pytest.mark.parametrize(("rule", "example"), cases("examples"))
def test_masks_each_example(rule: str, example: str) -> None:
    assert mask_secrets(plain(example)) == masked(example)
    assert (
        mask_secrets(f"ValueError: {plain(example)}")
        == f"ValueError: {masked(example)}"
    )


@pytest.mark.parametrize(("rule", "text"), cases("near_misses"))
def test_keeps_each_near_miss(rule: str, text: str) -> None:
    assert mask_secrets(plain(text)) == plain(text)


@pytest.mark.parametrize("example", FORMATS["masked"])
def test_masks_each_format(example: str) -> None:
    assert mask_secrets(plain(example)) == masked(example)


@pytest.mark.parametrize("text", FORMATS["kept"])
def test_keeps_other_texts(text: str) -> None:
    assert mask_secrets(plain(text)) == plain(text)
