"""Log of events: levels, and constant messages with fields."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from herald import KafkaClient, PublishError
from herald.runtime import SyncPublishMethod
from herald.testing import RecordingClient

from shop import _PLACED, AsyncClient, Orders, SyncClient, instrument_place


class Shop(Orders):
    @instrument_place
    async def place(self, order_id: int) -> None:
        if order_id < 0:
            raise ValueError(f"100%s of order {order_id}")


class SyncShop(Orders):
    publish_order = SyncPublishMethod(_PLACED)


@dataclass
class Receipt:
    is_spooled: bool


@pytest.fixture(autouse=True)
def debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and template of each line: error trackers group by the template."""
    records = [record for record in caplog.records if record.name == "herald.events"]
    return [(record.levelname, record.msg.removesuffix(" %s")) for record in records]


def fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = vars(record)["event_context"]
    assert str(found) in record.getMessage()
    return found


@pytest.mark.asyncio
async def test_success_is_logged_at_debug_and_published_means_a_receipt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        await shop.place(7)
        await shop.publish_order_placed(order_id=7)
        assert lines(caplog) == [
            ("DEBUG", "Event enqueued"),
            ("DEBUG", "Event enqueued"),
            ("DEBUG", "Event published"),
        ]
        caplog.clear()
        shop.wait_for_receipts = True
        await shop.place(7)
    assert lines(caplog) == [("DEBUG", "Event published")] * 2


@pytest.mark.asyncio
async def test_an_answer_of_another_client_is_no_receipt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Shop(AsyncClient()).place(7)
    assert lines(caplog) == [("DEBUG", "Event accepted by the Kafka client")] * 2


@pytest.mark.asyncio
async def test_a_failed_operation_is_a_warning_with_a_constant_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        for order_id in (-1, -2):
            with pytest.raises(ValueError, match="of order"):
                await shop.place(order_id)
    warnings = [line for line in caplog.records if line.levelno > logging.INFO]
    assert {(line.levelname, line.msg) for line in warnings} == {
        ("WARNING", "Operation failed %s")
    }
    found = [fields(line) for line in warnings]
    assert [each["operation"] for each in found] == ["place", "place"]
    assert [each["error_type"] for each in found] == ["ValueError", "ValueError"]
    assert all(each["correlation_id"] for each in found)


def test_spooling_is_logged_once_per_outage(caplog: pytest.LogCaptureFixture) -> None:
    client = SyncClient()
    shop = SyncShop(client)
    for is_spooled in (True, True, False, True):
        client.answer = Receipt(is_spooled)
        shop.publish_order(order_id=7)
    assert lines(caplog) == [
        ("INFO", "Event spooled: Kafka is not available"),
        ("DEBUG", "Event spooled"),
        ("DEBUG", "Event published"),
        ("INFO", "Event spooled: Kafka is not available"),
    ]


@pytest.mark.asyncio
async def test_a_client_that_was_never_connected_is_one_warning(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    shop = Shop(KafkaClient("127.0.0.1:1", spool=tmp_path / "spool"))
    await shop.place(7)
    await shop.place(8)
    warnings = [line for line in lines(caplog) if line[0] != "DEBUG"]
    assert warnings == [
        ("WARNING", "Kafka client is not connected: events are not published")
    ]
    with pytest.raises(PublishError):
        await shop.publish_order_placed(order_id=7)


@pytest.mark.asyncio
async def test_without_a_client_events_are_logged_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Shop(None).place(7)
    assert lines(caplog) == [("DEBUG", "Event without a Kafka client")] * 2
    assert fields(caplog.records[0])["payload"]["operation"] == "place"


@pytest.mark.asyncio
async def test_what_is_not_published_is_a_warning_with_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Shop(AsyncClient(OSError("token=hunter2"))).place(7)
    await Shop(AsyncClient(answer=False)).place(7)
    assert lines(caplog) == [
        ("WARNING", "Event not published"),
        ("WARNING", "Event not published"),
        ("WARNING", "Event not accepted by the Kafka client"),
        ("WARNING", "Event not accepted by the Kafka client"),
    ]
    assert fields(caplog.records[0])["error"] == "OSError: token=***"
