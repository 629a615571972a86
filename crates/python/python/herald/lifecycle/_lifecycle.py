"""Lifecycle of a service."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from herald.lifecycle._admission import Admission, AdmissionControl
from herald.lifecycle._asgi import HealthApp
from herald.lifecycle._calls import Function, call, cancel
from herald.lifecycle._checks import Check, Health, Outcome, run_all
from herald.lifecycle._dependency import Dependency, Sleep, describe_failure
from herald.lifecycle._errors import LifecycleError, NotAccepting, StartError
from herald.lifecycle._graph import check, walk
from herald.lifecycle._heartbeat import Heartbeat, repeat
from herald.lifecycle._kafka import KafkaClient, client_outcomes
from herald.lifecycle._report import StopReport
from herald.lifecycle._shutdown import CANCEL_TIMEOUT, Shutdown
from herald.lifecycle._signals import Signals
from herald.lifecycle._state import ENDED, RUNNING, State
from herald.lifecycle._state_publisher import Names, StatePublisher
from herald.lifecycle._supervisor import Restart, SupervisedTask
from herald.lifecycle._timeouts import Timeouts
from herald.runtime import EventPublisher, PublishError, reason_of
from herald.runtime._source import namespace_of

if TYPE_CHECKING:
    from herald.metrics import NodeMetrics

log = logging.getLogger("herald.lifecycle")

Main = Callable[[], Coroutine[Any, Any, object]]


class Lifecycle:
    """Starts a service in order, supervises it, and stops it without losing work in
    progress.

    Declare its parts first: `dependency`, `check`, `task`, `intake`. Then `run` runs it
    as a program, `lifespan` in a web app, and `async with` anywhere else.

    Args:
        publisher: Generated publisher for states and heartbeats.
        client: Kafka client, connected first and closed last; by default the
            publisher's.
        metrics: Published while the service runs, and once at its end.
        states: Names of states in the contract; omitted states are not published. By
            default all states that the contract has.
        start_timeout: Seconds for the whole start.
        drain_timeout: Seconds for operations in progress to finish at shutdown.
        publish_timeout: Seconds for the last events to get a receipt.
        close_timeout: Seconds for the client to deliver its events; the rest stays in
            the spool. A client without a spool needs more.
        health_interval: Seconds between runs of the checks.
        heartbeat_interval: Seconds between heartbeats; None for none.
        sleep: Sleep function of retries and restarts.
        clock: Monotonic clock of checks, in seconds.
    """

    def __init__(
        self,
        publisher: object | None = None,
        *,
        client: KafkaClient | None = None,
        metrics: "NodeMetrics | None" = None,
        states: Names | None = None,
        start_timeout: float = 30.0,
        drain_timeout: float = 10.0,
        publish_timeout: float = 0.4,
        close_timeout: float = 1.0,
        health_interval: float = 5.0,
        heartbeat_interval: float | None = 30.0,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.CREATED
        self.report: StopReport | None = None
        self.health = HealthApp(self)
        self._publisher = publisher
        self._client_given = client
        self._metrics = metrics
        self._states = states
        self._timeouts = Timeouts(
            start_timeout,
            drain_timeout,
            publish_timeout,
            close_timeout,
            health_interval,
            heartbeat_interval,
        )
        self._sleep = sleep
        self._clock = clock
        self._dependencies: dict[str, Dependency] = {}
        self._checks: dict[Literal["ready", "live"], list[Check]] = {
            "ready": [],
            "live": [],
        }
        self._tasks: list[SupervisedTask] = []
        self._intakes: list[Dependency] = []
        self._reset()

    def _reset(self) -> None:
        """Resets the state of a previous run."""
        self._admission = AdmissionControl()
        self._started: dict[str, Dependency] = {}
        self._background: list[asyncio.Task[Any]] = []
        self._main: asyncio.Task[Any] | None = None
        self._stop_requested = asyncio.Event()
        self._reason = ""
        self._exit_code = 0
        self._start_failed = False
        self._shutdown = Shutdown()
        self._shutdown_task: asyncio.Task[StopReport] | None = None
        self._state_publisher = StatePublisher(self._publisher, self._states)
        self._heartbeat = Heartbeat(self._publisher, lambda: self.state)
        self._loop: asyncio.AbstractEventLoop | None = None

    # Declaration.

    def dependency(
        self,
        name: str,
        *,
        start: Function | None = None,
        stop: Function | None = None,
        check: Function | None = None,
        after: Iterable[str] = (),
        start_timeout: float = 5.0,
        stop_timeout: float = 5.0,
        retries: int = 0,
        backoff: float = 0.1,
        critical: bool = True,
    ) -> None:
        """Declares a dependency, which starts before the service and stops after it.

        Args:
            name: Name.
            start: Starts it: a function, which runs in a thread, or a coroutine
                function.
            stop: Stops it.
            check: Readiness check; see `check`.
            after: Dependencies that start before it and stop after it.
            start_timeout: Seconds for each attempt.
            stop_timeout: Seconds to stop it.
            retries: Number of retries of a failed start.
            backoff: Seconds before the first retry, doubled each time up to 5.
            critical: Whether a failing check makes the service unavailable.
        """
        if name in self._dependencies:
            raise LifecycleError(f"a dependency named {name!r} already exists")
        self._dependencies[name] = Dependency(
            name,
            start,
            stop,
            tuple(after),
            start_timeout,
            stop_timeout,
            retries,
            backoff,
        )
        if check is not None:
            self.check(name, check, critical=critical)

    def check(
        self,
        name: str,
        function: Function,
        *,
        of: Literal["ready", "live"] = "ready",
        timeout: float = 1.0,
        interval: float = 1.0,
        critical: bool = True,
    ) -> None:
        """Declares a health check. It fails if the function raises, or returns False or
        the text of a problem.

        Args:
            name: Name.
            function: Function, which runs in a thread, or coroutine function.
            of: Kind of check: whether the service can work (`ready`), or must be
                restarted (`live`).
            timeout: Timeout of a run, in seconds.
            interval: Seconds between two runs.
            critical: Whether a failure makes the service unavailable; otherwise it is
                degraded.
        """
        made = Check(
            name,
            function,
            timeout=timeout,
            interval=interval,
            is_critical=critical,
            clock=self._clock,
        )
        self._checks[of].append(made)

    def task(
        self,
        name: str,
        function: Callable[[], Awaitable[object]],
        *,
        restart: Restart | Literal["never", "on_failure", "always"] = "on_failure",
        backoff: float = 0.5,
        limit: int | None = 10,
        essential: bool = False,
    ) -> None:
        """Declares a background task.

        Args:
            name: Name.
            function: Coroutine function to run.
            restart: Restart policy.
            backoff: Seconds before the first restart, doubled each time up to 5.
            limit: Most restarts in a row; None for no limit.
            essential: Whether the service fails when the task is not restarted after a
                failure.
        """
        made = SupervisedTask(
            name,
            function,
            restart=Restart(restart),
            backoff=backoff,
            limit=limit,
            is_essential=essential,
            sleep=self._sleep,
        )
        self._tasks.append(made)

    def intake(self, name: str, stop: Function, *, timeout: float = 2.0) -> None:
        """Declares a source of work, such as a consumer, which is stopped first."""
        self._intakes.append(Dependency(name, None, stop, (), timeout, timeout, 0, 0.0))

    def operation(self) -> Admission:
        """Returns a scope for `with` and `async with` that a shutdown waits for.

        Entering raises `NotAccepting` unless the service is running.
        """
        return Admission(self._admission)

    # Health.

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop_requested.is_set()

    @property
    def in_flight(self) -> int:
        """Number of operations in progress."""
        counted = self._metrics.in_flight if self._metrics is not None else 0
        return max(self._admission.in_flight, counted)

    @property
    def last_heartbeat(self) -> datetime | None:
        """Time of the last heartbeat."""
        return self._heartbeat.last

    async def stop_requested(self) -> None:
        """Waits until a stop is requested."""
        await self._stop_requested.wait()

    async def liveness(self) -> Health:
        """Returns the liveness: if it is not ok, the service should be restarted."""
        found = await run_all(self._checks["live"])
        found += [task.outcome() for task in self._tasks if task.is_essential]
        return self._health(self.state is not State.FAILED, found)

    async def readiness(self) -> Health:
        """Returns the readiness: whether the service can work now."""
        if self.state not in RUNNING:
            return self._health(False, [])
        found = await run_all(self._checks["ready"])
        found += [task.outcome() for task in self._tasks]
        if (client := self._client) is not None:
            found += client_outcomes(client)
        health = self._health(True, found)
        if self.state in RUNNING:
            self._update_degraded(health)
        return self._health(self.state in RUNNING, found)

    def _health(self, is_possible: bool, found: list[Outcome]) -> Health:
        is_ok = all(each.is_ok or not each.is_critical for each in found)
        return Health(self.state.value, is_possible and is_ok, tuple(found))

    def _update_degraded(self, health: Health) -> None:
        wrong = [each for each in health.checks if not each.is_ok]
        if wrong and self.state is State.READY:
            first = wrong[0]
            self._set_state(State.DEGRADED, f"{first.name}: {first.detail}")
        elif not wrong and self.state is State.DEGRADED:
            self._set_state(State.READY, "all checks passing")

    @property
    def _client(self) -> Any:
        return self._client_given or getattr(self._publisher, "kafka_client", None)

    # Start.

    async def start(self) -> None:
        """Connects the client and starts all dependencies, concurrently where possible.
        If one fails, the started ones are stopped.

        Raises:
            LifecycleError: It is already running, dependencies are circular, or the
                publisher and its client have different namespaces.
            StartError: It did not start.
        """
        self._prepare()
        await self._start()

    def _prepare(self) -> None:
        if self.state is not State.CREATED and self.state not in ENDED:
            raise LifecycleError(f"the service is already {self.state}")
        check(self._graph())
        if isinstance(self._publisher, EventPublisher):
            try:
                namespace_of(self._publisher)
            except PublishError as error:
                raise LifecycleError(str(error)) from None
        self._reset()
        self._loop = asyncio.get_running_loop()

    async def _start(self) -> None:
        created, self.state = self.state, State.STARTING
        log.info("%s → %s", created, self.state)
        began = time.monotonic()
        try:
            try:
                await self._connect()
            finally:  # events need a connected client
                self._state_publisher.publish(created, State.STARTING, "start")
            await self._start_all(self._graph())
        except BaseException as error:
            is_failure = self._start_failed = isinstance(error, Exception)
            self._reason = str(error) if is_failure else self._reason or "cancelled"
            await self._shut_down(State.FAILED if is_failure else State.STOPPED)
            raise
        log.info("started after %.2f s", time.monotonic() - began)

    async def _start_all(self, graph: dict[str, tuple[str, ...]]) -> None:
        limit = self._timeouts.start
        try:
            async with asyncio.timeout(limit):
                await walk(graph, self._begin)
                if self._metrics is not None:
                    await self._metrics.start()
        except TimeoutError:
            waiting = ", ".join(name for name in graph if name not in self._started)
            raise StartError(
                f"the service did not start within {limit:g} s; "
                f"it was waiting for: {waiting}"
            ) from None
        self._spawn(repeat(self.readiness, self._timeouts.health_interval))
        if (interval := self._timeouts.heartbeat_interval) is not None:
            self._spawn(self._heartbeat.run(interval))
        for task in self._tasks:
            self._spawn(self._supervise(task))
        self._admission.is_open = True
        self._set_state(State.READY, "started")

    def _graph(self) -> dict[str, tuple[str, ...]]:
        return {name: each.after for name, each in self._dependencies.items()}

    async def _connect(self) -> None:
        client = self._client
        if client is None or client.is_connected or not hasattr(client, "connect"):
            return
        try:
            await call(client.connect, self._timeouts.start)
        except Exception as error:
            reason = describe_failure(error, self._timeouts.start)
            raise StartError(f"the Kafka client did not start: {reason}") from error

    async def _begin(self, name: str) -> None:
        dependency = self._dependencies[name]
        # A dependency that fails halfway has to clean up by itself.
        await dependency.start_with_retries(self._sleep)
        self._started[name] = dependency

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.create_task(work))

    async def _supervise(self, task: SupervisedTask) -> None:
        await task.run()
        if task.is_essential and task.failure is not None:
            self._reason = f"task {task.name} gave up: {task.failure}"
            self._admission.is_open = False
            if self.state in RUNNING:
                self._set_state(State.FAILED, self._reason)
            self._stop_requested.set()

    # Shutdown.

    def request_stop(self, reason: str = "stop requested") -> None:
        """Requests a stop of `run`, and wakes `stop_requested`. Safe for any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._set_stop_requested, reason)

    def _set_stop_requested(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._stop_requested.set()

    async def stop(self, reason: str = "stop requested") -> StopReport:
        """Accepts no more work, finishes operations in progress, publishes the last
        events, and closes the client. Raises nothing but cancellation.
        """
        if self._shutdown_task is None:
            if self.state not in RUNNING and self.state is not State.FAILED:
                raise LifecycleError(f"the service is {self.state}: nothing to stop")
            self._set_stop_requested(reason)
            end = State.FAILED if self.state is State.FAILED else State.STOPPED
            self._shutdown_task = asyncio.create_task(self._shut_down(end))
        # Several callers share the shutdown; cancelling one of them must not end it.
        return await asyncio.shield(self._shutdown_task)

    async def _shut_down(self, end: State) -> StopReport:
        began = time.monotonic()
        shutdown, limits = self._shutdown, self._timeouts
        self._admission.is_open = False
        self._stop_requested.set()
        if self.state is not State.FAILED:
            self._set_state(State.STOPPING, self._reason)
        # New work ends first, then the work in progress, then the dependencies that it
        # needs. The client is closed last, because all these steps publish events.
        await asyncio.gather(*(self._end(intake) for intake in self._intakes))
        await shutdown.run_step(limits.drain, self._drained())
        unfinished = self.in_flight
        working = self._admission.tasks() | ({self._main} if self._main else set())
        await shutdown.tasks(working - {asyncio.current_task()})
        await shutdown.tasks(self._background)
        await shutdown.dependencies(self._graph(), self._started)
        if self._metrics is not None:
            last = self._metrics.stop(limits.publish)
            await shutdown.run_step(limits.publish + CANCEL_TIMEOUT, last)
        # Events of synchronous operations may still be queued for the client.
        if (drain := getattr(self._publisher, "drain", None)) is not None:
            await shutdown.run_step(limits.publish, call(drain))
        self._set_state(end, self._reason)
        await shutdown.run_step(
            limits.publish, self._state_publisher.flush(limits.publish)
        )
        spooled = await shutdown.close(self._client, limits.close)
        seconds = time.monotonic() - began
        self.report = StopReport(
            self._reason, seconds, unfinished, spooled, tuple(shutdown.errors)
        )
        self.report.log()
        return self.report

    async def _end(self, intake: Dependency) -> None:
        async def end() -> None:
            if problem := await intake.stop_and_report():
                self._shutdown.errors.append(problem)

        await self._shutdown.run_step(intake.stop_timeout + CANCEL_TIMEOUT, end())

    async def _drained(self) -> None:
        # Polled: operations also end in other threads, and metrics only count them.
        while self.in_flight:
            await asyncio.sleep(0.01)

    def _set_state(self, state: State, reason: str) -> None:
        old, self.state = self.state, state
        if old is not state:
            log.info("%s → %s: %s", old, state, reason)
            self._state_publisher.publish(old, state, reason)

    # Running.

    def run(self, main: Main | None = None) -> None:
        """Runs the service as a program until `main` ends, or forever. SIGTERM and
        SIGINT stop it. A second signal stops it at once, a third one kills it.

        Raises:
            StartError: It did not start.
            LifecycleError: An essential task gave up.
            SystemExit: After a second signal.
        """
        if code := asyncio.run(self.serve(main)):
            raise SystemExit(code)

    async def serve(self, main: Main | None = None) -> int:
        """Runs the service in the running event loop, and returns the exit code."""
        self._prepare()
        with Signals(self._signal_received):
            starting = asyncio.create_task(self._start())
            await self._until(starting)
            if self._start_failed:  # started dependencies are still being stopped
                await starting
            if not starting.done():
                await cancel({starting}, self._timeouts.start)
                return await self._leave()
            starting.result()
            self._main = asyncio.create_task(
                main() if main else self._stop_requested.wait()
            )
            try:
                await self._until(self._main)
                return await self._ended(self._main)
            except asyncio.CancelledError:
                self._failure_of(self._main)  # SystemExit is already propagating
                await self.stop("cancelled")
                raise

    async def _until(self, work: "asyncio.Task[Any]") -> None:
        """Waits until the task is done or a stop is requested."""
        wanted = asyncio.create_task(self._stop_requested.wait())
        await asyncio.wait({work, wanted}, return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()

    async def _ended(self, main: "asyncio.Task[Any]") -> int:
        if main.done() and (failure := self._failure_of(main)) is not None:
            self._reason = reason_of(failure)
            self._set_state(State.FAILED, self._reason)
        await self.stop("main finished")
        if (failure := self._failure_of(main)) is not None:
            raise failure
        if self.state is State.FAILED:
            raise LifecycleError(self._reason)
        return await self._leave()

    def _failure_of(self, main: "asyncio.Task[Any]") -> BaseException | None:
        if not main.done() or main.cancelled():
            return None
        failure = main.exception()
        is_end = isinstance(failure, NotAccepting) and self.is_stopping
        return None if is_end else failure

    async def _leave(self) -> int:
        """Returns the exit code. After a second signal, remaining tasks do not keep the
        process.
        """
        if self._exit_code:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if await cancel(others, CANCEL_TIMEOUT):
                logging.shutdown()
                os._exit(self._exit_code)
        return self._exit_code

    def _signal_received(self, number: signal.Signals, count: int) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._on_signal, number, count)

    def _on_signal(self, number: signal.Signals, count: int) -> None:
        if count == 1:
            self._set_stop_requested(number.name)
        else:
            log.warning("second %s: stopping at once", number.name)
            self._exit_code = 128 + number
            self._shutdown.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        await self.stop("main finished" if error is None else type(error).__name__)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Lifespan of an ASGI app: `FastAPI(lifespan=lifecycle.lifespan)`."""
        async with self:
            yield
