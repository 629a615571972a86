"""Generator of event publishing methods from a node type, a service and its operations.

A name that is not text, or not valid in a Kafka topic, is a `ValueError`, and so are
two operations with the same identifier; an argument that is not a list or a boolean as
expected is a `TypeError`.
"""

from herald import _herald


class EventPublishingPatternGenerator:
    """Generates the methods that publish a node's events.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        operations: Operations of the node. Each is started, then completed or failed.
        include_state_events: Whether there is an event for changes of the node's state.
        include_metric_events: Whether there is an event for metrics.

    The arguments are attributes, too; setting one changes the output.

    Raises:
        ValueError: A name is missing, unknown, or not valid in a topic.
        TypeError: `operations` is not a list, or a switch is not a boolean.
    """

    def __init__(
        self,
        node_type: str,
        service_name: str,
        operations: list[str],
        include_state_events: bool = True,
        include_metric_events: bool = True,
    ) -> None:
        self.node_type = node_type
        self.service_name = service_name
        self.operations = operations
        self.include_state_events = include_state_events
        self.include_metric_events = include_metric_events
        self._generator()  # validates the arguments
        self.operations = list(operations)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(node_type={self.node_type!r}, "
            f"service_name={self.service_name!r}, operations={self.operations!r}, "
            f"include_state_events={self.include_state_events!r}, "
            f"include_metric_events={self.include_metric_events!r})"
        )

    def _generator(self) -> _herald.PatternGenerator:
        """Creates the native generator from the current attributes."""
        return _herald.PatternGenerator(
            self.node_type,
            self.service_name,
            self.operations,
            self.include_state_events,
            self.include_metric_events,
        )

    def generate_imports(self) -> str:
        """Return the imports of the module that contains the methods.

        They include stand-ins for a missing `omnibase_core`, and the functions that the
        methods call.
        """
        return self._generator().imports()

    def generate_all_event_methods(self) -> str:
        """Return the methods of all events, indented for a class body."""
        return self._generator().all_methods()

    def generate_operation_started_event(self, operation: str) -> str:
        """Return the method for a started operation.

        The operation need not be one of `operations`.
        """
        return self._generator().started(operation)

    def generate_operation_completed_event(self, operation: str) -> str:
        """Return the method for a completed operation."""
        return self._generator().completed(operation)

    def generate_operation_failed_event(self, operation: str) -> str:
        """Return the method for a failed operation."""
        return self._generator().failed(operation)

    def generate_state_changed_event(self) -> str:
        """Return the method for a state change, even if such events are disabled."""
        return self._generator().state_changed()

    def generate_metric_recorded_event(self) -> str:
        """Return the method for a metric, even if such events are disabled."""
        return self._generator().metric_recorded()

    def get_event_type_catalog(self) -> dict[str, list[str]]:
        """Return the event types by category.

        The keys are `operation_lifecycle`, `state_events` and `metric_events`; disabled
        categories have an empty list.
        """
        return self._generator().catalog()


def generate_event_publishing_methods(
    node_type: str,
    service_name: str,
    operations: list[str],
    include_state_events: bool = True,
    include_metric_events: bool = True,
) -> str:
    """Return a complete module: imports, and a class with all methods.

    Takes the arguments of `EventPublishingPatternGenerator`.
    """
    return _herald.PatternGenerator(
        node_type,
        service_name,
        operations,
        include_state_events,
        include_metric_events,
    ).module()


def generate_operation_started_event(service_name: str, operation: str) -> str:
    """Return the method for a started operation of any service.

    The node type is the service's name if that is a node type, else `effect`.
    """
    return _herald.started_for_service(service_name, operation)


def generate_operation_completed_event(service_name: str, operation: str) -> str:
    """Return the method for a completed operation of any service.

    The node type is the service's name if that is a node type, else `effect`.
    """
    return _herald.completed_for_service(service_name, operation)


def generate_operation_failed_event(service_name: str, operation: str) -> str:
    """Return the method for a failed operation of any service.

    The node type is the service's name if that is a node type, else `effect`.
    """
    return _herald.failed_for_service(service_name, operation)


def get_event_type_catalog(
    node_type: str,
    operations: list[str],
    include_state_events: bool = True,
    include_metric_events: bool = True,
) -> dict[str, list[str]]:
    """Return the event types of a node by category.

    The keys are `operation_lifecycle`, `state_events` and `metric_events`; disabled
    categories have an empty list.
    """
    return _herald.PatternGenerator(
        node_type,
        node_type,  # event types do not depend on the service name
        operations,
        include_state_events,
        include_metric_events,
    ).catalog()
