"""Calls of user functions that can't block the event loop."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

Function = Callable[[], Any] | Callable[[], Awaitable[Any]]


async def call(function: Function, timeout: float | None = None) -> Any:
    """Calls a function or a coroutine function.

    A function runs in a thread. After the timeout the thread is abandoned; it does not
    prevent the program from exiting.

    Raises:
        TimeoutError: It took longer than `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        if inspect.iscoroutinefunction(function):
            return await function()
        result = await _in_thread(function)
        return await result if inspect.isawaitable(result) else result


async def _in_thread(function: Callable[[], Any]) -> Any:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def resolve(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            result = context.run(function)
        except StopIteration as error:  # not allowed in a future
            failure = RuntimeError(f"the function raised {error!r}")
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(resolve, result, failure)

    # Not an executor: Python joins executor threads at exit.
    threading.Thread(target=run, daemon=True, name="herald-lifecycle").start()
    return await done


async def cancel(tasks: set[asyncio.Task[Any]], timeout: float) -> int:
    """Cancels tasks and waits for them. Returns how many still run after `timeout`
    seconds.
    """
    for task in tasks:
        task.cancel()
    if not tasks:
        return 0
    _, left = await asyncio.wait(tasks, timeout=timeout)
    return len(left)
