"""What counts and times a node's work, from a kind of node, a service and operations.

The methods belong into a class that has `_publish_metric_recorded_event`, such as the
generator of events prints; what they do is in `herald.metrics`.

Arguments are checked as those of events are. A name that is no text, and what can't
stand where it has to, is a `ValueError`; a list, a number or a boolean that is none is
a `TypeError`.
"""

from herald import _herald
from herald.codegen.patterns._any import ANY_NODE, ANY_SERVICE
from herald.codegen.patterns.business import BusinessMetric


class MetricsPatternGenerator:
    """Generates what measures one node's operations, resources and business.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        operations: What the node does.
        business_metrics: What it measures beside that.
        publish_interval_ops: Figures are published after so many operations,
        publish_interval_seconds: and after so much time.
        include_resource_metrics: Whether memory, processor and files are figures too.

    The arguments are attributes, too. Whoever sets one gets what the new value gives.

    Raises:
        ValueError: A name is missing, unknown, or can't stand where it has to; a number
            is not above 0.
        TypeError: A list is none, a number is none, or a switch no boolean.
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
        self._generator()  # refuses what no generator takes
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
        """What the attributes say now."""
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
        """What belongs at the top of the module that the methods are put into."""
        return self._generator().imports()

    def generate_all_metrics_methods(self) -> str:
        """All methods, indented for the body of a class."""
        return self._generator().all_methods()

    def generate_metrics_initialization(self) -> str:
        """The method that makes `node_metrics`, for `__init__` to call."""
        return self._generator().initialization()

    def generate_operation_metrics_tracking(self) -> str:
        """The methods that measure operations."""
        return self._generator().operations()

    def generate_resource_metrics_collection(self) -> str:
        """The methods for what the process takes, and for readings of one's own.

        Also when such metrics are left out.
        """
        return self._generator().resources()

    def generate_business_metrics_tracking(self) -> str:
        """A method for each business metric, and one that gives all."""
        return self._generator().business()

    def generate_metrics_publishing(self) -> str:
        """The methods that begin to publish, publish at once, and end."""
        return self._generator().publishing()

    def generate_metrics_decorator(self) -> str:
        """The function `track_metrics`, which decorates methods.

        It stands in the module, before the class.
        """
        return self._generator().decorator()

    def generate_complete_metrics_class(self) -> str:
        """A whole module: imports, the decorator, and a class that publishes."""
        return self._generator().module()


def generate_metrics_initialization(
    publish_interval_ops: int = 100,
    publish_interval_seconds: float = 60.0,
    include_resource_metrics: bool = True,
) -> str:
    """The method that makes `node_metrics`, for `__init__` to call."""
    return MetricsPatternGenerator(
        *ANY_NODE,
        publish_interval_ops=publish_interval_ops,
        publish_interval_seconds=publish_interval_seconds,
        include_resource_metrics=include_resource_metrics,
    ).generate_metrics_initialization()


def generate_operation_metrics_tracking(operations: list[str]) -> str:
    """The methods that measure operations."""
    generator = MetricsPatternGenerator(*ANY_SERVICE, operations)
    return generator.generate_operation_metrics_tracking()


def generate_resource_metrics_collection() -> str:
    """The methods for what the process takes, and for readings of one's own."""
    return MetricsPatternGenerator(*ANY_NODE).generate_resource_metrics_collection()


def generate_business_metrics_tracking(business_metrics: list[BusinessMetric]) -> str:
    """A method for each business metric, and one that gives all."""
    generator = MetricsPatternGenerator(*ANY_NODE, business_metrics=business_metrics)
    return generator.generate_business_metrics_tracking()


def generate_metrics_publishing() -> str:
    """The methods that begin to publish, publish at once, and end."""
    return MetricsPatternGenerator(*ANY_NODE).generate_metrics_publishing()


def generate_metrics_decorator(operations: list[str]) -> str:
    """The function `track_metrics`, which decorates methods."""
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
    """A whole module: imports, the decorator, and a class that publishes.

    Takes and refuses what `MetricsPatternGenerator` does.
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
