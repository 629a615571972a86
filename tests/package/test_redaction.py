"""Redaction by the engine in Rust, and how it agrees with the one in Python."""

import random
import re

import pytest
from herald import redact
from herald.runtime import redact_secrets
from herald.runtime._redaction import mask_secrets
from herald.runtime._redaction_rules import RULES

from redaction_cases import CASES

SEPARATORS = [
    " ",
    "\n",
    ",",
    ", ",
    ";",
    "&",
    "=",
    ":",
    '"',
    "'",
    "/",
    "@",
    "-",
    "(",
    "]",
    "é",
]
ROUNDS = 3_000


@pytest.mark.parametrize(("text", "masked"), CASES)
def test_masks_what_the_table_lists(text: str, masked: str) -> None:
    assert redact(text) == masked


def test_both_engines_agree_on_any_pieces() -> None:
    chance = random.Random(4711)
    texts = [text for text, _ in CASES]
    keywords = [keyword for rule in RULES for keyword in rule[3].split()]
    for _ in range(ROUNDS):
        pieces = []
        for _ in range(chance.randint(1, 6)):
            pieces.append(chance.choice(chance.choice([texts, keywords])))
            pieces.append(chance.choice(SEPARATORS) * chance.randint(0, 2))
        text = "".join(pieces)[: chance.randint(1, 600)]
        assert redact(text) == mask_secrets(text), repr(text)


def test_errors_of_publishers_are_masked_by_the_engine_in_rust(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("herald.runtime._redaction.RULES", ())
    assert redact_secrets(ValueError("password=hunter2")) == "password=***"


def test_patterns_are_masked_beside_the_table() -> None:
    text = "CUST-7 has password=x and card 9"
    assert redact(text, ["cust-[0-9]+"]) == "*** has password=*** and card 9"
    # One that only Python knows, and one where case matters.
    assert redact(text, [re.compile("(?<=card )9")]).endswith("card ***")
    assert redact(text, [re.compile("cust-7")]).startswith("CUST-7")
    assert redact(text, [re.compile("cust-7", re.IGNORECASE)]).startswith("*** has")


def test_a_pattern_that_is_not_valid_is_named() -> None:
    with pytest.raises(ValueError, match=r"`\(` is not a valid pattern"):
        redact("text", ["("])


def test_text_that_is_not_unicode_is_masked_too() -> None:
    assert redact("\ud800 password=x") == "\\ud800 password=***"
