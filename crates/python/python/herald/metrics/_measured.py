"""Functions that are measured, of all kinds."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

Tracks = Callable[[tuple[Any, ...]], AbstractContextManager[None]]
"""Gives the scope of a run, from its positional arguments."""


def measured_method(operation: str) -> Callable[[F], F]:
    """Decorates a method, each run of which is one of an operation: functions,
    coroutine functions, generators of both kinds.

    The figures are those of the `node_metrics` of its object; without any, nothing is
    counted.
    """

    def track(args: tuple[Any, ...]) -> AbstractContextManager[None]:
        metrics = getattr(args[0], "node_metrics", None) if args else None
        return nullcontext() if metrics is None else metrics.track(operation)

    return lambda function: measured(function, track)


def measured(function: F, track: Tracks) -> F:
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


def _coroutine(function: Callable[..., Any], track: Tracks) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track(args):
            return await function(*args, **kwargs)

    return wrapper


def _function(function: Callable[..., Any], track: Tracks) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track(args):
            return function(*args, **kwargs)

    return wrapper


def _generator(function: Callable[..., Any], track: Tracks) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with track(args):
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(function: Callable[..., Any], track: Tracks) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with track(args):
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
