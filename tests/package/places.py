"""Paths of files that the tests compare with."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "crates" / "render" / "tests" / "golden"
ORDERS = GOLDEN / "orders.yaml"
EXAMPLES = ROOT / "examples"
