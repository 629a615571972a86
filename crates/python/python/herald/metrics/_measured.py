"""Decorators that measure functions."""

from collections.abc import Callable
from typing import Any

from herald.runtime._call_scope import CallScope
from herald.runtime._wrapping import F, wrap


def measured_method(operation: str) -> Callable[[F], F]:
    """Decorates a method, each call of which is a run of an operation: functions,
    coroutine functions, and generator functions of both kinds.

    The run is recorded in the `node_metrics` of the object, if it has any.
    """

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallScope:
        metrics = getattr(args[0], "node_metrics", None) if args else None
        scope: CallScope = CallScope() if metrics is None else metrics.track(operation)
        return scope

    return lambda function: wrap(function, begin)
