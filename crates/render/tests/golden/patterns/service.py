from collections.abc import Callable, Coroutine
from typing import Any, Final
from uuid import UUID

from herald.lifecycle import Admission, Health, Lifecycle, StopReport
from herald.runtime import (
    EventClient,
    EventPublisher,
    EventSource,
    MetricEvent,
    StateEvent,
    logged_method,
)

_SOURCE: Final = EventSource(
    "orders",
    node_type="effect",
)

_STATE_CHANGED: Final = StateEvent(
    "effect.state.changed",
    _SOURCE,
    topic="{namespace}.orders.effect.state.changed.v1",
)

_METRIC_RECORDED: Final = MetricEvent(
    "effect.metric.recorded",
    _SOURCE,
    topic="{namespace}.orders.effect.metric.recorded.v1",
)


class OrdersService(EventPublisher):
    """Runs the node `orders`.

    Attributes:
        node_id: The node, as source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
    """

    def __init__(
        self,
        node_id: UUID | str,
        kafka_client: EventClient | None = None,
        default_namespace: str = "dev",
    ) -> None:
        self.node_id = node_id
        self.kafka_client = kafka_client
        self.default_namespace = default_namespace
        self._initialize_lifecycle()

    _publish_state_changed_event = logged_method(_STATE_CHANGED.publish)
    _publish_metric_recorded_event = logged_method(_METRIC_RECORDED.publish)

    def _initialize_lifecycle(self) -> None:
        """Declare dependencies and tasks; call it at the end of `__init__`.

        Dependencies start in this order, and stop in reverse. Their checks decide
        whether the service is ready; tasks run in the background.
        """
        self.lifecycle: Lifecycle = Lifecycle(
            self,
            drain_timeout=10.0,
            health_interval=5.0,
            heartbeat_interval=30.0,
        )
        self.lifecycle.dependency(
            "database",
            start=self._connect_database,
            stop=self._disconnect_database,
            check=self._check_database,
        )
        self.lifecycle.task(
            "refresh",
            self._run_refresh,
        )

    async def startup(self) -> None:
        """Connect the client, start the dependencies, then the tasks.

        Raises:
            StartError: It did not start; everything that had started was stopped.
        """
        await self.lifecycle.start()

    def run(
        self,
        main: Callable[[], Coroutine[Any, Any, object]] | None = None,
    ) -> None:
        """Run as a program: start, and stop when `main` ends or on SIGTERM or SIGINT.

        Args:
            main: Coroutine function to run; without it, runs until a signal.
        """
        self.lifecycle.run(main)

    async def shutdown(self, reason: str = "stop requested") -> StopReport:
        """Finish operations in flight, stop tasks and dependencies, close the client.

        Args:
            reason: Reason, published with the last state change.
        """
        return await self.lifecycle.stop(reason)

    def request_shutdown(self, reason: str = "stop requested") -> None:
        """Make `run` stop; callable from any thread.

        Args:
            reason: Reason, published with the last state change.
        """
        self.lifecycle.request_stop(reason)

    async def readiness(self) -> Health:
        """Return whether checks, tasks and the client allow the service to work."""
        return await self.lifecycle.readiness()

    async def liveness(self) -> Health:
        """Return whether the service works, or has to be restarted."""
        return await self.lifecycle.liveness()

    def get_runtime_status(self) -> dict[str, object]:
        """Return the current status, without running checks."""
        heartbeat = self.lifecycle.last_heartbeat
        return {
            "state": self.lifecycle.state.value,
            "in_flight": self.lifecycle.in_flight,
            "last_heartbeat": heartbeat.isoformat() if heartbeat else None,
        }

    def _accept_operation(self) -> Admission:
        """Delay the shutdown for one operation: `with self._accept_operation():`.

        Raises:
            NotAccepting: The service has not started, or is stopping.
        """
        return self.lifecycle.operation()

    async def _connect_database(self) -> None:
        """Connect `database`; fill it in.

        If it raises, the service does not start.
        """

    async def _disconnect_database(self) -> None:
        """Disconnect `database`; fill it in.

        It is called after everything that was started later has stopped.
        """

    async def _check_database(self) -> str | None:
        """Look whether `database` is well; fill it in.

        Returns:
            None if it works, else a description of the problem.
        """
        return None

    async def _run_refresh(self) -> None:
        """Do the work of `refresh`; fill it in.

        It is cancelled when the service stops, and restarted when it fails.
        """
