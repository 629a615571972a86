"""Ids: as those of `uuid.uuid4`, whichever way they are made."""

import copy
import pickle
from uuid import RFC_4122, UUID

import pytest
from herald.runtime import _ids


@pytest.fixture(params=["system", "native"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of a copied runtime, and of the installed package."""
    if request.param == "system":
        monkeypatch.setattr(_ids, "_SOURCES", [_ids._from_system])


@pytest.mark.usefixtures("source")
def test_an_id_is_a_uuid_of_version_4() -> None:
    made, text = _ids.new_id()
    same = UUID(text)
    assert (made, str(made), hash(made)) == (same, text, hash(same))
    assert (made.version, made.variant) == (4, RFC_4122)
    assert made.is_safe is same.is_safe
    assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == same


@pytest.mark.usefixtures("source")
def test_ids_do_not_repeat() -> None:
    ids = {_ids.new_id_text() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {UUID(text).version for text in ids} == {4}
