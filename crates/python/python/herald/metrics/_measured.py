"""Functions that are measured, of all kinds."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


Scope = AbstractContextManager[object]
Begin = Callable[[tuple[Any, ...]], Scope]


def measure(operation: str) -> Callable[[F], F]:
    """Decorates a method: each call is one run of the operation, counted and timed by
    the `node_metrics` of its object. While that is None, it only runs.
    """

    def begin(arguments: tuple[Any, ...]) -> Scope:
        metrics = arguments[0].node_metrics
        scope: Scope = nullcontext() if metrics is None else metrics.track(operation)
        return scope

    return lambda function: measured(function, begin)


def measured(function: F, track: Begin) -> F:
    """The function, each run of which is one of `track`, which is given its arguments;
    a generator runs from its first step to its end.
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


def _coroutine(function: Callable[..., Any], track: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track(args):
            return await function(*args, **kwargs)

    return wrapper


def _function(function: Callable[..., Any], track: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with track(args):
            return function(*args, **kwargs)

    return wrapper


def _generator(function: Callable[..., Any], track: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with track(args):
            return (yield from function(*args, **kwargs))

    return wrapper


def _async_generator(function: Callable[..., Any], track: Begin) -> Callable[..., Any]:
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
