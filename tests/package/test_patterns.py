"""The generator behaves as the one that it takes the place of."""

import ast
import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from herald.codegen.patterns import (
    EventPublishingPatternGenerator,
    event_publishing,
    generate_event_publishing_methods,
    generate_operation_completed_event,
    generate_operation_failed_event,
    generate_operation_started_event,
    get_event_type_catalog,
)

from places import GOLDEN

ORCHESTRATOR = ["orchestration", "routing", "intelligence_query"]
REDUCER = ["aggregation", "state_snapshot"]
NODES = [("orchestrator", ORCHESTRATOR, 11), ("reducer", REDUCER, 8)]
NODES += [("effect", ["process"], 5)]
STAGES = ["started", "completed", "failed"]
OPTIONS = "Valid options: compute, effect, orchestrator, reducer"

DEFAULTS = {"include_state_events": True, "include_metric_events": True}
OF_OPERATIONS = [
    generate_operation_started_event,
    generate_operation_completed_event,
    generate_operation_failed_event,
]


# What tests of a project look for in generated methods, and in the imports above.
OF_METHODS = [
    "metadata: Optional[dict[str, Any]] = None",
    '"node_id": self.node_id,',
    'topic_name = f"{self.default_namespace}.s.effect.process.started.v1"',
    'topic_name = f"{self.default_namespace}.s.effect.state.changed.v1"',
    "ModelOnexEnvelopeV1",
    '"error_type": type(error).__name__',
    '"started_at": datetime.now(UTC).isoformat(),',
    '"input_summary": {k: type(v).__name__ for k, v in input_data.items()},',
    '"result_summary": {k: type(v).__name__ for k, v in result_data.items()},',
    'payload["metadata"] = metadata',
    "source_node_id=str(self.node_id),",
    "success = await self.kafka_client.publish_with_envelope(",
    "if self.kafka_client and self.kafka_client.is_connected:",
    "except Exception as e:",
]
OF_IMPORTS = [
    "from datetime import UTC, datetime\n",
    "from typing import Any, Optional",
    "from uuid import UUID, uuid4",
    "from omnibase_core.logging.structured import "
    "emit_log_event_sync as emit_log_event",
    "from omnibase_core.enums.enum_log_level import EnumLogLevel as LogLevel",
]


@pytest.mark.parametrize("text", OF_METHODS)
def test_methods_have_the_spellings_that_existing_tests_look_for(text: str) -> None:
    assert text in generator().generate_all_event_methods()
    assert text in generate_event_publishing_methods("effect", "s", ["process"])


@pytest.mark.parametrize("text", OF_IMPORTS)
def test_imports_have_the_spellings_that_existing_tests_look_for(text: str) -> None:
    assert text in generator().generate_imports()
    assert text in generate_event_publishing_methods("effect", "s", ["process"])


@pytest.mark.parametrize("generate", OF_OPERATIONS)
def test_single_methods_have_these_spellings(generate: Callable[..., str]) -> None:
    code = generate(service_name="orchestrator", operation="orchestration")
    assert "metadata: Optional[dict[str, Any]] = None" in code
    assert '"node_id": self.node_id' in code
    topic = "orchestrator.orchestrator.orchestration"
    assert f'topic_name = f"{{self.default_namespace}}.{topic}.' in code


def generator(**changed: Any) -> EventPublishingPatternGenerator:
    arguments = {"node_type": "effect", "service_name": "s", "operations": ["process"]}
    return EventPublishingPatternGenerator(**{**arguments, **changed})


def methods(code: str) -> list[str]:
    """Names of the methods of a class, which must be Python."""
    (node,) = ast.parse("class Node:\n" + code).body
    assert isinstance(node, ast.ClassDef)
    return [part.name for part in node.body if isinstance(part, ast.AsyncFunctionDef)]


def signature_of(function: Callable[..., object]) -> dict[str, object]:
    """Names of the parameters in order, with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    assert {parameter.kind for parameter in parameters} == {
        inspect.Parameter.POSITIONAL_OR_KEYWORD
    }
    return {parameter.name: parameter.default for parameter in parameters}


def needed(*names: str) -> dict[str, object]:
    return dict.fromkeys(names, inspect.Parameter.empty)


def test_the_signatures_are_those_of_the_original() -> None:
    node = needed("node_type", "service_name", "operations")
    assert list(signature_of(EventPublishingPatternGenerator).items()) == list(
        {**node, **DEFAULTS}.items()
    )
    assert list(signature_of(generate_event_publishing_methods).items()) == list(
        {**node, **DEFAULTS}.items()
    )
    assert list(signature_of(get_event_type_catalog).items()) == list(
        {**needed("node_type", "operations"), **DEFAULTS}.items()
    )
    for function in OF_OPERATIONS:
        assert list(signature_of(function)) == ["service_name", "operation"]
    for stage in STAGES:
        method = getattr(generator(), f"generate_operation_{stage}_event")
        assert signature_of(method) == needed("operation")
    for name in [
        "generate_imports",
        "generate_all_event_methods",
        "generate_state_changed_event",
        "generate_metric_recorded_event",
        "get_event_type_catalog",
    ]:
        assert not inspect.signature(getattr(generator(), name)).parameters


def test_the_names_are_also_in_a_module_of_the_originals_name() -> None:
    assert (
        event_publishing.EventPublishingPatternGenerator
        is EventPublishingPatternGenerator
    )


def test_arguments_are_attributes() -> None:
    defaults = EventPublishingPatternGenerator("effect", "orders", ["place", "cancel"])
    assert defaults.node_type == "effect"
    assert defaults.service_name == "orders"
    assert defaults.operations == ["place", "cancel"]
    assert defaults.include_state_events is True
    assert defaults.include_metric_events is True
    switched = generator(include_state_events=False, include_metric_events=False)
    assert switched.include_state_events is False
    assert switched.include_metric_events is False


@pytest.mark.parametrize("kind", ["effect", "compute", "reducer", "orchestrator"])
def test_every_node_type_is_accepted(kind: str) -> None:
    catalog = generator(node_type=kind).get_event_type_catalog()
    assert catalog["state_events"] == [f"{kind}.state.changed"]


def test_a_node_type_is_accepted_in_any_case() -> None:
    node = generator(node_type="Effect")
    assert node.node_type == "Effect"
    assert node.get_event_type_catalog() == generator().get_event_type_catalog()
    assert node.generate_all_event_methods() == generator().generate_all_event_methods()


@pytest.mark.parametrize(("kind", "operations", "count"), NODES)
def test_as_many_methods_as_events(
    kind: str, operations: list[str], count: int
) -> None:
    node = EventPublishingPatternGenerator(kind, kind, operations)
    wanted = [
        f"_publish_{name}_{stage}_event" for name in operations for stage in STAGES
    ]
    wanted += ["_publish_state_changed_event", "_publish_metric_recorded_event"]
    assert len(wanted) == count
    assert methods(node.generate_all_event_methods()) == wanted
    module = generate_event_publishing_methods(kind, kind, operations)
    assert module.count("async def _publish_") == count


def test_two_operations_have_eight_methods() -> None:
    code = generate_event_publishing_methods(
        node_type="orchestrator",
        service_name="orchestrator",
        operations=["orchestration", "routing"],
        include_state_events=True,
        include_metric_events=True,
    )
    assert code.count("async def _publish_") == 8


@pytest.mark.parametrize(("kind", "operations", "count"), NODES)
def test_the_catalog_has_every_event(
    kind: str, operations: list[str], count: int
) -> None:
    catalog = get_event_type_catalog(kind, operations)
    assert catalog == {
        "operation_lifecycle": [
            f"{kind}.{operation}.{stage}"
            for operation in operations
            for stage in STAGES
        ],
        "state_events": [f"{kind}.state.changed"],
        "metric_events": [f"{kind}.metric.recorded"],
    }
    assert sum(map(len, catalog.values())) == count
    assert type(catalog) is dict
    assert {type(event_types) for event_types in catalog.values()} == {list}
    node = EventPublishingPatternGenerator(kind, "any-service", operations)
    assert node.get_event_type_catalog() == catalog


@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize("metric", [True, False])
def test_disabled_events_are_left_out(state: bool, metric: bool) -> None:
    node = generator(include_state_events=state, include_metric_events=metric)
    catalog = node.get_event_type_catalog()
    assert list(catalog) == ["operation_lifecycle", "state_events", "metric_events"]
    assert bool(catalog["state_events"]) is state
    assert bool(catalog["metric_events"]) is metric
    assert catalog == get_event_type_catalog("effect", ["process"], state, metric)
    names = methods(node.generate_all_event_methods())
    assert ("_publish_state_changed_event" in names) is state
    assert ("_publish_metric_recorded_event" in names) is metric
    module = generate_event_publishing_methods(
        "effect", "s", ["process"], state, metric
    )
    assert module.count("async def _publish_") == len(names)


def test_one_method_at_a_time() -> None:
    node = EventPublishingPatternGenerator(
        "reducer", "ledger", ["post"], include_state_events=False
    )
    for code, name, event_type in [
        (node.generate_operation_started_event("post"), "post_started", "post.started"),
        (
            node.generate_operation_completed_event("post"),
            "post_completed",
            "post.completed",
        ),
        (node.generate_operation_failed_event("post"), "post_failed", "post.failed"),
        (node.generate_state_changed_event(), "state_changed", "state.changed"),
        (node.generate_metric_recorded_event(), "metric_recorded", "metric.recorded"),
    ]:
        assert methods(code) == [f"_publish_{name}_event"]
        assert f'event_type="reducer.{event_type}"' in code
        assert f".ledger.reducer.{event_type}.v1" in code
        assert "await self.kafka_client.publish_with_envelope(" in code
        assert "source_node_id=str(self.node_id)" in code


def test_methods_accept_unknown_operations() -> None:
    code = generator().generate_operation_started_event("refund")
    assert 'event_type="effect.refund.started"' in code


@pytest.mark.parametrize(
    ("function", "stage"), list(zip(OF_OPERATIONS, STAGES, strict=True))
)
def test_functions_need_only_a_service_and_an_operation(
    function: Callable[[str, str], str], stage: str
) -> None:
    code = function("orchestrator", "orchestration")
    assert methods(code) == [f"_publish_orchestration_{stage}_event"]
    assert f'event_type="orchestrator.orchestration.{stage}"' in code
    node = EventPublishingPatternGenerator(
        "orchestrator", "orchestrator", ["orchestration"]
    )
    of_node = getattr(node, f"generate_operation_{stage}_event")
    assert code == of_node("orchestration")
    # A service that is not a kind of node is generated as an effect.
    assert f'event_type="effect.charge.{stage}"' in function("billing", "charge")


def test_all_that_is_generated_compiles() -> None:
    node = EventPublishingPatternGenerator("orchestrator", "orchestrator", ORCHESTRATOR)
    imports, body = node.generate_imports(), node.generate_all_event_methods()
    compile(imports, "imports.py", "exec")
    compile(f"{imports}\n\nclass Node:\n{body}", "node.py", "exec")
    module = generate_event_publishing_methods("orchestrator", "s", ORCHESTRATOR)
    compile(module, "module.py", "exec")


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("node_type", "", ValueError, "node_type must be a non-empty string"),
        ("node_type", " ", ValueError, "node_type must be a non-empty string"),
        ("node_type", None, ValueError, f"{OPTIONS}; got None"),
        ("node_type", 123, ValueError, "node_type must be a non-empty string"),
        ("node_type", 123, ValueError, f"{OPTIONS}; got int"),
        ("node_type", b"effect", ValueError, f"{OPTIONS}; got bytes"),
        ("node_type", "\ud800", ValueError, "lone surrogate"),
        ("node_type", "query", ValueError, f"Invalid node_type 'query'. {OPTIONS}"),
        ("node_type", "effect ", ValueError, f"Invalid node_type 'effect '. {OPTIONS}"),
        ("service_name", "", ValueError, "service_name must be a non-empty string"),
        ("service_name", "\t", ValueError, "service_name must be a non-empty string"),
        ("service_name", None, ValueError, "service_name must be a non-empty string"),
        ("service_name", 4, ValueError, "must be a non-empty string; got int"),
        ("service_name", "a b", ValueError, "service name `a b`"),
        ("operations", "process", TypeError, "operations must be a list of strings"),
        ("operations", "process", TypeError, "got str"),
        ("operations", ("a",), TypeError, "operations must be a list of strings"),
        ("operations", {"a"}, TypeError, "operations must be a list of strings"),
        ("operations", None, TypeError, "got None"),
        ("operations", [], ValueError, "operations must contain at least one"),
        (
            "operations",
            ["a", ""],
            ValueError,
            "All operations must be non-empty strings",
        ),
        ("operations", [" "], ValueError, "All operations must be non-empty strings"),
        (
            "operations",
            ["a", 1],
            ValueError,
            "All operations must be non-empty strings",
        ),
        ("operations", [None], ValueError, "got None"),
        ("operations", ["a", "a"], ValueError, "`a` is listed twice"),
        ("operations", ["a-b", "a_b"], ValueError, "both become the identifier `a_b`"),
        ("operations", ["a b"], ValueError, "Kafka does not accept the topic"),
        ("operations", ["x" * 300], ValueError, "Kafka does not accept the topic"),
        ("include_state_events", "true", TypeError, "state_events must be a boolean"),
        ("include_state_events", 1, TypeError, "True or False; got int"),
        (
            "include_state_events",
            None,
            TypeError,
            "include_state_events must be a boolean",
        ),
        ("include_metric_events", "no", TypeError, "metric_events must be a boolean"),
        (
            "include_metric_events",
            0,
            TypeError,
            "include_metric_events must be a boolean",
        ),
    ],
)
def test_an_invalid_argument_is_named(
    argument: str, value: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        generator(**{argument: value})
    assert type(raised.value) is error
    assert message in str(raised.value)
    arguments = {"node_type": "effect", "service_name": "s", "operations": ["process"]}
    with pytest.raises(error) as same:
        generate_event_publishing_methods(**{**arguments, argument: value})  # type: ignore[arg-type]
    assert str(same.value) == str(raised.value)
    if argument != "service_name":
        del arguments["service_name"]
        with pytest.raises(error) as same:
            get_event_type_catalog(**{**arguments, argument: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", ["", " ", None, 7, ["process"]])
def test_an_invalid_operation_is_named(operation: Any) -> None:
    rule = "operation must be a non-empty string"
    for stage in STAGES:
        with pytest.raises(ValueError, match=rule):
            getattr(generator(), f"generate_operation_{stage}_event")(operation)
    for function in OF_OPERATIONS:
        with pytest.raises(ValueError, match=rule):
            function("billing", operation)
        with pytest.raises(ValueError, match="service_name must be a non-empty string"):
            function("", "charge")


def test_arguments_that_are_missing_or_unknown_are_named() -> None:
    with pytest.raises(TypeError, match="operations"):
        EventPublishingPatternGenerator("effect", "s")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="namespace"):
        generator(namespace="dev")


def test_text_of_an_argument_never_becomes_code() -> None:
    for hostile in ['"; import os; "', "a\nimport os", "{self}", "a'''b"]:
        with pytest.raises(ValueError):
            generator(operations=[hostile])
        with pytest.raises(ValueError):
            generator(service_name=hostile)


def test_changed_attributes_are_used_and_validated() -> None:
    node = generator()
    node.operations.append("refund")
    node.include_state_events = False
    assert get_event_type_catalog("effect", ["process", "refund"], False) == (
        node.get_event_type_catalog()
    )
    node.node_type = "query"
    with pytest.raises(ValueError, match="Invalid node_type"):
        node.generate_all_event_methods()


def test_the_callers_list_is_not_changed() -> None:
    operations = ["process"]
    node = generator(operations=operations)
    operations.append("refund")
    assert node.operations == ["process"]


def test_a_generator_supports_repr_copy_and_pickle() -> None:
    class Orders(EventPublishingPatternGenerator):
        def __init__(self) -> None:
            super().__init__("effect", "orders", ["place"])

    code = Orders().generate_all_event_methods()
    node = EventPublishingPatternGenerator("effect", "orders", ["place"])
    assert node.generate_all_event_methods() == code
    for other in (copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert other.generate_all_event_methods() == code
    assert "operations=['place']" in repr(node)


def test_one_call_gives_the_golden_module() -> None:
    golden = (GOLDEN / "one_call.py").read_text(encoding="utf-8")
    assert generate_event_publishing_methods("effect", "effect", ["process"]) == golden


def test_imports_and_methods_are_those_of_the_golden_class() -> None:
    node = EventPublishingPatternGenerator("effect", "effect", ["process"])
    golden = (GOLDEN / "own_class.py").read_text(encoding="utf-8")
    imports, rest = golden.split("\n\nclass Node:\n")
    assert node.generate_imports() == imports
    assert rest.endswith("\n\n" + node.generate_all_event_methods())
