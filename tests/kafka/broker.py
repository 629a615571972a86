"""The broker as tests see it: what reads here knows JSON, and nothing of Herald."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 3

# Only a broker that hangs takes so long.
HANG_SECONDS = 60


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    key: bytes
    headers: dict[str, str]
    value: bytes

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

    def create(self, topics: Iterable[str]) -> None:
        for topic, reason in self.refusals(topics, validate_only=False).items():
            assert reason is None, f"{topic}: {reason}"
            self.created.append(topic)

    def refusals(
        self, topics: Iterable[str], *, validate_only: bool = True
    ) -> dict[str, str | None]:
        """Why the broker does not create the topics; None where it does."""
        answers = self.admin.create_topics(
            [NewTopic(topic, PARTITIONS, 1) for topic in topics],
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
        """All records of the topics, from the first to the last there is now."""
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
                for partition in range(PARTITIONS):
                    at = TopicPartition(topic, partition)
                    low, high = consumer.get_watermark_offsets(at, HANG_SECONDS)
                    starts.append(TopicPartition(topic, partition, low))
                    missing += high - low
            consumer.assign(starts)
            return [self._next(consumer) for _ in range(missing)]
        finally:
            consumer.close()

    @staticmethod
    def _next(consumer: Consumer) -> Record:
        message = consumer.poll(HANG_SECONDS)
        assert message is not None, "the broker holds records back"
        assert message.error() is None, message.error()
        topic, partition = message.topic(), message.partition()
        assert topic is not None
        assert partition is not None
        headers = message.headers()
        assert isinstance(headers, list)
        assert len(dict(headers)) == len(headers), "a header stands twice"
        return Record(
            topic=topic,
            partition=partition,
            key=raw(message.key()),
            headers={name: raw(value).decode() for name, value in headers},
            value=raw(message.value()),
        )


def raw(value: str | bytes | None) -> bytes:
    assert isinstance(value, bytes)
    return value
