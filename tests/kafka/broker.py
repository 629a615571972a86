"""The broker as tests see it: what reads here knows JSON, and nothing of Herald."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, ConsumerRecord  # type: ignore[import-untyped]
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    OffsetSpec,
)
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 3

# Only a broker that hangs takes so long.
HANG_SECONDS = 60


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes
    headers: dict[str, str]
    value: bytes

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.value)
        return document


@dataclass
class Broker:
    address: str
    namespace: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")
    created: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admin = AdminClient({"bootstrap.servers": self.address})

    def create(self, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
        reasons = self.refusals(topics, partitions, validate_only=False)
        for topic, reason in reasons.items():
            assert reason is None, f"{topic}: {reason}"
            self.created.append(topic)
        self._wait_for_leaders(list(reasons), partitions)

    def _wait_for_leaders(self, topics: Iterable[str], partitions: int) -> None:
        """A topic that was just created refuses messages for a moment."""
        places = [TopicPartition(t, p) for t in topics for p in range(partitions)]
        spec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        latest: dict[TopicPartition, Any] = dict.fromkeys(places, spec)
        deadline = time.monotonic() + HANG_SECONDS
        while latest:
            for place, answer in self.admin.list_offsets(latest).items():
                with suppress(KafkaException):
                    answer.result(HANG_SECONDS)
                    del latest[place]
            assert time.monotonic() < deadline, "partitions have no leader"

    def refusals(
        self,
        topics: Iterable[str],
        partitions: int = PARTITIONS,
        *,
        validate_only: bool = True,
    ) -> dict[str, str | None]:
        """Error for each topic that the broker refuses to create, otherwise None."""
        answers = self.admin.create_topics(
            [NewTopic(topic, partitions, 1) for topic in topics],
            request_timeout=HANG_SECONDS,
            validate_only=validate_only,
        )
        reasons: dict[str, str | None] = {}
        for topic, answer in answers.items():
            try:
                answer.result(HANG_SECONDS)
                reasons[topic] = None
            except KafkaException as refused:
                reasons[topic] = refused.args[0].name()
        return reasons

    def delete_created(self) -> None:
        if self.created:
            for answer in self.admin.delete_topics(self.created).values():
                answer.result(HANG_SECONDS)

    def read(self, topics: Iterable[str]) -> list[Record]:
        """All records of the topics that are there now, in their order."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": self.namespace,
                "enable.auto.commit": False,
            }
        )
        try:
            starts, missing = [], 0
            for topic in topics:
                found = consumer.list_topics(topic, HANG_SECONDS).topics[topic]
                for partition in found.partitions:
                    at = TopicPartition(topic, partition)
                    low, high = consumer.get_watermark_offsets(at, HANG_SECONDS)
                    starts.append(TopicPartition(topic, partition, low))
                    missing += high - low
            consumer.assign(starts)
            records = [self._next(consumer) for _ in range(missing)]
            return sorted(records, key=lambda record: record.place)
        finally:
            consumer.close()

    @staticmethod
    def _next(consumer: Consumer) -> Record:
        message = consumer.poll(HANG_SECONDS)
        assert message is not None, "the broker holds records back"
        assert message.error() is None, message.error()
        topic, partition = message.topic(), message.partition()
        offset = message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        headers = message.headers()
        assert isinstance(headers, list)
        return Record(
            topic=topic,
            partition=partition,
            offset=offset,
            key=raw(message.key()),
            headers=once(headers),
            value=raw(message.value()),
        )

    def dead_letters(self) -> list[Record]:
        """All records of this test's dead letter topics."""
        topics = self.admin.list_topics(timeout=HANG_SECONDS).topics
        is_dead = re.compile(rf"{self.namespace}\..*\.dlq").fullmatch
        return self.read(topic for topic in topics if is_dead(topic))

    def read_with_aiokafka(self, topics: Iterable[str]) -> list[Record]:
        """Records as seen by a client that shares no code with librdkafka."""
        return asyncio.run(self._read_with_aiokafka(topics))

    async def _read_with_aiokafka(self, topics: Iterable[str]) -> list[Record]:
        consumer = AIOKafkaConsumer(
            *topics, bootstrap_servers=self.address, auto_offset_reset="earliest"
        )
        async with asyncio.timeout(HANG_SECONDS), consumer:
            places = consumer.assignment()
            starts = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
            missing = sum(ends[place] - starts[place] for place in places)
            records = [aiokafka_record(await consumer.getone()) for _ in range(missing)]
        return sorted(records, key=lambda record: record.place)


def aiokafka_record(record: ConsumerRecord) -> Record:
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=raw(record.key),
        headers=once(record.headers),
        value=raw(record.value),
    )


def once(headers: Iterable[tuple[str, str | bytes | None]]) -> dict[str, str]:
    """Headers by name, none of which stands twice."""
    pairs = [(name, raw(value).decode()) for name, value in headers]
    assert len(dict(pairs)) == len(pairs), "a header stands twice"
    return dict(pairs)


def raw(value: str | bytes | None) -> bytes:
    assert isinstance(value, bytes)
    return value
