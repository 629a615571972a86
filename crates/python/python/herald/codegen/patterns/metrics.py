"""Generator of metrics methods from a node type, a service and its operations.

The methods belong in a class with `_publish_metric_recorded_event`, such as the event
generator prints. They use `herald.metrics`.

A name that is not text or not valid is a `ValueError`; an argument that is not a list,
a number or a boolean as expected is a `TypeError`.
"""

from herald import _herald
from herald.codegen.patterns._any import ANY_NODE, ANY_SERVICE
from herald.codegen.patterns.business import BusinessMetric


class MetricsPatternGenerator:
    """Generates the methods that measure a node's operations, resources and business
    metrics.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        operations: Operations of the node.
        business_metrics: Metrics beside those of operations.
        publish_interval_ops: Number of operations after which metrics are published.
        publish_interval_seconds: Seconds after which metrics are published.
        include_resource_metrics: Whether to measure memory, CPU and open files.

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
        business_metrics: list[BusinessMetric] | None = None,
        publish_interval_ops: int = 100,
        publish_interval_seconds: float = 60.0,
        include_resource_metrics: bool = True,
    ) -> None:
        self.node_type = node_type
        self.service_name = service_name
        self.operations = operations
        self.business_metrics = [] if business_metrics is None else business_metrics
        self.publish_interval_ops = publish_interval_ops
        self.publish_interval_seconds = publish_interval_seconds
        self.include_resource_metrics = include_resource_metrics
        self._generator()  # validates the arguments
        self.operations = list(operations)
        self.business_metrics = list(self.business_metrics)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(node_type={self.node_type!r}, "
            f"service_name={self.service_name!r}, operations={self.operations!r}, "
            f"business_metrics={self.business_metrics!r}, "
            f"publish_interval_ops={self.publish_interval_ops!r}, "
            f"publish_interval_seconds={self.publish_interval_seconds!r}, "
            f"include_resource_metrics={self.include_resource_metrics!r})"
        )

    def _generator(self) -> _herald.MetricsGenerator:
        """Creates the native generator from the current attributes."""
        return _herald.MetricsGenerator(
            self.node_type,
            self.service_name,
            self.operations,
            self.business_metrics,
            self.publish_interval_ops,
            self.publish_interval_seconds,
            self.include_resource_metrics,
        )

    def generate_imports(self) -> str:
        """Return the imports of the module that contains the methods."""
        return self._generator().imports()

    def generate_all_metrics_methods(self) -> str:
        """Return all methods, indented for a class body."""
        return self._generator().all_methods()

    def generate_metrics_initialization(self) -> str:
        """Return the method that creates `node_metrics`, to be called by `__init__`."""
        return self._generator().initialization()

    def generate_operation_metrics_tracking(self) -> str:
        """Return the methods that measure operations."""
        return self._generator().operations()

    def generate_resource_metrics_collection(self) -> str:
        """Return the methods for resource usage, and for custom readings.

        Included even if such metrics are disabled.
        """
        return self._generator().resources()

    def generate_business_metrics_tracking(self) -> str:
        """Return a method for each business metric, and one for all of them."""
        return self._generator().business()

    def generate_metrics_publishing(self) -> str:
        """Return the methods that start publishing, publish at once, and stop."""
        return self._generator().publishing()

    def generate_metrics_decorator(self) -> str:
        """Return the function `track_metrics`, a decorator for methods.

        It belongs in the module, before the class.
        """
        return self._generator().decorator()

    def generate_complete_metrics_class(self) -> str:
        """Return a complete module: imports, the decorator, and a class."""
        return self._generator().module()


def generate_metrics_initialization(
    publish_interval_ops: int = 100,
    publish_interval_seconds: float = 60.0,
    include_resource_metrics: bool = True,
) -> str:
    """Return the method that creates `node_metrics`, to be called by `__init__`."""
    return MetricsPatternGenerator(
        *ANY_NODE,
        publish_interval_ops=publish_interval_ops,
        publish_interval_seconds=publish_interval_seconds,
        include_resource_metrics=include_resource_metrics,
    ).generate_metrics_initialization()


def generate_operation_metrics_tracking(operations: list[str]) -> str:
    """Return the methods that measure operations."""
    generator = MetricsPatternGenerator(*ANY_SERVICE, operations)
    return generator.generate_operation_metrics_tracking()


def generate_resource_metrics_collection() -> str:
    """Return the methods for resource usage, and for custom readings."""
    return MetricsPatternGenerator(*ANY_NODE).generate_resource_metrics_collection()


def generate_business_metrics_tracking(business_metrics: list[BusinessMetric]) -> str:
    """Return a method for each business metric, and one for all of them."""
    generator = MetricsPatternGenerator(*ANY_NODE, business_metrics=business_metrics)
    return generator.generate_business_metrics_tracking()


def generate_metrics_publishing() -> str:
    """Return the methods that start publishing, publish at once, and stop."""
    return MetricsPatternGenerator(*ANY_NODE).generate_metrics_publishing()


def generate_metrics_decorator(operations: list[str]) -> str:
    """Return the function `track_metrics`, a decorator for methods."""
    generator = MetricsPatternGenerator(*ANY_SERVICE, operations)
    return generator.generate_metrics_decorator()


def generate_complete_metrics_class(
    node_type: str,
    service_name: str,
    operations: list[str],
    business_metrics: list[BusinessMetric] | None = None,
    publish_interval_ops: int = 100,
    publish_interval_seconds: float = 60.0,
    include_resource_metrics: bool = True,
) -> str:
    """Return a complete module: imports, the decorator, and a class.

    Takes the arguments of `MetricsPatternGenerator`.
    """
    return MetricsPatternGenerator(
        node_type,
        service_name,
        operations,
        business_metrics,
        publish_interval_ops,
        publish_interval_seconds,
        include_resource_metrics,
    ).generate_complete_metrics_class()
