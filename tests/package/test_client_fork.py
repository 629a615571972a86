"""Forks: the parent's client is the parent's, and the child has its own."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from clients import run

FORK = """import os, signal, sys
def fork(child):
    \"\"\"Runs it in a fork; says how that ended.\"\"\"
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
                kafka.close,
            ]
            for call in calls:
                try:
                    call()
                except Exception as error:
                    print(error.code)

        assert fork(child) == 7
        assert pending.result() and kafka.publish(event(2))
        kafka.close()
    """
    assert run_forking(script, folder).split() == ["forked"] * 5


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


def test_forking_while_logging_does_not_hang(folder: Path) -> None:
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
            with SyncKafkaClient(cluster=MemoryCluster(), spool=None) as own:
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
