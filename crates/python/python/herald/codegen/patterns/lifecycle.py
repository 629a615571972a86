"""Generator of lifecycle methods from a node type, a service and its operations.

The methods belong in a class with `node_id`, `kafka_client` and `default_namespace`,
beside the methods of events and metrics. They use `herald.lifecycle`.

A name that is not text or not valid is a `ValueError`; an argument that is not a list,
a number or a boolean as expected is a `TypeError`.
"""

from herald import _herald
from herald.codegen.patterns._any import ANY_NODE


class LifecyclePatternGenerator:
    """Generates the methods that start, supervise and stop a node.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        operations: Operations of the node.
        dependencies: Dependencies, which start one after the other before the service,
            and stop in reverse order. The Kafka client need not be among them.
        background_tasks: Tasks that run beside the service.
        include_metrics: Whether the class has `node_metrics`, which the lifecycle
            publishes.
        include_health_checks: Whether each dependency has a health check.
        monitor_interval_seconds: Time between two runs of the checks.
        heartbeat_interval_seconds: Time between two heartbeats; None for none.
        drain_timeout_seconds: Time for operations in progress to finish at shutdown.

    The arguments are attributes, too; setting one changes the output.

    Raises:
        ValueError: A name is missing, unknown or not valid, or a number is not
            positive.
        TypeError: An argument is not a list, a number or a boolean, as expected.
    """

    def __init__(
        self,
        node_type: str,
        service_name: str,
        operations: list[str],
        dependencies: list[str] | None = None,
        background_tasks: list[str] | None = None,
        include_metrics: bool = True,
        include_health_checks: bool = True,
        monitor_interval_seconds: float = 5.0,
        heartbeat_interval_seconds: float | None = 30.0,
        drain_timeout_seconds: float = 10.0,
    ) -> None:
        self.node_type = node_type
        self.service_name = service_name
        self.operations = operations
        self.dependencies = [] if dependencies is None else dependencies
        self.background_tasks = [] if background_tasks is None else background_tasks
        self.include_metrics = include_metrics
        self.include_health_checks = include_health_checks
        self.monitor_interval_seconds = monitor_interval_seconds
        self.heartbeat_interval_seconds = heartbeat_interval_seconds
        self.drain_timeout_seconds = drain_timeout_seconds
        self._generator()  # validates the arguments
        self.operations = list(operations)
        self.dependencies = list(self.dependencies)
        self.background_tasks = list(self.background_tasks)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(node_type={self.node_type!r}, "
            f"service_name={self.service_name!r}, operations={self.operations!r}, "
            f"dependencies={self.dependencies!r}, "
            f"background_tasks={self.background_tasks!r}, "
            f"include_metrics={self.include_metrics!r}, "
            f"include_health_checks={self.include_health_checks!r}, "
            f"monitor_interval_seconds={self.monitor_interval_seconds!r}, "
            f"heartbeat_interval_seconds={self.heartbeat_interval_seconds!r}, "
            f"drain_timeout_seconds={self.drain_timeout_seconds!r})"
        )

    def _generator(self) -> _herald.LifecycleGenerator:
        """Creates the native generator from the current attributes."""
        return _herald.LifecycleGenerator(
            self.node_type,
            self.service_name,
            self.operations,
            self.dependencies,
            self.background_tasks,
            self.include_metrics,
            self.include_health_checks,
            self.monitor_interval_seconds,
            self.heartbeat_interval_seconds,
            self.drain_timeout_seconds,
        )

    def generate_imports(self) -> str:
        """Return the imports of the module that contains the methods."""
        return self._generator().imports()

    def generate_all_lifecycle_methods(self) -> str:
        """Return all methods, indented for a class body."""
        return self._generator().all_methods()

    def generate_init_method(self) -> str:
        """Return the method that creates `lifecycle` and declares the parts of the
        service.

        To be called at the end of `__init__`.
        """
        return self._generator().init()

    def generate_startup_method(self) -> str:
        """Return the methods that start the service or run it as a program."""
        return self._generator().startup()

    def generate_shutdown_method(self) -> str:
        """Return the methods that stop the service."""
        return self._generator().shutdown()

    def generate_runtime_monitoring(self) -> str:
        """Return the methods that report health."""
        return self._generator().monitoring()

    def generate_helper_methods(self) -> str:
        """Return the scope of operations, and stubs of dependencies and tasks to
        implement.
        """
        return self._generator().helpers()

    def generate_complete_lifecycle_class(self) -> str:
        """Return a complete module: imports, and a service class that publishes its
        states.

        With metrics it also has the methods of `MetricsPatternGenerator`.
        """
        return self._generator().module()


def generate_init_method(
    dependencies: list[str] | None = None,
    background_tasks: list[str] | None = None,
    include_metrics: bool = True,
    include_health_checks: bool = True,
    monitor_interval_seconds: float = 5.0,
    heartbeat_interval_seconds: float | None = 30.0,
    drain_timeout_seconds: float = 10.0,
) -> str:
    """Return the method that creates `lifecycle` and declares the service's parts."""
    return LifecyclePatternGenerator(
        *ANY_NODE,
        dependencies,
        background_tasks,
        include_metrics,
        include_health_checks,
        monitor_interval_seconds,
        heartbeat_interval_seconds,
        drain_timeout_seconds,
    ).generate_init_method()


def generate_startup_method() -> str:
    """Return the methods that start the service or run it as a program."""
    return LifecyclePatternGenerator(*ANY_NODE).generate_startup_method()


def generate_shutdown_method() -> str:
    """Return the methods that stop the service."""
    return LifecyclePatternGenerator(*ANY_NODE).generate_shutdown_method()


def generate_runtime_monitoring() -> str:
    """Return the methods that report health."""
    return LifecyclePatternGenerator(*ANY_NODE).generate_runtime_monitoring()


def generate_helper_methods(
    dependencies: list[str] | None = None,
    background_tasks: list[str] | None = None,
    include_health_checks: bool = True,
) -> str:
    """Return the scope of operations, and stubs for dependencies and tasks."""
    return LifecyclePatternGenerator(
        *ANY_NODE,
        dependencies,
        background_tasks,
        include_health_checks=include_health_checks,
    ).generate_helper_methods()


def generate_complete_lifecycle_class(
    node_type: str,
    service_name: str,
    operations: list[str],
    dependencies: list[str] | None = None,
    background_tasks: list[str] | None = None,
    include_metrics: bool = True,
    include_health_checks: bool = True,
    monitor_interval_seconds: float = 5.0,
    heartbeat_interval_seconds: float | None = 30.0,
    drain_timeout_seconds: float = 10.0,
) -> str:
    """Return a complete module: imports, and a service class that publishes its states.

    Takes the arguments of `LifecyclePatternGenerator`.
    """
    return LifecyclePatternGenerator(
        node_type,
        service_name,
        operations,
        dependencies,
        background_tasks,
        include_metrics,
        include_health_checks,
        monitor_interval_seconds,
        heartbeat_interval_seconds,
        drain_timeout_seconds,
    ).generate_complete_lifecycle_class()
