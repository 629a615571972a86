"""The log of a module: that of omnibase_core, else of the standard library."""

import asyncio
import logging
import sys
from enum import Enum
from types import ModuleType
from typing import Any

import pytest

from harness import Client, load, publisher


class EnumLogLevel(str, Enum):  # noqa: UP042
    """Interface of the logger of omnibase_core."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def install(
    monkeypatch: pytest.MonkeyPatch, log_module: str
) -> list[tuple[object, str, Any]]:
    """Put an omnibase_core into place that has only what the publishers use."""
    lines: list[tuple[object, str, Any]] = []

    def emit_log_event_sync(level: object, message: str, context: Any = None) -> None:
        lines.append((level, message, context))

    contents: dict[str, dict[str, Any]] = {
        "omnibase_core": {"__path__": []},
        "omnibase_core.enums": {"__path__": []},
        "omnibase_core.enums.enum_log_level": {"EnumLogLevel": EnumLogLevel},
        "omnibase_core.logging": {"__path__": []},
        log_module: {"emit_log_event_sync": emit_log_event_sync},
    }
    for name, attributes in contents.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    return lines


def publish(module: ModuleType) -> None:
    """Publish one metric."""
    node = publisher(module, "EffectEventPublisher", Client())
    asyncio.run(node._publish_metric_recorded_event("latency", 2.5, "ms"))


@pytest.mark.parametrize("name", ["logging_structured", "structured"])
def test_omnibase_core_is_used_in_both_versions(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lines = install(monkeypatch, f"omnibase_core.logging.{name}")
    publish(load("one_call"))
    [(level, message, context)] = lines
    assert level is EnumLogLevel.DEBUG
    assert message == "Published metric recorded event: latency=2.5ms"
    assert context["event_type"] == "effect.metric.recorded"


def test_ignores_an_incomplete_omnibase_core(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(monkeypatch, "omnibase_core.logging.something_else")
    caplog.set_level(logging.DEBUG, "herald.events")
    module = load("one_call")
    publish(module)
    assert module.LogLevel is not EnumLogLevel
    assert len(caplog.records) == 1


def test_without_omnibase_core_the_standard_log_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "omnibase_core", None)
    caplog.set_level(logging.DEBUG, "herald.events")
    publish(load("one_call"))
    [record] = caplog.records
    assert record.levelno == logging.DEBUG
    message = record.getMessage()
    assert message.startswith("Published metric recorded event: latency=2.5ms {")
    assert vars(record)["event_context"]["metric"] == "latency=2.5ms"
