"""Decorators that make functions operations."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from herald.runtime._binding import Binding
from herald.runtime._run import Run
from herald.runtime._wrapping import Begin, F, wrap

if TYPE_CHECKING:
    from herald.runtime._operation import BaseOperation
    from herald.runtime._publisher import EventPublisher


def instrumented(
    operation: "BaseOperation[Any, Any]",
    function: F,
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> F:
    """Wraps a function as an operation. Without a publisher, its first argument is
    the publisher.
    """
    return wrap(function, _run_factory(operation, function, publisher))


def _run_factory(
    operation: "BaseOperation[Any, Any]",
    function: Callable[..., Any],
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> Begin:
    """Creates the run of each call. An argument `correlation_id` becomes the run's."""
    binding = Binding(function, is_method=publisher is None)
    get_publisher = _publisher_getter(publisher)
    has_correlation_id = "correlation_id" in inspect.signature(function).parameters

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        owner: EventPublisher = args[0] if get_publisher is None else get_publisher()
        input = binding.input(args, kwargs)
        correlation_id = None
        if has_correlation_id and isinstance(input, dict):
            given = input.get("correlation_id")
            correlation_id = given if isinstance(given, UUID) else None
        return Run(operation, owner, input, correlation_id)

    return begin


def _publisher_getter(
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> "Callable[[], EventPublisher] | None":
    """Returns a function that returns the publisher. A publisher may be callable
    itself, so it is recognized by its attributes.
    """
    if callable(publisher) and not hasattr(type(publisher), "failed_events"):
        return publisher
    if publisher is None:
        return None
    fixed = cast("EventPublisher", publisher)
    return lambda: fixed
