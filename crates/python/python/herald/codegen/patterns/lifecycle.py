"""What starts and stops a node, as source: parts for a class of your own, or a module.

The parts use `herald.lifecycle`, and work beside those of the other generators in one
class: its `__init__` sets `node_id`, `kafka_client` and `default_namespace`, and calls
`_initialize_lifecycle()` last.

What is no list is a `TypeError`; a name that is missing, unknown or taken is a
`ValueError`.
"""

from herald import _herald


class LifecyclePatternGenerator:
    """Generates what starts and stops one node.

    Args:
        node_type: `effect`, `compute`, `reducer` or `orchestrator`, in any case.
        service_name: Name of the service in topics.
        dependencies: What is started before the node works, and stopped after it: each
            has a method for both, whose body is yours.
        background_tasks: What runs beside the node: each has a method, whose body is
            yours.

    The arguments are attributes, too. Whoever sets one gets what the new value gives.

    Raises:
        ValueError: A name is missing, unknown, or taken.
        TypeError: A list is none.
    """

    def __init__(
        self,
        node_type: str,
        service_name: str,
        dependencies: list[str] | None = None,
        background_tasks: list[str] | None = None,
    ) -> None:
        self.node_type = node_type
        self.service_name = service_name
        self.dependencies = [] if dependencies is None else dependencies
        self.background_tasks = [] if background_tasks is None else background_tasks
        self._generator()  # refuses what no generator takes
        self.dependencies = list(self.dependencies)
        self.background_tasks = list(self.background_tasks)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(node_type={self.node_type!r}, "
            f"service_name={self.service_name!r}, "
            f"dependencies={self.dependencies!r}, "
            f"background_tasks={self.background_tasks!r})"
        )

    def _generator(self) -> _herald.LifecyclePattern:
        """What the attributes say now."""
        return _herald.LifecyclePattern(
            self.node_type, self.service_name, self.dependencies, self.background_tasks
        )

    def generate_imports(self) -> str:
        """What belongs at the top of the module that the methods are put into."""
        return self._generator().part("imports")

    def generate_lifecycle_initialization(self) -> str:
        """The method that declares what the node consists of."""
        return self._generator().part("initialization")

    def generate_startup(self) -> str:
        """The method that starts the node, and one for each dependency."""
        return self._generator().part("startup")

    def generate_shutdown(self) -> str:
        """The method that stops the node, and one for each dependency."""
        return self._generator().part("shutdown")

    def generate_runtime_monitoring(self) -> str:
        """The methods that say how the node is, and one for each task beside it."""
        return self._generator().part("runtime_monitoring")

    def generate_lifecycle_helpers(self) -> str:
        """A scope for operations that stopping waits for, and the node as a program."""
        return self._generator().part("helpers")

    def generate_all_lifecycle_methods(self) -> str:
        """All methods, indented for the body of a class."""
        return self._generator().part("methods")

    def generate_complete_lifecycle_class(self) -> str:
        """A whole module that runs as it is: imports, the class, and the program."""
        return self._generator().part("complete")


def generate_lifecycle_initialization(
    dependencies: list[str] | None = None, background_tasks: list[str] | None = None
) -> str:
    """The method that declares what a node consists of, `_initialize_lifecycle`."""
    return _any(dependencies, background_tasks).generate_lifecycle_initialization()


def generate_startup(dependencies: list[str] | None = None) -> str:
    """The method that starts a node, and one for each dependency."""
    return _any(dependencies).generate_startup()


def generate_shutdown(dependencies: list[str] | None = None) -> str:
    """The method that stops a node, and one for each dependency."""
    return _any(dependencies).generate_shutdown()


def generate_runtime_monitoring(background_tasks: list[str] | None = None) -> str:
    """The methods that say how a node is, and one for each task beside it."""
    return _any(None, background_tasks).generate_runtime_monitoring()


def generate_lifecycle_helpers() -> str:
    """A scope for operations that stopping waits for, and the node as a program."""
    return _any().generate_lifecycle_helpers()


def generate_complete_lifecycle_class(
    node_type: str,
    service_name: str,
    dependencies: list[str] | None = None,
    background_tasks: list[str] | None = None,
) -> str:
    """A whole module that runs as it is: imports, the class, and the program.

    Takes and refuses what `LifecyclePatternGenerator` does.
    """
    return LifecyclePatternGenerator(
        node_type, service_name, dependencies, background_tasks
    ).generate_complete_lifecycle_class()


def _any(
    dependencies: list[str] | None = None, background_tasks: list[str] | None = None
) -> LifecyclePatternGenerator:
    """Of parts that are the same for every node."""
    return LifecyclePatternGenerator("effect", "node", dependencies, background_tasks)
