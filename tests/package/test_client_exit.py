"""The end of Python: nothing hangs, nothing crashes, nothing acknowledged is lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from herald import SyncKafkaClient
from herald.testing import MemoryCluster

from clients import PRELUDE, numbers, run

ENDINGS = {
    "falls off the end": ("pass", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("raise LookupError('mine')", 1),
    "SystemExit in a thread": (
        "t = threading.Thread(target=sys.exit); t.start(); t.join()",
        0,
    ),
}


def left_in(spool: Path) -> list[int]:
    """Numbers of the events that the next client delivers."""
    cluster = MemoryCluster(1)
    with SyncKafkaClient(cluster=cluster, spool=spool) as kafka:
        assert kafka.flush(20) == 0
    return numbers(cluster)


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_events_in_flight_are_spooled_at_exit(
    folder: Path, end: str, kind: str
) -> None:
    statement, code = ENDINGS[end]
    script = f"""
        cluster = MemoryCluster(1)
        settings = dict(cluster=cluster, spool="spool.db", close_timeout=0.2)
        if "{kind}" == "sync":
            kafka = SyncKafkaClient(**settings)
            kafka.connect()
            cluster.pause()
            pending = [kafka.enqueue(event(i)) for i in range(100)]
            {statement}
        else:
            async def main():
                kafka = KafkaClient(**settings)
                await kafka.connect()
                cluster.pause()
                tasks = [asyncio.create_task(kafka.publish(event(i)))
                         for i in range(100)]
                await asyncio.sleep(0)
                {statement}
            asyncio.run(main())
    """
    done = run(script, folder=folder, code=code)
    assert left_in(folder / "spool.db") == list(range(100))
    if kind == "sync":
        words = "SyncKafkaClient was not closed by the program; closing it now"
        assert words in done.stderr
    assert "events left in the spool for the next client: 100" in done.stderr


def test_without_a_spool_losses_are_logged_at_exit(folder: Path) -> None:
    script = """
        cluster = MemoryCluster()
        kafka = SyncKafkaClient(cluster=cluster, spool=None, close_timeout=0.1)
        kafka.connect()
        cluster.pause()
        pending = [kafka.enqueue(event(i)) for i in range(5)]
    """
    done = run(script, folder=folder)
    assert "events lost, because there is no spool: 5" in done.stderr


def test_a_kill_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    script = """
        cluster = MemoryCluster(1)
        cluster.stop()
        kafka = SyncKafkaClient(cluster=cluster, spool="spool.db", mode="write_ahead")
        kafka.connect()

        def publish(worker):
            number = worker
            while True:
                kafka.publish(event(number))
                os.write(1, b"%d\\n" % number)
                number += 4

        for worker in range(4):
            threading.Thread(target=publish, args=(worker,), daemon=True).start()
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = run(script, folder=folder, code=-9)
    acknowledged = {int(line) for line in done.stdout.split()}
    assert len(acknowledged) > 10
    found = left_in(folder / "spool.db")
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
@pytest.mark.parametrize("spool", [None, "spool.db"])
def test_publishing_threads_do_not_disturb_exit(
    folder: Path, state: str, spool: str | None
) -> None:
    script = f"""
        import logging
        cluster = MemoryCluster()
        settings = dict(cluster=cluster, spool={spool!r}, close_timeout=0.1)
        kafka = SyncKafkaClient(**settings, max_in_flight=2, deadline=0.2)
        kafka.connect()
        state = "{state}"
        if state == "paused":
            cluster.pause()
        if state == "stopped":
            cluster.stop()

        def publish():
            while True:
                try:
                    kafka.publish(event(1))
                except Exception:
                    pass

        async def forever():
            try:
                async with KafkaClient(cluster=MemoryCluster(), spool=None) as own:
                    while True:
                        await own.publish(event(1))
            except Exception:
                await asyncio.Event().wait()

        for _ in range(4):
            threading.Thread(target=publish, daemon=True).start()
        threading.Thread(target=asyncio.run, args=(forever(),), daemon=True).start()
        time.sleep(0.2)
    """
    for _ in range(3):
        run(script, folder=folder)


def test_an_unclosed_client_causes_a_resource_warning(folder: Path) -> None:
    script = """
        import gc, warnings
        warnings.simplefilter("always")
        kafka = SyncKafkaClient("127.0.0.1:1", spool=None)
        kafka.connect()
        del kafka
        gc.collect()
    """
    done = run(script, folder=folder)
    assert "ResourceWarning: <SyncKafkaClient 127.0.0.1:1 connected>" in done.stderr
    assert "was not closed" in done.stderr


def test_ctrl_c_ends_a_program(folder: Path) -> None:
    script = """
        async def main():
            cluster = MemoryCluster()
            async with KafkaClient(cluster=cluster, spool="spool.db") as kafka:
                print("ready", flush=True)
                while True:
                    await kafka.publish(event(1))

        asyncio.run(main())
    """
    path = folder / "program.py"
    path.write_text(PRELUDE + textwrap.dedent(script))
    program = subprocess.Popen(
        [sys.executable, str(path)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    program.send_signal(2)
    _, errors = program.communicate(timeout=60)
    assert program.returncode in (-2, 130)
    assert errors.strip().endswith("KeyboardInterrupt")
