"""Functions that are measured, of all kinds."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeVar, cast

from herald.metrics._track import Track

F = TypeVar("F", bound=Callable[..., Any])


def measured(function: F, track: Callable[[], Track]) -> F:
    """The function, each run of which is one of `track`; a generator runs from its
    first step to its end.
    """
    wrapper: Callable[..., Any]
    if inspect.isasyncgenfunction(function):
        wrapper = _async_generator(function, track)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, track)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, track)
    else:
        wrapper = _function(function, track)
    return cast(F, wraps(function)(wrapper))


def _coroutine(
    function: Callable[..., Any], track: Callable[[], Track]
) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track():
            return await function(*args, **kwargs)

    return wrapper


def _function(
    function: Callable[..., Any], track: Callable[[], Track]
) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track():
            return function(*args, **kwargs)

    return wrapper


def _generator(
    function: Callable[..., Any], track: Callable[[], Track]
) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with track():
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(
    function: Callable[..., Any], track: Callable[[], Track]
) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with track():
            async with aclosing(function(*args, **kwargs)) as steps:
                resume, argument = steps.asend, None
                while True:
                    try:
                        item = await resume(argument)
                    except StopAsyncIteration:
                        return
                    try:
                        argument, resume = (yield item), steps.asend
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:
                        argument, resume = thrown, steps.athrow

    return wrapper
