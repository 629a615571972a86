"""Forks: the parent keeps its client, and a child has its own."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from clients import run

FORK = """import os, signal, sys
def fork(child):
    \"\"\"Runs it in a fork; returns its exit code.\"\"\"
    sys.stdout.flush()
    process = os.fork()
    if not process:
        signal.alarm(30)
        child()
        sys.exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
"""


def run_forking(script: str, folder: Path) -> str:
    path = folder / "forking.py"
    path.write_text(FORK)
    program = "from forking import fork\n" + textwrap.dedent(script)
    return run(program, folder=folder).stdout


def test_a_forked_child_gets_a_clear_error(folder: Path) -> None:
    script = """
        kafka = SyncKafkaClient(cluster=MemoryCluster(), spool="spool.db")
        kafka.connect()
        pending = kafka.enqueue(event(0))

        def child():
            assert not kafka.is_connected
            calls = [
                lambda: kafka.publish(event(1)),
                lambda: kafka.publish_many([event(1)]),
                lambda: kafka.flush(1),
                kafka.stats,
            ]
            for call in calls:
                try:
                    call()
                except Exception as error:
                    print(error.code)
            assert kafka.close() == 0

        assert fork(child) == 7
        assert pending.result() and kafka.publish(event(2))
        kafka.close()
    """
    assert run_forking(script, folder).split() == ["forked"] * 4


@pytest.mark.parametrize("cluster", ["MemoryCluster()", "DevCluster()"])
def test_a_forked_child_can_use_its_own_client(folder: Path, cluster: str) -> None:
    script = f"""
        cluster = {cluster}
        if isinstance(cluster, DevCluster):
            where = {{"bootstrap_servers": cluster.bootstrap_servers}}
        else:
            where = {{"cluster": cluster}}
        kafka = SyncKafkaClient(**where, spool="spool.db")
        kafka.connect()
        pending = [kafka.enqueue(event(i)) for i in range(500)]

        def closed():
            if "cluster" in where:
                where["cluster"] = MemoryCluster()
            with SyncKafkaClient(**where, spool="spool.db") as own:
                assert own.publish(event(1)).is_delivered

        def forgotten():
            if "cluster" in where:
                where["cluster"] = MemoryCluster()
            own = SyncKafkaClient(**where, spool="spool.db")
            own.connect()
            assert own.publish(event(1))

        def replaced():
            global kafka
            closed()
            kafka = None
            closed()

        for child in (closed, forgotten, replaced, lambda: None) * 3:
            assert fork(child) == 7, child
        assert all(receipt.result() for receipt in pending)
        assert kafka.publish(event(1))
        kafka.close()
    """
    run_forking(script, folder)


def test_a_forked_child_can_connect_its_parents_client(folder: Path) -> None:
    script = """
        cluster = DevCluster()
        servers = cluster.bootstrap_servers
        kafka = SyncKafkaClient(servers, spool="spool.db")
        loop_kafka = KafkaClient(servers, spool="loop.db")
        kafka.connect()
        asyncio.run(loop_kafka.connect())
        assert kafka.publish(event(0)).is_delivered

        def sync_child():
            kafka.connect()
            assert kafka.is_connected
            assert kafka.publish(event(1)).is_delivered
            assert kafka.close() == 0

        async def publish():
            async with loop_kafka:
                assert (await loop_kafka.publish(event(2))).is_delivered

        for child in (sync_child, lambda: asyncio.run(publish())) * 2:
            assert fork(child) == 7
        assert kafka.publish(event(3)).is_delivered
        kafka.close()
        asyncio.run(loop_kafka.close())
    """
    run_forking(script, folder)


def test_forks_during_the_first_publish_do_not_hang(folder: Path) -> None:
    """Each round is a process of its own, whose first publish races with a fork."""
    script = """
        import datetime, decimal, uuid

        def everything():
            payload = {
                "id": uuid.uuid4(),
                "at": datetime.datetime.now(),
                "price": decimal.Decimal(1),
                "bytes": b"x",
            }
            return Event("effect.place.started", "n", payload)

        def child():
            signal.alarm(5)
            with SyncKafkaClient(cluster=MemoryCluster(), spool="own.db") as own:
                assert own.publish(everything())
            os._exit(7)

        def round_of(delay):
            kafka = SyncKafkaClient(cluster=MemoryCluster(), spool="spool.db")
            kafka.connect()
            begins = threading.Lock()
            begins.acquire()

            def first():
                begins.release()
                kafka.publish(everything())

            thread = threading.Thread(target=first)
            thread.start()
            begins.acquire()
            for _ in range(delay):
                pass
            assert fork(child) == 7
            thread.join()
            kafka.close()
            os._exit(7)

        started = time.monotonic()
        rounds = 0
        while rounds < 60 and time.monotonic() - started < 20:
            assert fork(lambda: round_of(10 * (rounds % 6))) == 7, rounds
            rounds += 1
    """
    run_forking(script, folder)


def test_an_event_loop_of_a_forked_child_can_publish(folder: Path) -> None:
    script = """
        async def publish(kafka):
            async with kafka:
                assert await kafka.publish(event(1))

        def child():
            asyncio.run(publish(KafkaClient(cluster=MemoryCluster(), spool=None)))

        async def parent():
            async with KafkaClient(cluster=MemoryCluster(), spool=None) as kafka:
                flying = asyncio.ensure_future(kafka.publish(event(1)))
                await asyncio.sleep(0)
                import multiprocessing
                for method in ("fork", "spawn"):
                    process = multiprocessing.get_context(method).Process(target=child)
                    process.start()
                    await asyncio.to_thread(process.join)
                    assert process.exitcode == 0, method
                assert await flying
                assert await kafka.publish(event(2))

        if __name__ == "__main__":
            asyncio.run(parent())
    """
    run(script, folder=folder)


def test_forking_while_spooling_and_logging_does_not_hang(folder: Path) -> None:
    script = """
        import logging
        logging.getLogger("herald").addHandler(logging.NullHandler())
        logging.getLogger("herald").propagate = False
        cluster = MemoryCluster()
        kafka = SyncKafkaClient(cluster=cluster, spool="spool.db")
        kafka.connect()
        assert kafka.publish(event(0))
        over = threading.Event()

        def noise():
            while not over.is_set():
                cluster.stop()
                kafka.publish(event(1))
                cluster.start()

        thread = threading.Thread(target=noise, daemon=True)
        thread.start()

        def child():
            with SyncKafkaClient(cluster=MemoryCluster(), spool="own.db") as own:
                assert own.publish(event(1))
            os._exit(7)

        for _ in range(30):
            assert fork(child) == 7
        over.set()
        thread.join()
        cluster.start()
        kafka.close()
    """
    run_forking(script, folder)
