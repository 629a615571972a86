"""Judgement of published events by contracts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from herald._herald import MemoryCluster

if TYPE_CHECKING:
    from herald.contracts import Catalog
    from herald.testing._recording import Recording


class Conformance:
    """Judges the events of clusters in memory by contracts, as `herald verify` does."""

    def __init__(self, catalog: Catalog, *, namespace: str | None = None) -> None:
        self.catalog = catalog
        """Contracts to judge by."""
        self.namespace = namespace
        """Namespace of topics; by default that of the contract, else `dev`."""
        self._allowed: set[str] = set()
        self._watched: list[tuple[MemoryCluster, int, Recording | None]] = []

    def watch(self, source: Recording | MemoryCluster) -> None:
        """Judges what is published to a client or a cluster from now on."""
        if isinstance(source, MemoryCluster):
            cluster, client = source, None
        else:
            cluster, client = source.cluster, source
        self._watched.append((cluster, len(cluster.written()), client))

    def allow(self, *kinds: str) -> None:
        """Ignores problems of these kinds, such as `correlation`.

        Raises:
            ValueError: There is no such kind.
        """
        self.catalog._loaded.verify([], None, list(kinds))
        self._allowed.update(kinds)

    def assert_conform(self, *, require_coverage: bool = False) -> None:
        """Asserts that events were published and that all of them are in the contract.

        With `require_coverage`, each declared event must have been published.
        """
        __tracebackhide__ = True
        report = self._report()
        problems = [_problem(problem) for problem in report["problems"]]
        if report["records"] == 0:
            problems.append("no event was published")
        if require_coverage:
            problems += [
                f"{event['event_type']} of {event['node']} was not published"
                for event in report["coverage"]
                if event["count"] == 0
            ]
        if not problems:
            return
        lines = [
            "the published events are not those of the contracts",
            *(f"  {problem}" for problem in problems),
        ]
        if any(problem["kind"] == "topic" for problem in report["problems"]):
            lines.append("`namespace` sets another namespace of topics")
        if in_flight := self._in_flight():
            lines.append(
                f"still in flight: {in_flight}; await them, or flush the client, first"
            )
        raise AssertionError("\n".join(lines))

    def _report(self) -> dict[str, Any]:
        records = [
            (topic, partition, offset, key, value, headers)
            for cluster, skip, _ in self._watched
            for topic, partition, offset, key, value, headers in cluster.written(skip)
            # The problem of a dead letter is told by its receipt.
            if not any(name == "dlq_reason" for name, _ in headers)
        ]
        allowed = sorted(self._allowed)
        report: dict[str, Any] = json.loads(
            self.catalog._loaded.verify(records, self.namespace, allowed)
        )
        return report

    def _in_flight(self) -> int:
        clients = [client for _, _, client in self._watched if client is not None]
        return sum(
            client.stats().in_flight for client in clients if client.is_connected
        )


def _problem(problem: dict[str, Any]) -> str:
    places = ", ".join(sample["place"] for sample in problem["samples"])
    event_type = problem["event_type"] or "record"
    count = problem["count"]
    often = f"{count} events, first {places}" if count > 1 else places
    return f"{problem['kind']}: {event_type}: {problem['message']} ({often})"
