"""Dependency graph: visits each dependency after those it depends on, others
concurrently.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from herald.lifecycle._errors import LifecycleError

Graph = Mapping[str, Iterable[str]]


def check(graph: Graph) -> None:
    """Checks that the graph has an order.

    Raises:
        LifecycleError: A dependency is circular or unknown.
    """
    for name, before in graph.items():
        for other in before:
            if other not in graph:
                known = ", ".join(sorted(graph))
                raise LifecycleError(
                    f"{name} starts after {other!r}, which does not exist; "
                    f"known dependencies: {known}"
                )
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = " → ".join(reversed(error.args[1]))
        raise LifecycleError(
            f"circular dependencies: {cycle}; remove one `after`"
        ) from None


def reverse(graph: Graph) -> dict[str, set[str]]:
    """Returns the graph with all edges reversed."""
    turned: dict[str, set[str]] = {name: set() for name in graph}
    for name, before in graph.items():
        for other in before:
            turned[other].add(name)
    return turned


async def walk(graph: Graph, visit: Callable[[str], Awaitable[None]]) -> None:
    """Visits all nodes. The first failure cancels the running visits and is raised."""
    order = TopologicalSorter(graph)
    order.prepare()
    running: dict[asyncio.Task[None], str] = {}

    async def visited(name: str) -> None:
        await visit(name)

    try:
        while order.is_active():
            for name in order.get_ready():
                running[asyncio.create_task(visited(name))] = name
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                name = running.pop(task)
                task.result()
                order.done(name)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
