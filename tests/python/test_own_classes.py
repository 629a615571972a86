"""Publishers of classes of a service's own code, and the program that prints their
schemas.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from harness import (
    CORRELATION_ID,
    GOLDEN,
    PACKAGES,
    ROOT,
    Client,
    load,
    publisher,
)
from test_modules import run, tool

PROGRAM = ROOT / "crates/cli/src/commands/import/schemas.py"
LOCK = GOLDEN / "own.lock.json"
ORDER_ID = UUID(int=7)


@pytest.fixture(autouse=True)
def _own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GOLDEN))


def answer(folder: Path, *names: str, code: str | None = None) -> Any:
    """Run the program as `herald import` does."""
    if code is not None:
        (folder / "service.py").write_text(code, encoding="utf-8")
    (folder / "request").write_text(json.dumps(names), encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM.read_text("utf-8")),
            *(str(folder / "request"), str(folder / "answer")),
            str(GOLDEN if code is None else folder),
        ],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer").read_text("utf-8"))["classes"]


def test_the_imported_schemas_are_those_of_pydantic(tmp_path: Path) -> None:
    names = ["own_code:Draft", "own_code:OrderPlaced", "own_code:Outer.Returned"]
    classes = answer(tmp_path, *names)
    document = {
        "$comment": "Types of Python classes, written by `herald import`. "
        "Commit it, and do not edit it.",
        "herald_import": 1,
        "classes": {name: classes[name]["schema"] for name in names},
    }
    text = json.dumps(document, indent=2) + "\n"
    if "HERALD_BLESS" in os.environ:
        LOCK.write_text(text, encoding="utf-8")
    assert json.loads(LOCK.read_text("utf-8")) == document


BAD = """
import sys

class NoModel: ...
VALUE = 3

def secret():
    raise ValueError("broken on purpose")

print("noise")
"""


def test_each_failure_has_its_kind(tmp_path: Path) -> None:
    names = [
        "service:NoModel",
        "service:VALUE",
        "service:NoModle",
        "service.more:A",
        "missing:A",
        "raising:A",
        "leaving:A",
        "needs:A",
    ]
    (tmp_path / "raising.py").write_text("import service\nservice.secret()\n")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "needs.py").write_text("import not_installed_anywhere\n")
    classes = answer(tmp_path, *names, code=BAD)
    found = {name: (it["error"], it["message"]) for name, it in classes.items()}
    assert found == {
        "service:NoModel": ("no_model", "type"),
        "service:VALUE": ("no_model", "int"),
        "service:NoModle": ("no_class", "NoModel"),
        "service.more:A": ("no_module", "service.more"),
        "missing:A": ("no_module", "missing"),
        "raising:A": ("raised", "ValueError: broken on purpose"),
        "leaving:A": ("raised", "SystemExit: 3"),
        "needs:A": (
            "raised",
            "ModuleNotFoundError: No module named 'not_installed_anywhere'",
        ),
    }
    trace = classes["raising:A"]["traceback"]
    assert "service.secret()" in trace
    assert "importlib" not in trace


def test_msgspec_prints_its_schemas(tmp_path: Path) -> None:
    pytest.importorskip("msgspec")
    code = "import msgspec\nclass A(msgspec.Struct):\n    a: int\n"
    classes = answer(tmp_path, "service:A", code=code)
    assert classes["service:A"]["schema"]["$defs"]["A"]["required"] == ["a"]


def test_structs_of_msgspec_are_published_and_read() -> None:
    msgspec = pytest.importorskip("msgspec")
    from herald.runtime._models import own_from_json
    from herald.runtime._own_models import own_instance, own_json

    fields = [("order_id", UUID), ("at", datetime), ("weight", Decimal | None, None)]
    shipped = msgspec.defstruct("Shipped", fields, tag="shipped")
    sent = shipped(ORDER_ID, datetime(2026, 1, 2, tzinfo=UTC), Decimal("1.50"))
    shown = own_json(own_instance(shipped, sent, "order.shipped"))
    assert shown == {
        "type": "shipped",
        "order_id": str(ORDER_ID),
        "at": "2026-01-02T00:00:00Z",
        "weight": "1.50",
    }
    assert own_from_json(shipped, shown) == sent
    assert own_instance(shipped, shown, "order.shipped") == sent


def own_code() -> Any:
    return import_module("own_code")


def placed(**fields: Any) -> Any:
    code = own_code()

    given = {
        "order_id": ORDER_ID,
        "placed_at": datetime(2026, 1, 2, tzinfo=UTC),
        "total": code.Money(amount=Decimal("12.50")),
        "payment": code.Cash(),
        "lines": [code.Line(sku="a", count=1)],
        "customer_name": "Ann",
    }
    return code.OrderPlaced(**given | fields)


async def publish(payload: object, event: str = "order_placed") -> dict[str, Any]:
    client = Client()
    node = publisher(load("own_events"), "OwnEventPublisher", client)
    await getattr(node, f"publish_{event}")(payload, correlation_id=CORRELATION_ID)
    (published,) = client.published
    return published


def test_instances_are_published_as_pydantic_writes_them() -> None:
    import asyncio

    published = asyncio.run(publish(placed()))
    assert published["payload"] == placed().model_dump(mode="json", by_alias=True)
    assert published["payload"]["count"] == 1
    assert published["payload"]["customerName"] == "Ann"
    assert published["metadata"]["partition_key"] == str(ORDER_ID)


def test_mappings_become_instances_and_others_are_refused() -> None:
    import asyncio

    code = own_code()

    module = load("own_events")
    fields = placed().model_dump()
    assert asyncio.run(publish(fields))["payload"]["total"]["amount"] == "12.50"
    returned = code.Outer.Returned(order_id=ORDER_ID, on=date(2026, 1, 2))
    published = asyncio.run(publish(returned, "order_returned"))
    assert published["payload"] == {
        "order_id": str(ORDER_ID),
        "on": "2026-01-02",
        "reason": "none",
    }
    error = sys.modules["herald.runtime"].PayloadError
    node = publisher(module, "OwnEventPublisher", Client())
    for payload in ({"order_id": "no"}, returned, 3):
        with pytest.raises(error) as raised:
            asyncio.run(node.publish_order_placed(payload))
        assert "no" not in str(raised.value).split()


def test_received_payloads_are_instances() -> None:
    import asyncio

    module = load("own_events")
    published = asyncio.run(publish(placed()))
    sent = {**published["payload"], "customer_name": "Ann"}
    from herald.runtime._parse import _payload_reader

    code = own_code()

    payload = _payload_reader(module.OrderPlacedEvent)(sent)
    assert isinstance(payload, code.OrderPlaced)
    assert payload == placed()


USES = """
from own_code import Cash, Draft, OrderPlaced
from own_events import OrderPlacedEvent, OwnEventPublisher


async def publish(node: OwnEventPublisher, placed: OrderPlaced, draft: Draft) -> None:
    await node.publish_order_placed(placed)
    await node.publish_order_noted(note="n")
    await node.publish_order_placed(draft)  # type: ignore[call-overload]
    await node.publish_order_placed(total=1)  # type: ignore[call-overload]


def read(event: OrderPlacedEvent) -> bool:
    return isinstance(event.payload.payment, Cash)
"""


def test_type_checkers_know_the_classes(tmp_path: Path) -> None:
    uses = tmp_path / "uses.py"
    uses.write_text(USES, encoding="utf-8")
    path = os.pathsep.join([str(GOLDEN), str(PACKAGES)])
    cache = ["--cache-dir", str(tmp_path / "cache")]
    run(tool("HERALD_MYPY", "mypy"), "--strict", *cache, str(uses), MYPYPATH=path)


def test_inputs_of_own_classes_stay_private() -> None:
    import asyncio

    code = own_code()

    module = load("own_events")
    client = Client()

    class Node(module.OwnEventPublisher):  # type: ignore[name-defined, misc]
        @module.instrument_place  # type: ignore[untyped-decorator]
        async def place(self, draft: Any) -> Any:
            return module.PlaceResult(order_id=ORDER_ID)

    node = Node()
    node.node_id, node.kafka_client, node.default_namespace = ORDER_ID, client, "dev"
    asyncio.run(node.place(code.Draft(sku="a", card_number="4111")))
    assert "4111" not in str(client.published)
    assert client.published[0]["payload"]["input_summary"] == {
        "sku": "str",
        "card_number": "str",
    }


TIMES = {
    "pydantic": """
from datetime import datetime, timedelta
from pydantic import AwareDatetime, BaseModel, NaiveDatetime

class Slot(BaseModel):
    opened: NaiveDatetime

class Booked(BaseModel):
    at: datetime
    ends: AwareDatetime
    local: NaiveDatetime
    warranty: timedelta
    slots: list[Slot]
""",
    "dataclass": """
from dataclasses import dataclass
from datetime import datetime, timedelta
from pydantic import AwareDatetime, NaiveDatetime

@dataclass
class Slot:
    opened: NaiveDatetime

@dataclass
class Booked:
    at: datetime
    ends: AwareDatetime
    local: NaiveDatetime
    warranty: timedelta
    slots: list[Slot]
""",
    "msgspec": """
from datetime import datetime, timedelta
from typing import Annotated
from msgspec import Meta, Struct

class Slot(Struct):
    opened: datetime

class Booked(Struct):
    at: Annotated[datetime, Meta(tz=True)]
    ends: Annotated[datetime, Meta(tz=True)]
    local: Annotated[datetime, Meta(tz=False)]
    warranty: timedelta
    slots: list[Slot]
""",
}


@pytest.mark.parametrize("library", TIMES)
@pytest.mark.parametrize(
    "warranty",
    [
        timedelta(days=364),
        timedelta(days=400, hours=1),
        timedelta(days=-3650, microseconds=1),
        timedelta(days=99_999_999),
    ],
    ids=str,
)
def test_times_and_durations_match_the_imported_schema(
    tmp_path: Path, library: str, warranty: timedelta
) -> None:
    import asyncio

    pytest.importorskip("msgspec")
    herald = tool("HERALD_BIN", "herald")
    (tmp_path / "times.py").write_text(TIMES[library], encoding="utf-8")
    (tmp_path / "herald.yaml").write_text("contracts: [shop.yaml]\n")
    (tmp_path / "shop.yaml").write_text(
        "node_type: effect\nservice_name: shop\nevents:\n"
        '  - {event_type: booked, payload: {python: "times:Booked"}}\n'
    )
    done = subprocess.run(
        [herald, "import", "--python", sys.executable],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    is_told = "note: `#/properties/at` of times:Booked may be" in done.stderr
    assert is_told == (library != "msgspec"), done.stderr
    assert done.stderr.count("note:") == int(is_told)
    for target, out in [
        ("schemas", "schemas"),
        ("python", "."),
        ("python-consumer", "consumer"),
    ]:
        options = ["--target", target, "--out", out]
        done = subprocess.run(
            [herald, "generate", *options], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr

    sys.path.insert(0, str(tmp_path))
    try:
        times, module = import_module("times"), import_module("shop_events")
        consumer = import_module("consumer.shop_consumer")
        now = datetime(2026, 1, 2, 12, 30, 0, 500)
        aware = now.replace(tzinfo=UTC)
        sent = times.Booked(
            at=aware,
            ends=aware,
            local=now,
            warranty=warranty,
            slots=[times.Slot(opened=now)],
        )
        client = Client()
        node = publisher(module, "ShopEventPublisher", client)
        asyncio.run(node.publish_booked(sent, correlation_id=CORRELATION_ID))
        payload = client.published[0]["payload"]
        (path,) = (tmp_path / "schemas").rglob("booked.v1.schema.json")
        schema = json.loads(path.read_text("utf-8"))
        Draft202012Validator(schema).validate(payload)
        envelope = {
            "envelope_version": "1.0",
            "event_id": str(ORDER_ID),
            "event_type": "booked",
            "event_version": "1.0",
            "event_timestamp": "2026-01-02T12:00:00Z",
            "source_node_id": "shop-1",
            "source_service": "shop",
            "source_version": "1",
            "environment": "test",
            "payload": payload,
            "metadata": {},
        }
        assert module.parse(envelope).payload == sent
        read = consumer.parse(envelope).payload
        assert read.warranty == warranty
        assert read.local == now.isoformat()
    finally:
        sys.path.remove(str(tmp_path))
        for name in list(sys.modules):
            if name.partition(".")[0] in ("times", "shop_events", "consumer"):
                del sys.modules[name]
