"""SIGTERM and SIGINT, in programs of their own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BEYOND_MIN_INTERVAL = 0.7
"""Seconds after which a signal counts as the second one."""

PROGRAM = """\
import asyncio, sys, time
from herald import KafkaClient
from herald.lifecycle import Lifecycle

def say(text):
    print(text, flush=True)

client = KafkaClient("127.0.0.1:1", service="s", spool="spool.db")
life = Lifecycle(client=client, drain_timeout={drain})
life.dependency("database", stop=lambda: say("database stopped"))

async def main():
    for number in range(1_000_000):
        async with life.operation():
            say("in flight")
            try:
                {work}
                say("finished")
            except asyncio.CancelledError:
                say("cancelled")
                raise

try:
    life.run(main)
finally:
    say(life.state)
"""


def start(folder: Path, work: str, drain: float = 60.0) -> subprocess.Popen[str]:
    path = folder / "program.py"
    path.write_text(PROGRAM.format(work=work, drain=drain))
    program = subprocess.Popen(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "in flight\n"
    return program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_operation_in_flight_finish(
    folder: Path, number: signal.Signals
) -> None:
    program = start(folder, "await life.stop_requested(); await asyncio.sleep(0.05)")
    program.send_signal(number)
    output, errors = program.communicate(timeout=60)
    assert output.split("\n") == ["finished", "database stopped", "stopped", ""]
    assert program.returncode == 0, errors


def test_an_operation_that_does_not_finish_is_cancelled(folder: Path) -> None:
    program = start(folder, "await asyncio.Event().wait()", drain=0.05)
    program.send_signal(signal.SIGTERM)
    output, errors = program.communicate(timeout=60)
    assert output.split("\n") == ["cancelled", "database stopped", "stopped", ""]
    assert program.returncode == 0, errors


def test_a_second_signal_stops_at_once(folder: Path) -> None:
    work = "await life.stop_requested(); say('asked'); await asyncio.Event().wait()"
    program = start(folder, work)
    program.send_signal(signal.SIGTERM)
    assert program.stdout is not None
    assert program.stdout.readline() == "asked\n"
    time.sleep(BEYOND_MIN_INTERVAL)
    program.send_signal(signal.SIGTERM)
    output, errors = program.communicate(timeout=30)
    assert "finished" not in output
    assert "database stopped" not in output
    assert program.returncode == 128 + signal.SIGTERM, errors


def test_signals_in_quick_succession_count_once(folder: Path) -> None:
    work = "await life.stop_requested(); say('asked'); await asyncio.sleep(0.2)"
    program = start(folder, work)
    program.send_signal(signal.SIGTERM)
    assert program.stdout is not None
    assert program.stdout.readline() == "asked\n"
    program.send_signal(signal.SIGTERM)
    program.send_signal(signal.SIGINT)
    output, errors = program.communicate(timeout=60)
    assert output.split("\n") == ["finished", "database stopped", "stopped", ""]
    assert program.returncode == 0, errors


@pytest.mark.skipif(shutil.which("timeout") is None, reason="needs coreutils")
def test_timeout_of_coreutils_stops_the_program_gracefully(folder: Path) -> None:
    path = folder / "program.py"
    work = "await life.stop_requested(); await asyncio.sleep(0.2)"
    path.write_text(PROGRAM.format(work=work, drain=60.0))
    done = subprocess.run(
        ["timeout", "--preserve-status", "5", sys.executable, str(path)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    lines = ["in flight", "finished", "database stopped", "stopped", ""]
    assert done.stdout.split("\n") == lines
    assert done.returncode == 0, done.stderr


def test_a_second_signal_ends_tasks_that_swallow_cancellation(
    folder: Path,
) -> None:
    work = """
                while True:
                    try:
                        await life.stop_requested()
                        say('asked')
                        await asyncio.Event().wait()
                    except asyncio.CancelledError:
                        pass"""
    program = start(folder, work.strip())
    program.send_signal(signal.SIGTERM)
    assert program.stdout is not None
    assert program.stdout.readline() == "asked\n"
    time.sleep(BEYOND_MIN_INTERVAL)
    program.send_signal(signal.SIGTERM)
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 128 + signal.SIGTERM, errors


def test_a_third_signal_ends_a_blocked_program(folder: Path) -> None:
    program = start(folder, "time.sleep(3600)")
    while program.poll() is None:
        program.send_signal(signal.SIGTERM)
        try:
            program.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    program.communicate(timeout=30)
    assert program.returncode == -signal.SIGTERM


STARTING = """\
import asyncio, threading
from herald import KafkaClient
from herald.lifecycle import Lifecycle

def say(text):
    print(text, flush=True)

async def hang():
    say("here")
    await asyncio.Event().wait()

def block():
    say("here")
    threading.Event().wait()

class Slow(KafkaClient):
    async def connect(self):
        await hang()

client = KafkaClient("127.0.0.1:1", service="s", spool="spool.db")
life = Lifecycle(client=client)
life.dependency("config", stop=lambda: say("config stopped"))
{phase}
life.run({main})
say(life.state)
"""

PHASES = {
    "connecting": (
        "life = Lifecycle(client=Slow('127.0.0.1:1', service='s', spool='spool.db'))",
        [],
    ),
    "a dependency": (
        "life.dependency('slow', start=hang, start_timeout=60, after=['config'])",
        ["config stopped"],
    ),
    "a dependency in a thread": (
        "life.dependency('slow', start=block, start_timeout=60, after=['config'])",
        ["config stopped"],
    ),
    "a dependency that is tried again": (
        "life.dependency('slow', start=lambda: say('here') or 1 / 0, retries=9,"
        " backoff=60, after=['config'])",
        ["config stopped"],
    ),
    "its first task": ("life.task('work', hang)", ["config stopped"]),
    "its main": ("", ["config stopped"]),
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_in_any_phase_of_the_start_stops_what_has_started(
    folder: Path, phase: str
) -> None:
    statement, stopped = PHASES[phase]
    main = "hang" if phase == "its main" else ""
    path = folder / "program.py"
    path.write_text(STARTING.format(phase=statement, main=main))
    program = subprocess.Popen(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "here\n"
    program.send_signal(signal.SIGTERM)
    output, errors = program.communicate(timeout=30)
    assert output.split("\n") == [*stopped, "stopped", ""], errors
    assert "Traceback" not in errors
    assert program.returncode == 0


def test_sys_exit_in_main_stops_the_service_first(folder: Path) -> None:
    path = folder / "program.py"
    path.write_text(
        "import sys\n"
        "from herald.lifecycle import Lifecycle\n"
        "life = Lifecycle()\n"
        "life.dependency('config', stop=lambda: print('config stopped'))\n"
        "async def main():\n"
        "    sys.exit(3)\n"
        "life.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "config stopped\n")
    assert done.stderr == ""
