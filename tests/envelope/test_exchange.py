"""Envelopes go from Python to Herald and back."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from conftest import Exchange
from model import ModelAsPydanticWritesIt, ModelOnexEnvelopeV1

FIELDS = list(ModelOnexEnvelopeV1.model_fields)
NEVER_NULL = set(FIELDS) - {"correlation_id"}

CORRELATION = uuid4()
NOON = datetime(2025, 11, 5, 12, tzinfo=UTC)

SMALLEST: dict[str, Any] = {
    "event_type": "orchestrator.routing.started",
    "source_node_id": "node-1",
    "payload": {},
}
LARGEST: dict[str, Any] = {
    "event_id": UUID("F47AC10B-58CC-4372-A567-0E02B2C3D479"),
    "event_type": "orchestrator.orchestration.completed",
    "event_version": "2.0",
    "event_timestamp": NOON + timedelta(microseconds=7),
    "source_node_id": 'größe "7" \\ 😀\n',
    "source_service": "orders",
    "source_version": "3.2.1",
    "source_instance": "pod-1",
    "correlation_id": CORRELATION,
    "causation_id": "the-cause",
    "environment": "test",
    "region": "eu",
    "partition_key": "order-17",
    "payload": {
        "nested": [1, 2.5, None, {"text": "ÄÖÜ\u2028"}],
        "big": 2**80,
        "small": 1e-300,
    },
    "metadata": {"node_type": "orchestrator"},
    "added_later": {"by": ["a", "newer", "writer"]},
}
ENVELOPES = [
    SMALLEST,
    LARGEST,
    SMALLEST | {"event_timestamp": NOON},
    SMALLEST | {"event_timestamp": NOON.astimezone(timezone(timedelta(hours=-3.5)))},
]


def as_the_original(envelope: ModelOnexEnvelopeV1) -> str:
    return json.dumps(envelope.model_dump(mode="json"))


def as_utf8_without_spaces(envelope: ModelOnexEnvelopeV1) -> str:
    document = envelope.model_dump(mode="json")
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def as_pydantic(envelope: ModelOnexEnvelopeV1) -> str:
    return ModelAsPydanticWritesIt.model_validate(
        envelope.model_dump()
    ).model_dump_json()


def without_nulls(envelope: ModelOnexEnvelopeV1) -> str:
    return json.dumps(envelope.model_dump(mode="json", exclude_none=True))


WRITERS = [as_the_original, as_utf8_without_spaces, as_pydantic, without_nulls]


@pytest.mark.parametrize("write", WRITERS)
def test_envelopes_round_trip(write: Any, exchange: Exchange) -> None:
    sent = [ModelOnexEnvelopeV1(**fields) for fields in ENVELOPES]

    written = exchange([write(envelope) for envelope in sent])

    back = [ModelOnexEnvelopeV1.model_validate_json(w.text) for w in written]
    assert back == sent


def test_herald_writes_canonical_envelopes(exchange: Exchange) -> None:
    sent = [ModelOnexEnvelopeV1(**fields) for fields in ENVELOPES]

    for envelope, written in zip(
        sent, exchange([as_the_original(e) for e in sent]), strict=True
    ):
        document = written.document
        known = [name for name in document if name in FIELDS]
        assert known == [name for name in FIELDS if name in document]
        assert not [
            name for name in NEVER_NULL & set(document) if document[name] is None
        ]
        assert document["event_id"] == str(envelope.event_id)
        assert document["event_timestamp"] == envelope.event_timestamp.astimezone(
            UTC
        ).isoformat(timespec="microseconds")


def test_the_key_falls_back_as_in_the_original(exchange: Exchange) -> None:
    event_id = uuid4()
    steps = {
        "order-17": LARGEST,
        str(CORRELATION): LARGEST | {"partition_key": None},
        "node-1": SMALLEST | {"partition_key": ""},
        str(event_id): SMALLEST | {"event_id": event_id, "source_node_id": ""},
    }
    texts = [as_the_original(ModelOnexEnvelopeV1(**f)) for f in steps.values()]
    assert [written.key for written in exchange(texts)] == list(steps)


def test_python_json_extensions_are_refused(exchange: Exchange) -> None:
    document = json.loads(as_the_original(ModelOnexEnvelopeV1(**SMALLEST)))
    document["payload"] = {"value": float("inf")}

    (refused,) = exchange([json.dumps(document)])

    assert refused.key == ""
    assert refused.document["code"] == "syntax"
    assert refused.document["field"] == "payload"
