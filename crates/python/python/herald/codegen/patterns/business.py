"""Business metrics."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class BusinessMetric:
    """Business metric of a service, such as orders placed.

    Args:
        name: What it is called, in any characters.
        kind: `counter` for a sum that grows, `gauge` for a value of now,
            `distribution` for values whose percentiles count.
        unit: Unit of its values, such as `EUR`.
    """

    name: str
    kind: Literal["counter", "distribution", "gauge"] = "counter"
    unit: str = "count"
