"""Records of the publisher in Python's logging."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from herald import PublishError, SyncKafkaClient
from herald._client_registry import log_lost_event
from herald.testing import MemoryCluster

from clients import event, eventually, numbers, run

LOST = "the cluster is unreachable: events go to the spool"


def outage(folder: Path, cluster: MemoryCluster) -> None:
    with SyncKafkaClient(cluster=cluster, spool=folder / "spool.db") as kafka:
        assert kafka.publish(event(1))
        cluster.stop()
        assert kafka.publish(event(2)).is_spooled
        cluster.start()
        assert kafka.flush(20) == 0


def test_records_have_level_logger_message_and_fields(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def found() -> list[logging.LogRecord]:
        return [one for one in caplog.records if one.getMessage().startswith(LOST)]

    outage(folder, MemoryCluster())
    eventually(found)
    [record] = found()
    assert record.name == "herald.publisher"
    assert record.levelname == "WARNING"
    assert vars(record)["herald_code"] == "unreachable"
    assert "code=unreachable" in record.getMessage()


def test_log_levels_follow_python_logging(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("herald.publisher")
    marker = logging.getLogger("herald.test")
    for level, expected in ((logging.ERROR, 0), (logging.WARNING, 1)):
        caplog.clear()
        caplog.set_level(level, log.name)
        outage(folder, MemoryCluster())
        marker.warning("over")
        if expected:
            eventually(lambda: LOST in caplog.text)
        assert caplog.text.count(LOST) == expected


def test_a_handler_may_raise_or_publish(folder: Path) -> None:
    script = """
        import logging
        cluster = MemoryCluster(1)
        kafka = SyncKafkaClient(cluster=cluster, spool="spool.db")
        own = SyncKafkaClient(cluster=MemoryCluster(), spool=None)
        seen = []

        class Publishing(logging.Handler):
            def emit(self, record):
                own.publish(event(1))
                kafka.enqueue(event(2))
                seen.append(record.getMessage())
                raise LookupError("mine")

        logging.raiseExceptions = False
        log = logging.getLogger("herald.publisher")
        log.addHandler(Publishing())
        log.propagate = False
        sys.unraisablehook = lambda raised: print(type(raised.exc_value).__name__)
        own.connect()
        with kafka:
            for _ in range(3):
                cluster.stop()
                assert kafka.publish(event(1))
                cluster.start()
                assert kafka.flush(20) == 0
            while not seen:
                time.sleep(0.01)
        own.close()
    """
    assert "LookupError" in run(script, folder=folder).stdout


def test_records_at_exit_are_delivered(folder: Path) -> None:
    script = """
        cluster = MemoryCluster()
        kafka = SyncKafkaClient(cluster=cluster, spool="spool.db")
        kafka.connect()

        class Late:
            # Ends after all that is registered with atexit.
            def __del__(self):
                cluster.start()
                cluster.stop()

        late = Late()
        cluster.stop()
        assert kafka.publish(event(1)).is_spooled
    """
    done = run(script, folder=folder)
    assert done.stderr.count(LOST) == 1
    assert "events left in the spool for the next client: 1" in done.stderr


def test_control_characters_are_escaped_in_records(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = "evil\x1b[2J\u200b.invalid:9092"
    with SyncKafkaClient(server, spool=None, close_timeout=0):
        eventually(lambda: "evil" in caplog.text)
    for record in caplog.records:
        assert record.getMessage().isprintable(), record.getMessage()


def test_control_characters_are_escaped_in_lost_events(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_lost_event(PublishError("a\nb\x1b]0;x\x07\u200b", "rejected"))
    assert caplog.messages == [
        r"an event got no receipt (rejected): a\nb\x1b]0;x\x07\u200b"
    ]


def test_many_records_are_all_delivered(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, spool=folder / "spool.db") as kafka:
        for number in range(10):
            cluster.stop()
            assert kafka.publish(event(number))
            cluster.start()
            assert kafka.flush(20) == 0
        outages = kafka.stats().outages
    assert outages > 0
    eventually(lambda: caplog.text.count(LOST) == outages)
    assert numbers(cluster) == list(range(10))
