"""Ways to publish, each in a process of its own, in turn: so that ratios hold when the
machine's speed drifts. A figure is the median of the rounds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from statistics import median

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

ROUNDS = int(os.environ.get("HERALD_BENCH_RUNS", "5"))
# Less than the whole, to see that it works.
SCALE = float(os.environ.get("HERALD_BENCH_SCALE", "1"))
PARTITIONS = 3
TIMEOUT_SECONDS = 300

Figures = dict[str, float]
Way = tuple[str, str, int]


def rounds(
    ways: list[Way], command: list[str], count: int = ROUNDS
) -> dict[str, Figures]:
    """Calls the command with the name of a way, a topic and how many events: its last
    line is a JSON object of measurements.
    """
    broker = Broker(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    taken: dict[str, list[Figures]] = {way: [] for way, _, _ in ways}
    for number in range(count):
        for way, _, most in ways:
            print(f"round {number + 1} of {count}: {way}", file=sys.stderr)
            events = max(int(most * SCALE), 100)
            topic = broker.fresh_topic(f"bench-{way}-{number}")
            taken[way].append(run([*command, way, topic, str(events)]))
            broker.remove(topic, at_least=events)
    return {way: medians(figures) for way, figures in taken.items()}


def run(command: list[str]) -> Figures:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def medians(rounds: list[Figures]) -> Figures:
    return {
        name: median(figures[name] for figures in rounds)
        for name, figure in rounds[0].items()
        if isinstance(figure, int | float)
    }


class Broker:
    def __init__(self, address: str) -> None:
        self.admin = AdminClient({"bootstrap.servers": address})
        self.consumer = Consumer({"bootstrap.servers": address, "group.id": "bench"})

    def fresh_topic(self, name: str) -> str:
        """A topic of its own for each run, so that none grows larger than another's."""
        self.admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(30)
        return name

    def remove(self, topic: str, at_least: int) -> None:
        """Removes a topic, once it is seen to hold what was published."""
        ends = 0
        for partition in range(PARTITIONS):
            place = TopicPartition(topic, partition)
            ends += self.consumer.get_watermark_offsets(place, timeout=30)[1]
        if ends < at_least:
            raise SystemExit(f"{topic} holds {ends} of {at_least} events")
        self.admin.delete_topics([topic])[topic].result(30)


def table(title: str, columns: list[str], rows: Iterable[list[str]]) -> None:
    print(f"\n### {title}\n")
    print(f"|  | {' | '.join(columns)} |")
    print(f"| --- |{' ---: |' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()
