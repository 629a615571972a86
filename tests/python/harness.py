"""Shared by the tests: golden modules, and a recording client and log."""

import importlib.util
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "crates" / "python" / "python"
GOLDEN = ROOT / "crates" / "render" / "tests" / "golden"

NODE_ID = UUID("6f2c1c1e-0000-4000-8000-000000000001")
CORRELATION_ID = UUID("6f2c1c1e-0000-4000-8000-000000000002")


def load(name: str) -> ModuleType:
    """Import a golden module anew, so that tests don't share its state."""
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Client:
    """Takes what is published; `answer` is what it returns, or raises."""

    answer: Any = True
    is_connected: bool = True
    published: list[dict[str, Any]] = field(default_factory=list)

    async def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Any:
        """Record the arguments; a client for Kafka writes them as JSON."""
        json.dumps(payload)
        json.dumps(metadata)
        self.published.append(
            {
                "event_type": event_type,
                "source_node_id": source_node_id,
                "payload": payload,
                "topic": topic,
                "correlation_id": correlation_id,
                "metadata": metadata,
            }
        )
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    level: str
    message: str
    context: dict[str, Any]


def replace_log(module: ModuleType, emit: Callable[..., None]) -> None:
    """Replace what a golden module, or its runtime, writes its log with."""
    if hasattr(module, "quiet_log"):
        module.__dict__["emit_log_event"] = module.quiet_log(emit)
    else:
        sys.modules["herald.runtime._log"].__dict__["_EMIT"] = emit


def record_log(module: ModuleType) -> list[Line]:
    """Replace the log that a module writes to."""
    lines: list[Line] = []
    logging.getLogger("herald.events").setLevel(logging.DEBUG)

    def emit(level: Any, message: str, context: dict[str, Any]) -> None:
        lines.append(Line(level.name, message, context))

    replace_log(module, emit)
    return lines


def publisher(module: ModuleType, class_name: str, client: Client | None) -> Any:
    """Make a node of a generated class, or of one around generated methods."""
    make: Callable[..., Any] = getattr(module, class_name)
    if class_name == "Node":
        return make(NODE_ID, client, "dev")
    node = make()
    node.node_id = NODE_ID
    node.kafka_client = client
    node.default_namespace = "dev"
    return node
