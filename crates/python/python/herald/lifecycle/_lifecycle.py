"""A service from its start to its end."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from herald.lifecycle._announcer import Announcer, Names
from herald.lifecycle._asgi import HealthApp
from herald.lifecycle._call import Function, call, cancel
from herald.lifecycle._checks import Check, Health, Outcome, ask_all
from herald.lifecycle._dependency import Dependency, Sleep, why
from herald.lifecycle._errors import LifecycleError, NotAccepting, StartError
from herald.lifecycle._gate import Admission, Gate
from herald.lifecycle._graph import check, walk
from herald.lifecycle._heart import Heart, repeat
from herald.lifecycle._kafka import KafkaClient, outcomes
from herald.lifecycle._report import StopReport
from herald.lifecycle._settings import Limits
from herald.lifecycle._signals import Signals
from herald.lifecycle._state import ENDED, WORKING, State
from herald.lifecycle._stopping import GRACE, Stopping
from herald.lifecycle._supervisor import Restart, Supervised
from herald.runtime import reason_of

if TYPE_CHECKING:
    from herald.metrics import NodeMetrics

log = logging.getLogger("herald.lifecycle")

Main = Callable[[], Coroutine[Any, Any, object]]


class Lifecycle:
    """Starts a service in order, looks after it, and stops it without losing what it
    has begun.

    What it consists of is declared first: `dependency`, `check`, `task`, `intake`. Then
    `run` is a whole program, `lifespan` that of a web app, and `async with` any other.

    Args:
        publisher: A generated publisher; announces states and heartbeats.
        client: The Kafka client, connected before all else and closed after all else;
            unless given, that of the publisher.
        metrics: Are published while the service runs, and once at its end.
        states: What states are called in the contract: those left out are not
            announced. Unless given, all are, as far as the contract has them.
        start_timeout: Seconds for the whole start.
        drain_timeout: Seconds for operations in flight, when it stops.
        publish_timeout: Seconds for the last events to get a receipt.
        close_timeout: Seconds for the client to deliver what it has; then it is in the
            spool. A client without one needs more.
        health_every: Seconds between looks at the checks.
        heartbeat_every: Seconds between heartbeats; None for none.
        sleep: How retries and restarts wait.
        clock: Seconds that never go back, for how long answers of checks hold.
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
        health_every: float = 5.0,
        heartbeat_every: float | None = 30.0,
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
        self._limits = Limits(
            start_timeout,
            drain_timeout,
            publish_timeout,
            close_timeout,
            health_every,
            heartbeat_every,
        )
        self._sleep = sleep
        self._clock = clock
        self._dependencies: dict[str, Dependency] = {}
        self._checks: dict[Literal["ready", "live"], list[Check]] = {
            "ready": [],
            "live": [],
        }
        self._tasks: list[Supervised] = []
        self._intakes: list[Dependency] = []
        self._renew()

    def _renew(self) -> None:
        """Forgets an earlier life."""
        self._gate = Gate()
        self._begun: dict[str, Dependency] = {}
        self._background: list[asyncio.Task[Any]] = []
        self._main: asyncio.Task[Any] | None = None
        self._wanted = asyncio.Event()
        self._reason = ""
        self._exit_code = 0
        self._start_failed = False
        self._stopping = Stopping()
        self._shutting: asyncio.Task[StopReport] | None = None
        self._announcer = Announcer(self._publisher, self._states)
        self._heart = Heart(self._publisher, lambda: self.state)
        self._loop: asyncio.AbstractEventLoop | None = None

    # What it consists of.

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
        """Declares what must have started before the service works.

        Args:
            name: What it is called.
            start: Starts it: a function, which runs in a thread, or coroutine function.
            stop: Stops it.
            check: Whether it is well, for readiness; see `check`.
            after: What must have started before it, and stops after it.
            start_timeout: Seconds for each try.
            stop_timeout: Seconds to stop it.
            retries: How often a start that failed is tried again.
            backoff: Seconds before that, doubled each time up to 5.
            critical: Whether the service is not ready without it.
        """
        if name in self._dependencies:
            raise LifecycleError(f"there are two dependencies called {name!r}")
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
        every: float = 1.0,
        critical: bool = True,
    ) -> None:
        """Declares a question about the service: it is not well where the function
        raises, gives false, or gives the text of what is wrong.

        Args:
            name: What it is about.
            function: Plain functions run in a thread.
            of: Whether the service can work (`ready`), or must be started anew
                (`live`).
            timeout: Seconds it may take.
            every: Seconds that an answer holds.
            critical: Whether the service is only degraded, if not.
        """
        made = Check(
            name,
            function,
            timeout=timeout,
            every=every,
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
        """Declares a coroutine function that runs beside the service.

        Args:
            name: What it is called.
            function: What runs.
            restart: When it is started again.
            backoff: Seconds before that, doubled each time up to 5.
            limit: How often in a row; None for no end.
            essential: Whether the service stops as failed when it gives up.
        """
        made = Supervised(
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
        """Declares where work comes from, such as a consumer: it is stopped first."""
        self._intakes.append(Dependency(name, None, stop, (), timeout, timeout, 0, 0.0))

    def operation(self) -> Admission:
        """A scope that stopping waits for, for `with` and `async with`.

        Entering raises `NotAccepting` unless the service works.
        """
        return Admission(self._gate)

    # How it is.

    @property
    def is_stopping(self) -> bool:
        """Whether it is to stop."""
        return self._wanted.is_set()

    @property
    def in_flight(self) -> int:
        """Operations that have not ended."""
        counted = self._metrics.in_flight if self._metrics is not None else 0
        return max(self._gate.in_flight, counted)

    @property
    def last_heartbeat(self) -> datetime | None:
        """When it gave a sign of life last."""
        return self._heart.last

    async def stop_requested(self) -> None:
        """Waits until it is to stop."""
        await self._wanted.wait()

    async def liveness(self) -> Health:
        """Whether it may go on; where not, it is to be started anew."""
        found = await ask_all(self._checks["live"])
        found += [task.outcome() for task in self._tasks if task.is_essential]
        return self._health(self.state is not State.FAILED, found)

    async def readiness(self) -> Health:
        """Whether it can work now."""
        if self.state not in WORKING:
            return self._health(False, [])
        found = await ask_all(self._checks["ready"])
        found += [task.outcome() for task in self._tasks]
        if (client := self._client) is not None:
            found += outcomes(client)
        health = self._health(True, found)
        if self.state in WORKING:
            self._note(health)
        return self._health(self.state in WORKING, found)

    def _health(self, is_possible: bool, found: list[Outcome]) -> Health:
        is_ok = all(each.is_ok or not each.is_critical for each in found)
        return Health(self.state.value, is_possible and is_ok, tuple(found))

    def _note(self, health: Health) -> None:
        wrong = [each for each in health.checks if not each.is_ok]
        if wrong and self.state is State.READY:
            first = wrong[0]
            self._become(State.DEGRADED, f"{first.name}: {first.detail}")
        elif not wrong and self.state is State.DEGRADED:
            self._become(State.READY, "all checks are content")

    @property
    def _client(self) -> Any:
        return self._client_given or getattr(self._publisher, "kafka_client", None)

    # How it starts.

    async def start(self) -> None:
        """Connects the client and starts all dependencies, beside each other where they
        may. If one fails, those that have started are stopped.

        Raises:
            LifecycleError: It runs already, or dependencies wait for each other.
            StartError: It did not start.
        """
        self._prepare()
        await self._start()

    def _prepare(self) -> None:
        if self.state is not State.CREATED and self.state not in ENDED:
            raise LifecycleError(f"the service is {self.state} already")
        check(self._graph())
        self._renew()
        self._loop = asyncio.get_running_loop()

    async def _start(self) -> None:
        created, self.state = self.state, State.STARTING
        log.info("%s → %s", created, self.state)
        began = time.monotonic()
        try:
            try:
                await self._connect()
            finally:  # before, there was nobody to tell
                self._announcer.announce(created, State.STARTING, "start")
            await self._start_all(self._graph())
        except BaseException as error:
            is_failure = self._start_failed = isinstance(error, Exception)
            self._reason = str(error) if is_failure else self._reason or "cancelled"
            await self._shut(State.FAILED if is_failure else State.STOPPED)
            raise
        log.info("started after %.2f s", time.monotonic() - began)

    async def _start_all(self, graph: dict[str, tuple[str, ...]]) -> None:
        limit = self._limits.start
        try:
            async with asyncio.timeout(limit):
                await walk(graph, self._begin)
                if self._metrics is not None:
                    await self._metrics.start()
        except TimeoutError:
            waiting = ", ".join(name for name in graph if name not in self._begun)
            raise StartError(
                f"the service did not start within {limit:g} s; "
                f"it waited for: {waiting}"
            ) from None
        self._spawn(repeat(self.readiness, self._limits.health_every))
        if (every := self._limits.heartbeat_every) is not None:
            self._spawn(self._heart.beat(every))
        for task in self._tasks:
            self._spawn(self._look_after(task))
        self._gate.is_open = True
        self._become(State.READY, "started")

    def _graph(self) -> dict[str, tuple[str, ...]]:
        return {name: each.after for name, each in self._dependencies.items()}

    async def _connect(self) -> None:
        client = self._client
        if client is None or client.is_connected or not hasattr(client, "connect"):
            return
        try:
            await call(client.connect, self._limits.start)
        except Exception as error:
            reason = why(error, self._limits.start)
            raise StartError(f"the Kafka client did not start: {reason}") from error

    async def _begin(self, name: str) -> None:
        dependency = self._dependencies[name]
        # Also what fails halfway may have something to stop, but only it knows that.
        await dependency.begin(self._sleep)
        self._begun[name] = dependency

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.create_task(work))

    async def _look_after(self, task: Supervised) -> None:
        await task.run()
        if task.is_essential and task.failure is not None:
            self._reason = f"task {task.name} gave up: {task.failure}"
            self._gate.is_open = False
            if self.state in WORKING:
                self._become(State.FAILED, self._reason)
            self._wanted.set()

    # How it stops.

    def request_stop(self, reason: str = "asked to") -> None:
        """Lets `run` stop, or who waits in `stop_requested`. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._want_stop, reason)

    def _want_stop(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._wanted.set()

    async def stop(self, reason: str = "asked to") -> StopReport:
        """Takes no more work, finishes what is in flight, publishes what is due, and
        closes the client. Raises nothing but cancellation.
        """
        if self._shutting is None:
            if self.state not in WORKING and self.state is not State.FAILED:
                raise LifecycleError(f"the service is {self.state}: nothing to stop")
            self._want_stop(reason)
            end = State.FAILED if self.state is State.FAILED else State.STOPPED
            self._shutting = asyncio.create_task(self._shut(end))
        return await asyncio.shield(self._shutting)

    async def _shut(self, end: State) -> StopReport:
        began = time.monotonic()
        stopping, limits = self._stopping, self._limits
        self._gate.is_open = False
        self._wanted.set()
        if self.state is not State.FAILED:
            self._become(State.STOPPING, self._reason)
        await asyncio.gather(*(self._end(intake) for intake in self._intakes))
        await stopping.within(limits.drain, self._drained())
        unfinished = self.in_flight
        working = self._gate.tasks() | ({self._main} if self._main else set())
        await stopping.tasks(working - {asyncio.current_task()})
        await stopping.tasks(self._background)
        await stopping.dependencies(self._graph(), self._begun)
        if self._metrics is not None:
            last = self._metrics.stop(limits.publish)
            await stopping.within(limits.publish + GRACE, last)
        # Events of synchronous operations may still be on their way to the client.
        if (drain := getattr(self._publisher, "drain", None)) is not None:
            await stopping.within(limits.publish, call(drain))
        self._become(end, self._reason)
        await stopping.within(limits.publish, self._announcer.settle(limits.publish))
        spooled = await stopping.close(self._client, limits.close)
        seconds = time.monotonic() - began
        self.report = StopReport(
            self._reason, seconds, unfinished, spooled, tuple(stopping.errors)
        )
        self.report.log()
        return self.report

    async def _end(self, intake: Dependency) -> None:
        async def end() -> None:
            if problem := await intake.end():
                self._stopping.errors.append(problem)

        await self._stopping.within(intake.stop_timeout + GRACE, end())

    async def _drained(self) -> None:
        while self.in_flight:
            await asyncio.sleep(0.01)

    def _become(self, state: State, reason: str) -> None:
        old, self.state = self.state, state
        if old is not state:
            log.info("%s → %s: %s", old, state, reason)
            self._announcer.announce(old, state, reason)

    # How it is run.

    def run(self, main: Main | None = None) -> None:
        """Runs the service as a program: until `main` ends, or for ever; SIGTERM and
        SIGINT stop it. A second signal stops it at once, a third kills it.

        Raises:
            StartError: It did not start.
            LifecycleError: A task that it can't do without gave up.
            SystemExit: After a second signal.
        """
        if code := asyncio.run(self.serve(main)):
            raise SystemExit(code)

    async def serve(self, main: Main | None = None) -> int:
        """The same in a loop that runs; gives the exit code."""
        self._prepare()
        with Signals(self._signalled):
            starting = asyncio.create_task(self._start())
            await self._until(starting)
            if self._start_failed:  # what has started is still being stopped
                await starting
            if not starting.done():
                await cancel({starting}, self._limits.start)
                return await self._leave()
            starting.result()
            self._main = asyncio.create_task(main() if main else self._wanted.wait())
            try:
                await self._until(self._main)
                return await self._ended(self._main)
            except asyncio.CancelledError:
                self._failure_of(self._main)  # SystemExit is on its way already
                await self.stop("cancelled")
                raise

    async def _until(self, work: "asyncio.Task[Any]") -> None:
        """Waits until it is done, or the service is to stop."""
        wanted = asyncio.create_task(self._wanted.wait())
        await asyncio.wait({work, wanted}, return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()

    async def _ended(self, main: "asyncio.Task[Any]") -> int:
        if main.done() and (failure := self._failure_of(main)) is not None:
            self._reason = reason_of(failure)
            self._become(State.FAILED, self._reason)
        await self.stop("its work is done")
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
        """Gives the exit code; in a hurry nothing keeps the process."""
        if self._exit_code:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if await cancel(others, GRACE):
                logging.shutdown()
                os._exit(self._exit_code)
        return self._exit_code

    def _signalled(self, number: signal.Signals, count: int) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._on_signal, number, count)

    def _on_signal(self, number: signal.Signals, count: int) -> None:
        if count == 1:
            self._want_stop(number.name)
        else:
            log.warning("%s again: stopping at once", number.name)
            self._exit_code = 128 + number
            self._stopping.hurry()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        await self.stop("its work is done" if error is None else type(error).__name__)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """The life of an ASGI app: `FastAPI(lifespan=lifecycle.lifespan)`."""
        async with self:
            yield
