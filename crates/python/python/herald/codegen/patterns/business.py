"""Business metrics."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BusinessMetric:
    """Business metric of a service, such as orders placed.

    Args:
        name: Name, in any characters.
        kind: `counter` for an increasing sum, `gauge` for a current value,
            `distribution` for values with percentiles.
        unit: Unit of its values, such as `EUR`.
    """

    name: str
    kind: Literal["counter", "distribution", "gauge"] = "counter"
    unit: str = "count"
