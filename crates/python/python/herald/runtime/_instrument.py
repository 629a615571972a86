"""Operations as decorators of functions."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from herald.runtime._binding import Binding
from herald.runtime._run import Run

if TYPE_CHECKING:
    from herald.runtime._operation import Operation
    from herald.runtime._publisher import EventPublisher

F = TypeVar("F", bound=Callable[..., Any])


def instrumented(
    operation: "Operation",
    function: F,
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> F:
    """The function as that operation; None stands for its first argument."""
    begin = _beginning(operation, function, publisher)
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


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Run]


def _beginning(
    operation: "Operation",
    function: Callable[..., Any],
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> Begin:
    """Makes the run of a call; an argument `correlation_id` is that of the request."""
    binding = Binding(function, is_method=publisher is None)
    of_call = _giver(publisher)
    names_request = "correlation_id" in inspect.signature(function).parameters

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        owner: EventPublisher = args[0] if of_call is None else of_call()
        fields = binding.fields(args, kwargs)
        request = fields.get("correlation_id") if names_request else None
        given = request if isinstance(request, UUID) else None
        return Run(operation, owner, fields, given)

    return begin


def _giver(
    publisher: "EventPublisher | Callable[[], EventPublisher] | None",
) -> "Callable[[], EventPublisher] | None":
    """A node may be callable itself, so it is known by its attributes."""
    if callable(publisher) and not hasattr(type(publisher), "failed_events"):
        return publisher
    if publisher is None:
        return None
    fixed = cast("EventPublisher", publisher)
    return lambda: fixed


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        # As `async with`, without two coroutines that mostly wait for nothing.
        run = begin(args, kwargs)
        if (waiting := run.start(may_wait=True)) is not None:
            await run.wait_for_start(waiting)
        run.enter()
        try:
            run.result = result = await function(*args, **kwargs)
            waiting = run.finish(None, may_wait=True)
        except BaseException as error:
            waiting = run.finish(error, may_wait=True)
            if waiting is not None:
                await waiting
            raise
        finally:
            run.leave()
        if waiting is not None:
            await waiting
        return result

    return wrapper


def _function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as run:
            run.result = result = function(*args, **kwargs)
            return result

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run = begin(args, kwargs)
        run.start(may_wait=False)
        # Its code is of the run, and that of its caller, in between, is not.
        with run.scope():
            try:
                steps = function(*args, **kwargs)
            except BaseException as error:
                run.finish(error, may_wait=False)
                raise
        resume, argument = steps.send, None
        while True:
            with run.scope():
                try:
                    item = resume(argument)
                except StopIteration as stop:
                    run.result = stop.value
                    run.finish(None, may_wait=False)
                    return stop.value
                except BaseException as error:
                    run.finish(error, may_wait=False)
                    raise
            try:
                argument = yield item
                resume = steps.send
            except BaseException as thrown:
                argument, resume = thrown, steps.throw

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run = begin(args, kwargs)
        await run.start_async()
        try:
            steps = function(*args, **kwargs)
        except BaseException as error:
            await run.finish_async(error)
            raise
        resume, argument = steps.asend, None
        while True:
            with run.scope():
                try:
                    item = await resume(argument)
                except StopAsyncIteration:
                    await run.finish_async(None)
                    return
                except BaseException as error:
                    await run.finish_async(error)
                    raise
            try:
                argument = yield item
                resume = steps.asend
            except BaseException as thrown:
                argument, resume = thrown, steps.athrow

    return wrapper
