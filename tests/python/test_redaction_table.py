"""The table of secrets, by the engine in Python that standalone modules have."""

import pytest
from herald.runtime._redaction import mask_secrets

from redaction_cases import CASES


@pytest.mark.parametrize(("text", "masked"), CASES)
def test_masks_what_the_table_lists(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked
    assert mask_secrets(f"ValueError: {text}") == f"ValueError: {masked}"
