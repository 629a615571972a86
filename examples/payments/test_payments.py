"""Tests of the service, the worker and the consumer: from HTTP to the books."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from fastapi.testclient import TestClient
from herald import KafkaClient, SyncKafkaClient
from herald.testing import DevCluster, RecordingClient, SyncRecordingClient
from ledger.books import TOPICS, Books
from payments.app import create_app
from payments.generated.payments_events import (
    CaptureInput,
    PaymentsEventType,
    PaymentsTopic,
    RefundInput,
)
from payments.worker import Worker, refund_task
from pydantic import ValidationError

CARD = "4111111111111111"
EMAIL = "ann.smith@example.com"


def payment(**changed: Any) -> dict[str, Any]:
    return {
        "payment_id": str(uuid4()),
        "amount": {"value": "99.90", "currency": "EUR"},
        "card": {"number": CARD, "holder": "Ann Smith"},
        **changed,
    }


def pay(client: KafkaClient, body: dict[str, Any]) -> int:
    with TestClient(create_app(client)) as http:
        answer = http.post("/payments", json=body, headers={"email": EMAIL})
    return answer.status_code


def test_a_payment_is_published_in_both_versions(
    herald_client: RecordingClient,
) -> None:
    body = payment()
    assert pay(herald_client, body) == 201
    versions = [
        (event.envelope["event_version"], event.topic)
        for event in herald_client.of_type(PaymentsEventType.PAYMENT_AUTHORIZED)
    ]
    assert versions == [
        ("1.0", PaymentsTopic.PAYMENT_AUTHORIZED_V1),
        ("2.0", PaymentsTopic.PAYMENT_AUTHORIZED_V2),
    ]
    completed = herald_client.assert_published(PaymentsEventType.AUTHORIZE_COMPLETED)
    assert completed.payload["result_summary"]["status"] == "authorized"
    assert completed.envelope["source_service"] == "payments"


def test_private_values_are_in_no_event(herald_client: RecordingClient) -> None:
    assert pay(herald_client, payment()) == 201
    unknown = {"number": "0" + CARD, "holder": "Ann Smith"}
    assert pay(herald_client, payment(card=unknown)) == 402
    herald_client.assert_published(PaymentsEventType.AUTHORIZE_FAILED)
    published = str([event.envelope for event in herald_client.events])
    for private in (CARD, "Ann Smith", EMAIL, "tok_4f9a1c77e2"):
        assert private not in published


def test_what_violates_the_contract_is_refused(herald_client: RecordingClient) -> None:
    for amount in ({"value": "lots", "currency": "EUR"}, {"value": "1"}, 7):
        assert pay(herald_client, payment(amount=amount)) == 422
    assert herald_client.events == []
    with pytest.raises(ValidationError, match="multiple of 5"):
        RefundInput(payment_id=uuid4(), cents=7)


def test_a_task_succeeds_if_its_event_is_safe() -> None:
    client = SyncRecordingClient()
    worker = Worker(client)
    worker.start()
    payment_id, request = uuid4(), uuid4()
    worker.capture(CaptureInput(payment_id=payment_id, installments=3))
    refund_task(worker, str(payment_id), 250, "it is broken", str(request))
    with pytest.raises(LookupError):
        worker.refund(RefundInput(payment_id=uuid4(), cents=5), reason="none")
    assert client.flush() == 0
    refunded = client.assert_published(
        PaymentsEventType.PAYMENT_REFUNDED, correlation_id=request
    )
    assert refunded.payload["amount"] == {"value": "2.50", "currency": "EUR"}
    assert refunded.payload["reason"] == "str"
    client.assert_published(PaymentsEventType.REFUND_FAILED, times=1)
    client.assert_not_published(PaymentsEventType.CAPTURE_STARTED)
    worker.stop()


@pytest.fixture
def servers(herald_cluster: DevCluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """A real Kafka where one is set, else a cluster in this process."""
    address = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if address is None:
        address = herald_cluster.bootstrap_servers
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", address)
        return address
    names = [topic.format(namespace="dev") for topic in PaymentsTopic]
    admin = AdminClient({"bootstrap.servers": address})
    for created in admin.create_topics([NewTopic(name, 3) for name in names]).values():
        with suppress(KafkaException):  # it is there already
            created.result()
    return address


def consume(servers: str, books: Books, is_done: Callable[[], bool]) -> None:
    """Read the topics of the ledger from their beginning."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"ledger-{uuid4()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic.format(namespace="dev") for topic in TOPICS])
    end = monotonic() + 60
    while not is_done() and monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            books.consume(message)
    consumer.close()


def test_the_ledger_reads_what_service_and_worker_publish(
    servers: str, tmp_path: Path
) -> None:
    body = payment(amount={"value": "10.50", "currency": "CHF"})
    refunded = UUID(str(body["payment_id"]))
    assert pay(KafkaClient(spool=tmp_path / "api"), body) == 201
    worker = Worker(SyncKafkaClient(spool=tmp_path / "worker"))
    worker.start()
    worker.capture(CaptureInput(payment_id=refunded))
    refund_task(worker, str(refunded), 250, "it is broken", str(uuid4()))
    worker.stop()
    books = Books()

    def is_done() -> bool:
        return books.balances.get("CHF") is not None and "EUR" in books.balances

    consume(servers, books, is_done)
    # A real Kafka may have payments of earlier runs.
    assert books.balances["CHF"] % Decimal("10.50") == 0
    assert books.balances["EUR"] % Decimal("2.50") == 0


WITHOUT_HERALD = """
import sys
sys.modules["herald"] = None
from ledger.books import Books
assert Books().consume(sys.stdin.read())
"""


def test_the_ledger_needs_no_herald(herald_client: RecordingClient) -> None:
    assert pay(herald_client, payment()) == 201
    [_, event] = herald_client.of_type(PaymentsEventType.PAYMENT_AUTHORIZED)
    subprocess.run(
        [sys.executable, "-c", WITHOUT_HERALD],
        input=json.dumps(event.envelope),
        encoding="utf-8",
        cwd=Path(__file__).parent / "ledger",
        check=True,
    )
