"""Methods of publishers that log failures instead of raising them."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate

from herald.runtime._generics import P

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


def logged_method(
    publish: "Callable[Concatenate[EventPublisher, P], Coroutine[Any, Any, None]]",
) -> "Callable[Concatenate[EventPublisher, P], Coroutine[Any, Any, None]]":
    """Returns a method that publishes an event, and waits for the receipt. It never
    raises: failures are logged.

    Args:
        publish: Function that publishes an event of a publisher.
    """

    @wraps(publish)
    async def method(
        publisher: "EventPublisher", /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        await publish(publisher, *args, **kwargs)

    return method
