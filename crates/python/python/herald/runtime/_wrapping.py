"""Wrapper that runs each call of a function in a scope, for functions of all kinds."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from typing import Any, TypeVar, cast

from herald.runtime._call_scope import CallScope

F = TypeVar("F", bound=Callable[..., Any])

Begin = Callable[[tuple[Any, ...], dict[str, Any]], CallScope]
"""Creates the scope of a call from its arguments."""


def wrap(function: F, begin: Begin) -> F:
    """Wraps a function, a coroutine function, or a generator function of either kind.
    A generator's call lasts from its first step to its end.
    """
    wrapped: Any
    if inspect.isasyncgenfunction(function):
        wrapped = _async_generator(function, begin)
    elif inspect.iscoroutinefunction(function):
        wrapped = _coroutine(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapped = _generator(function, begin)
    else:
        wrapped = _function(function, begin)
    return cast(F, wraps(function)(wrapped))


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        # Not `async with`: that costs two coroutines, which mostly await nothing.
        scope = begin(args, kwargs)
        if (waiting := scope.start(may_wait=True)) is not None:
            await scope.await_start(waiting)
        scope.enter()
        try:
            scope.result = result = await function(*args, **kwargs)
            waiting = scope.finish(None, may_wait=True)
            scope.result = None  # Tasks that the function started keep the scope.
        except BaseException as error:
            waiting = scope.finish(error, may_wait=True)
            if waiting is not None:
                await waiting
            raise
        finally:
            scope.leave()
        if waiting is not None:
            await waiting
        return result

    return wrapper


def _function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as scope:
            scope.result = result = function(*args, **kwargs)
            return result

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = begin(args, kwargs)
        scope.start(may_wait=False)
        # The generator's code runs inside of the scope, its caller's code does not.
        with scope.entered():
            try:
                steps = function(*args, **kwargs)
            except BaseException as error:
                scope.finish(error, may_wait=False)
                raise
        resume, argument = steps.send, None
        while True:
            with scope.entered():
                try:
                    item = resume(argument)
                except StopIteration as stop:
                    scope.result = stop.value
                    scope.finish(None, may_wait=False)
                    return stop.value
                except BaseException as error:
                    scope.finish(error, may_wait=False)
                    raise
            try:
                argument = yield item
                resume = steps.send
            except BaseException as thrown:
                argument, resume = thrown, steps.throw

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = begin(args, kwargs)
        await scope.start_async()
        try:
            steps = function(*args, **kwargs)
        except BaseException as error:
            await scope.finish_async(error)
            raise
        resume, argument = steps.asend, None
        while True:
            with scope.entered():
                try:
                    item = await resume(argument)
                except StopAsyncIteration:
                    await scope.finish_async(None)
                    return
                except BaseException as error:
                    await scope.finish_async(error)
                    raise
            try:
                argument = yield item
                resume = steps.asend
            except BaseException as thrown:
                argument, resume = thrown, steps.athrow

    return wrapper
