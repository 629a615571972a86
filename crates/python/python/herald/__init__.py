"""Contract-first event publishing for Kafka."""

from herald._herald import __version__
from herald.contracts import Catalog, check, load, load_text
from herald.findings import ContractError, Finding
from herald.nodes import Event, Field, Node, Operation
from herald.output import GeneratedFile, Target, generate, targets

__all__ = [
    "Catalog",
    "ContractError",
    "Event",
    "Field",
    "Finding",
    "GeneratedFile",
    "Node",
    "Operation",
    "Target",
    "__version__",
    "check",
    "generate",
    "load",
    "load_text",
    "targets",
]
