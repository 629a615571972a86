"""Contracts, diagnostics and generated files as Python objects."""

import dataclasses
import multiprocessing
import pickle
import re
import threading
from pathlib import Path
from typing import Literal

import herald
import pytest

from command import needs_command, run, run_json
from places import EXAMPLES, GOLDEN, ORDERS

SMALL = "node_type: effect\nservice_name: {name}\noperations: [place]\n"
UNKNOWN_KIND = "node_type: efect\nservice_name: orders\noperations: [place]\n"


def write_contracts(folder: Path, *names: str) -> None:
    for name in names:
        text = SMALL.format(name=name)
        (folder / f"{name}.contract.yaml").write_text(text, encoding="utf-8")


def test_a_contract_is_a_node() -> None:
    catalog = herald.load(ORDERS)
    assert catalog.diagnostics == ()
    (node,) = catalog.nodes
    assert node.path == str(ORDERS)
    assert (node.name, node.kind, node.service_name) == ("orders", "effect", "orders")
    assert (node.contract_version, node.namespace) == ("2.1.0", "prod")
    assert [operation.name for operation in node.operations] == ["order.place", "ship"]
    place = node.operations[0]
    assert [(field.name, field.type, field.privacy) for field in place.input] == [
        ("customer_id", "uuid", "private"),
        ("total", "decimal", "public"),
        ("currency", "string", "public"),
    ]
    assert node.states == ("open", "paid", "shipped")
    assert [(metric.name, metric.unit) for metric in node.metrics] == [
        ("place_latency", "ms"),
        ("backlog", None),
    ]


def test_definitions_limits_and_instrumentation_are_there() -> None:
    (node,) = herald.load(GOLDEN / "shop.yaml").nodes
    customer = node.definitions[0]
    assert (customer.name, customer.ident) == ("Customer", "Customer")
    assert customer.description == "Who orders."
    phone = customer.fields[1]
    assert (phone.name, phone.privacy, phone.limits) == ("phone", "private", {})
    placed = next(event for event in node.events if event.event_type == "order.placed")
    lines = next(field for field in placed.fields if field.name == "lines")
    assert (lines.type, lines.limits) == (
        "list[Line]",
        {"min_items": 1, "max_items": 99},
    )
    instrument = node.operations[0].instrument
    assert (instrument.events, instrument.sample_started) == ("all", 1.0)
    assert instrument.fields == {}


def test_an_event_says_where_it_goes_and_what_it_carries() -> None:
    events = {event.event_type: event for event in herald.load(ORDERS).events}
    started = events["effect.order.place.started"]
    assert started.category == "operation_lifecycle"
    assert started.operation == "order.place"
    assert started.topic == "{namespace}.orders.effect.order.place.started.v1"
    assert started.topic_in("dev") == "dev.orders.effect.order.place.started.v1"
    placed = events["order.placed"]
    assert (placed.category, placed.operation) == ("declared", None)
    assert placed.partition_key == "order_id"
    assert placed.description == "An order was taken and paid."
    coupon = next(field for field in placed.fields if field.name == "coupon")
    assert (coupon.name, coupon.type) == ("coupon", "string | null")
    assert coupon.required is False


def test_a_state_machine_has_its_transitions(folder: Path) -> None:
    text = SMALL.format(name="a") + (
        "states:\n  initial: open\n  terminal: [paid]\n  states: [open, paid]\n"
        "  transitions: [{from: open, to: paid, trigger: pay}]\n"
    )
    (node,) = herald.load_text(text).nodes
    machine = node.state_machine
    assert machine
    assert (machine.initial, machine.terminal) == ("open", ("paid",))
    (way,) = machine.transitions
    assert (way.source, way.target, way.trigger) == ("open", "paid", "pay")


def test_a_topic_has_its_settings() -> None:
    text = SMALL.format(name="a") + (
        "events:\n- event_type: x\n  topic: t\n  topic_settings:\n"
        "    {partitions: 3, config: {retention.ms: 1}}\n"
    )
    settings = herald.load_text(text).events[-1].topic_settings
    assert settings
    assert (settings.partitions, settings.replication_factor) == (3, None)
    assert settings.kafka_config == {"retention.ms": "1"}


def test_a_text_is_a_contract() -> None:
    catalog = herald.load_text(SMALL.format(name="orders"))
    (node,) = catalog.nodes
    assert node.event_type_catalog == {
        "operation_lifecycle": [
            "effect.place.started",
            "effect.place.completed",
            "effect.place.failed",
        ],
        "state_events": ["effect.state.changed"],
        "metric_events": ["effect.metric.recorded"],
        "declared": [],
    }


def test_an_onex_contract_is_a_node() -> None:
    text = (
        "name: node_a\nnode_type: EFFECT_GENERIC\nevent_bus:\n"
        "  publish_topics: [onex.evt.a.done.v1]\n"
        "  subscribe_topics: [onex.cmd.a.go.v1]\n"
        "inputs: {order: {type: str}}\n"
    )
    (node,) = herald.load_text(text).nodes
    assert (node.format, node.kind, node.contract_version) == ("onex", "effect", None)
    assert [event.topic for event in node.events if event.category == "declared"] == [
        "onex.evt.a.done.v1"
    ]
    assert [topic.topic for topic in node.consumed] == ["onex.cmd.a.go.v1"]


def test_a_diagnostic_has_a_message_position_and_help() -> None:
    catalog = herald.load_text(UNKNOWN_KIND, name="orders.yaml")
    (found,) = catalog.errors
    assert found.code == "kind.unknown"
    assert found.severity == "error" and found.is_error
    assert (found.file, found.line, found.column) == (
        "orders.yaml",
        1,
        12,
    )
    assert (found.end_line, found.end_column) == (1, 17)
    assert found.help == "did you mean `effect`?"
    assert str(found) == (
        f"orders.yaml:1:12: error[kind.unknown]: {found.message} ({found.help})"
    )
    assert "efect" in found.message


def test_a_diagnostic_names_other_places() -> None:
    (diagnostic,) = herald.load_text("a: [", name="x").diagnostics
    (label,) = diagnostic.labels
    assert (label.file, label.line, label.column) == ("x", 1, 4)
    assert label.message


def test_check_gives_the_diagnostics(folder: Path) -> None:
    write_contracts(folder, "good")
    assert herald.check("good.contract.yaml") == []
    (folder / "bad.yaml").write_text(UNKNOWN_KIND, encoding="utf-8")
    assert [diagnostic.code for diagnostic in herald.check("bad.yaml")] == [
        "kind.unknown"
    ]


def test_a_bad_file_does_not_stop_the_others(folder: Path) -> None:
    write_contracts(folder, "a", "b")
    (folder / "bad.contract.yaml").write_bytes(b"\xff\xfe")
    catalog = herald.load(["a.contract.yaml", "bad.contract.yaml", "b.contract.yaml"])
    assert [node.name for node in catalog.nodes] == ["a", "b"]
    assert [diagnostic.code for diagnostic in catalog.errors] == ["file.not_utf8"]
    (diagnostic,) = catalog.errors
    assert (diagnostic.file, diagnostic.line) == ("bad.contract.yaml", None)


def test_paths_are_files_folders_globs_and_path_objects(folder: Path) -> None:
    write_contracts(folder, "a", "b")
    (folder / "compose.yaml").write_text("services: {}", encoding="utf-8")
    for paths in (
        ".",
        folder,
        ["*.contract.yaml"],
        iter(sorted(folder.glob("*.con*"))),
    ):
        assert [node.name for node in herald.load(paths).nodes] == ["a", "b"]
    assert herald.load(folder).skipped == (str(folder / "compose.yaml"),)


def test_without_paths_the_project_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "herald.yaml").write_text("contracts: [c]\nnamespace: stage\n")
    for name in ("c", "deep"):
        (folder / name).mkdir()
    write_contracts(folder / "c", "a")
    monkeypatch.chdir(folder / "deep")
    (node,) = herald.load().nodes
    assert (node.name, node.namespace) == ("a", "stage")
    monkeypatch.chdir(folder.parent)
    (node,) = herald.load(config=folder / "herald.yaml").nodes
    assert (node.name, node.namespace) == ("a", "stage")
    text = SMALL.format(name="b")
    assert herald.load_text(text).nodes[0].namespace is None
    (node,) = herald.load_text(text, config=folder / "herald.yaml").nodes
    assert node.namespace == "stage"


def test_levels_of_the_project_hold(folder: Path) -> None:
    (folder / "herald.yaml").write_text("rules: {kind.unknown: info}\n")
    (folder / "a.yaml").write_text(UNKNOWN_KIND)
    (diagnostic,) = herald.check("a.yaml")
    assert diagnostic.severity == "info"


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("orders.yml", "`orders.yml` does not exist"),
        ([], "no paths were given"),
        (["empty"], "there are no contracts in `empty`"),
        ("other", "1 YAML file was skipped, such as other/compose.yaml"),
    ],
)
def test_no_contracts_is_an_error(
    folder: Path, paths: str | list[str], message: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "other").mkdir()
    (folder / "other" / "compose.yaml").write_text("services: {}")
    for function in (herald.load, herald.check, herald.generate):
        with pytest.raises(herald.ContractError, match=re.escape(message)):
            function(paths)


def test_an_invalid_project_is_an_error(folder: Path) -> None:
    write_contracts(folder, "a")
    (folder / "herald.yaml").write_text("contract: [a]\n")
    with pytest.raises(herald.ContractError, match="contract") as raised:
        herald.load(".")
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.file, diagnostic.line) == ("herald.yaml", 1)
    with pytest.raises(herald.ContractError, match=r"nowhere\.yaml"):
        herald.load(".", config="nowhere.yaml")


def test_an_invalid_path_is_a_type_error() -> None:
    for paths in (3, b"a.yaml", [b"a.yaml"], [None]):
        with pytest.raises(TypeError):
            herald.load(paths)  # type: ignore[arg-type]


def test_a_pickled_error_keeps_its_diagnostics() -> None:
    with pytest.raises(herald.ContractError) as raised:
        herald.load("nowhere.yaml")
    error = pickle.loads(pickle.dumps(raised.value))
    assert error.diagnostics == raised.value.diagnostics
    assert str(error) == str(raised.value)


def test_all_targets() -> None:
    targets = {target.name: target for target in herald.targets()}
    assert targets["python"].extension == "py"
    assert targets["python"].title
    assert targets["schemas"].extension == "json"


def test_generating_gives_the_golden_file() -> None:
    (file,) = herald.generate(ORDERS)
    assert file.path == "orders_events.py"
    assert file.text == (GOLDEN / file.path).read_text(encoding="utf-8")
    assert herald.generate(herald.load(ORDERS), target=["python", "python"]) == [file]


def test_generating_writes_nothing(folder: Path) -> None:
    write_contracts(folder, "a", "b")
    files = herald.generate()
    assert [file.path for file in files] == ["a_events.py", "b_events.py"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.contract.yaml",
        "b.contract.yaml",
    ]


def test_nothing_is_generated_from_broken_contracts(folder: Path) -> None:
    write_contracts(folder, "good")
    (folder / "bad.contract.yaml").write_text(UNKNOWN_KIND)
    with pytest.raises(herald.ContractError, match="did you mean `effect`") as raised:
        herald.generate(".")
    assert [diagnostic.code for diagnostic in raised.value.diagnostics] == [
        "kind.unknown"
    ]


def test_nodes_that_would_write_one_file_are_an_error(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        write_contracts(folder / name, "orders")
    catalog = herald.load(folder)
    assert catalog.errors == ()
    with pytest.raises(herald.ContractError) as raised:
        herald.generate(catalog)
    assert {f.code for f in raised.value.diagnostics} == {"names.output_collision"}


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(ValueError, match="no target `pyton`; did you mean `python`"):
        herald.generate(ORDERS, target="pyton")


def test_objects_are_values() -> None:
    one, two = herald.load(ORDERS), herald.load(ORDERS)
    assert one == two
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.nodes[0].name = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(one.nodes)) == two.nodes


def many(folder: Path) -> int:
    return len(herald.load(folder).nodes)


def test_a_forked_process_can_load_contracts(folder: Path) -> None:
    """Threads don't survive a fork: a pool that is shared would hang the child."""
    write_contracts(folder, *(f"n{index}" for index in range(40)))
    assert many(folder) == 40
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(many, [folder]).get(timeout=30) == 40


def test_threads_read_at_the_same_time(folder: Path) -> None:
    write_contracts(folder, *(f"n{index}" for index in range(40)))
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(many(folder))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [40] * 8


@needs_command
@pytest.mark.parametrize("name", ["effect", "orchestrator", "reducer"])
def test_files_are_those_of_the_command(folder: Path, name: str) -> None:
    contract = EXAMPLES / "nodes" / f"{name}.yaml"
    (file,) = herald.generate(contract)
    assert file.text == run("generate", contract, "--stdout", folder=folder)


@needs_command
def test_a_project_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = EXAMPLES / "orders"
    monkeypatch.chdir(project)
    run("generate", "--out", tmp_path, folder=project)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {file.path: file.text.encode() for file in herald.generate()} == written


@needs_command
def test_diagnostics_are_those_of_the_command(folder: Path) -> None:
    broken = Path(__file__).parents[2] / "crates" / "catalog" / "tests" / "diagnostics"
    printed = run_json("check", broken, "--format", "json", folder=folder)
    found = herald.check(broken)
    assert len(found) > 30
    assert [
        (
            diagnostic.code,
            diagnostic.severity,
            diagnostic.message,
            diagnostic.file,
            diagnostic.help,
        )
        for diagnostic in found
    ] == [
        (each["code"], each["severity"], each["message"], each["path"], each["help"])
        for each in printed["diagnostics"]
    ]
    assert [(diagnostic.line, diagnostic.column) for diagnostic in found] == [
        (span["start"]["line"], span["start"]["column"]) if span else (None, None)
        for span in (each["span"] for each in printed["diagnostics"])
    ]


@needs_command
def test_the_catalog_is_that_of_the_command(folder: Path) -> None:
    (node,) = herald.load(ORDERS).nodes
    printed = run_json("catalog", ORDERS, "--format", "json", folder=folder)
    assert node.event_type_catalog == printed


@needs_command
def test_nodes_are_those_of_the_command(folder: Path) -> None:
    broken = Path(__file__).parents[2] / "crates" / "catalog" / "tests" / "diagnostics"
    contracts = run_json("inspect", broken, folder=folder)["contracts"]
    nodes = herald.load(broken).nodes
    assert [(node.slug, node.kind, node.fingerprint) for node in nodes] == [
        (each["identity"]["slug"], each["kind"], each["fingerprint"])
        for each in contracts
    ]
    assert [[event.topic for event in node.events] for node in nodes] == [
        [event["topic"] for event in each["generated"] + each["published"]]
        for each in contracts
    ]


@pytest.mark.parametrize("models", ["pydantic", "dataclass"])
def test_names_that_become_keywords_are_valid_identifiers(
    models: Literal["pydantic", "dataclass"],
) -> None:
    catalog = herald.load_text(KEYWORDS)
    assert catalog.errors == ()
    [module] = herald.generate(catalog, models=models)
    namespace: dict[str, object] = {"__name__": "generated"}
    exec(compile(module.text, module.path, "exec"), namespace)


KEYWORDS = """\
node_type: effect
service_name: orders
operations: [true_, mro]
states: [mro, none, "true"]
events:
  - event_type: none
    payload: {mro: string, name: string}
  - event_type: "True"
    payload: {value: string}
  - event_type: false_
    payload: {model_config: string}
"""
