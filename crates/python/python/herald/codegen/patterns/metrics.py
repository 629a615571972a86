"""What counts and times a node, as source: parts for a class of your own, or a module.

The parts use `herald.metrics`, and work beside those of the other generators in one
class: its `__init__` sets `node_id`, `kafka_client` and `default_namespace`, then calls
`_initialize_metrics()`. Publishing needs its `_publish_metric_recorded_event`.

What is no list is a `TypeError`; a name that is missing, unknown or taken is a
`ValueError`.
"""

from typing import Literal, NamedTuple

from herald import _herald


class BusinessMetric(NamedTuple):
    """A figure of the node's own field of work.

    Attributes:
        name: Its name on the wire, such as `order.total`; at most 50 characters.
        unit: Unit of its values, such as `EUR`.
        kind: `counter` (a sum that grows), `gauge` (a value of now) or `distribution`
            (values whose percentiles count).
    """

    name: str
    unit: str = "count"
    kind: Literal["counter", "gauge", "distribution"] = "counter"


class MetricsPatternGenerator:
    """Generates what counts and times one node.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        operations: What the node does.
        business_metrics: Figures of its own field of work.
        include_resource_metrics: Whether memory, processor and files are figures too.

    The arguments are attributes, too. Whoever sets one gets what the new value gives.

    Raises:
        ValueError: A name is missing, unknown, or taken.
        TypeError: A list is none, or the switch no boolean.
    """

    def __init__(
        self,
        node_type: str,
        service_name: str,
        operations: list[str],
        business_metrics: list[BusinessMetric] | None = None,
        include_resource_metrics: bool = True,
    ) -> None:
        self.node_type = node_type
        self.service_name = service_name
        self.operations = operations
        self.business_metrics = [] if business_metrics is None else business_metrics
        self.include_resource_metrics = include_resource_metrics
        self._generator()  # refuses what no generator takes
        self.operations = list(operations)
        self.business_metrics = list(self.business_metrics)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(node_type={self.node_type!r}, "
            f"service_name={self.service_name!r}, operations={self.operations!r}, "
            f"business_metrics={self.business_metrics!r}, "
            f"include_resource_metrics={self.include_resource_metrics!r})"
        )

    def _generator(self) -> _herald.MetricsPattern:
        """What the attributes say now."""
        return _herald.MetricsPattern(
            self.node_type,
            self.service_name,
            self.operations,
            self.business_metrics,
            self.include_resource_metrics,
        )

    def generate_imports(self) -> str:
        """What belongs at the top of the module that the methods are put into."""
        return self._generator().part("imports")

    def generate_metrics_initialization(self) -> str:
        """The method that makes what counts, `_initialize_metrics`."""
        return self._generator().part("initialization")

    def generate_operation_tracking(self) -> str:
        """A method for each operation, `_track_NAME`, whose result is a scope."""
        return self._generator().part("operation_tracking")

    def generate_resource_metrics(self) -> str:
        """The method that reads memory, processor, files and connections."""
        return self._generator().part("resource_metrics")

    def generate_business_metrics(self) -> str:
        """A method for each: `_count_NAME`, `_set_NAME` or `_record_NAME`."""
        return self._generator().part("business_metrics")

    def generate_metrics_publishing(self) -> str:
        """The methods that begin, hasten and end publishing."""
        return self._generator().part("publishing")

    def generate_metrics_decorator(self) -> str:
        """A decorator for each operation, `measure_NAME`, for the top of the module."""
        return self._generator().part("decorator")

    def generate_all_metrics_methods(self) -> str:
        """All methods, indented for the body of a class."""
        return self._generator().part("methods")

    def generate_complete_metrics_class(self) -> str:
        """A whole module: imports, decorators, a class that publishes its figures."""
        return self._generator().part("complete")


def generate_metrics_initialization(
    node_type: str,
    service_name: str,
    operations: list[str],
    business_metrics: list[BusinessMetric] | None = None,
    include_resource_metrics: bool = True,
) -> str:
    """The method that makes what counts, `_initialize_metrics`."""
    return MetricsPatternGenerator(
        node_type, service_name, operations, business_metrics, include_resource_metrics
    ).generate_metrics_initialization()


def generate_operation_tracking(operations: list[str]) -> str:
    """A method for each operation, `_track_NAME`, whose result is a scope."""
    return _any(operations).generate_operation_tracking()


def generate_resource_metrics() -> str:
    """The method that reads memory, processor, files and connections."""
    return _any(["run"]).generate_resource_metrics()


def generate_business_metrics(business_metrics: list[BusinessMetric]) -> str:
    """A method for each: `_count_NAME`, `_set_NAME` or `_record_NAME`."""
    return _any(["run"], business_metrics).generate_business_metrics()


def generate_metrics_publishing() -> str:
    """The methods that begin, hasten and end publishing."""
    return _any(["run"]).generate_metrics_publishing()


def generate_metrics_decorator(operations: list[str]) -> str:
    """A decorator for each operation, `measure_NAME`, for the top of a module."""
    return _any(operations).generate_metrics_decorator()


def generate_complete_metrics_class(
    node_type: str,
    service_name: str,
    operations: list[str],
    business_metrics: list[BusinessMetric] | None = None,
    include_resource_metrics: bool = True,
) -> str:
    """A whole module: imports, decorators, a class that publishes its figures.

    Takes and refuses what `MetricsPatternGenerator` does.
    """
    return MetricsPatternGenerator(
        node_type, service_name, operations, business_metrics, include_resource_metrics
    ).generate_complete_metrics_class()


def _any(
    operations: list[str], business_metrics: list[BusinessMetric] | None = None
) -> MetricsPatternGenerator:
    """Of parts that are the same for every node."""
    return MetricsPatternGenerator("effect", "node", operations, business_metrics)
