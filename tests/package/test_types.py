"""The package's types are those that it has."""

import subprocess
import sys
from pathlib import Path

import herald
import pytest
from herald.codegen.patterns import LifecyclePatternGenerator


def test_stubs_match_the_native_module(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text("herald._herald.__all__\n")  # PyO3's own
    command = [sys.executable, "-m", "mypy.stubtest", "herald._herald"]
    command += ["--allowlist", str(allowed)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


USER = """
import herald
from herald.codegen.patterns import EventPublishingPatternGenerator

generator = EventPublishingPatternGenerator("effect", "orders", ["place"])
catalog: dict[str, list[str]] = generator.get_event_type_catalog()
texts: list[str] = [file.text for file in herald.generate("a.yaml")]
lines: list[int | None] = [diagnostic.line for diagnostic in herald.check("a.yaml")]
topics: list[str] = [event.topic for event in herald.load().events]
"""
SERVICE = LifecyclePatternGenerator("effect", "orders", ["place"], ["db"], ["refresh"])
WRONG = "import herald\nherald.load(3)\n"


@pytest.mark.parametrize(
    "checker", [["mypy", "--strict"], ["pyright", "--pythonpath", sys.executable]]
)
def test_types_are_clean_for_users(tmp_path: Path, checker: list[str]) -> None:
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "wrong.py").write_text(WRONG)
    service = SERVICE.generate_complete_lifecycle_class()
    (tmp_path / "service.py").write_text(service)
    command = [sys.executable, "-m", *checker]
    for file, code in (("user.py", 0), ("service.py", 0), ("wrong.py", 1)):
        done = subprocess.run(
            [*command, file], cwd=tmp_path, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == code, done.stdout + done.stderr


CONTRACT = """
node_type: effect
service_name: shop
operations:
  - {name: pay, input: {order: uuid, card: string}, result: {receipt: string}}
  - {name: ship, input: {order: uuid}}
  - {name: tick}
events:
  - {event_type: order.paid, payload: {order: uuid, total: decimal}}
  - {event_type: noted}
"""
USES = """
from decimal import Decimal
from typing import assert_type
from uuid import uuid4

import herald
from shop_events import (
    OrderPaid,
    PayInput,
    PayResult,
    ShipInput,
    ShopEventPublisher,
    SyncShopEventPublisher,
    instrument_pay,
    instrument_ship,
    instrument_tick,
)


class Shop(ShopEventPublisher):
    @instrument_pay
    async def pay(self, order: PayInput, *, is_express: bool = False) -> PayResult:
        return PayResult(receipt=str(is_express))

    @instrument_ship
    def ship(self, order: ShipInput) -> int:
        return 3

    @instrument_tick
    async def tick(self, count: int) -> None: ...


async def use(shop: Shop, sync: SyncShopEventPublisher) -> None:
    order = PayInput(order=uuid4(), card="x")
    assert_type(await shop.pay(order, is_express=True), PayResult)
    assert_type(shop.ship(ShipInput(order=order.order)), int)
    await shop.tick(count=3)
    paid = OrderPaid(order=order.order, total=Decimal(1))
    receipt = await shop.publish_order_paid(paid, correlation_id=uuid4())
    assert_type(receipt, herald.Receipt)
    await shop.publish_order_paid(order=order.order, total=Decimal(1))
    await shop.publish_noted({"anything": 1})
    assert_type(sync.publish_order_paid(paid), herald.Receipt)
"""
# Each is an error of its own.
MISUSES = [
    "async def wrong(shop: Shop) -> None:\n"
    "    await shop.publish_order_paid(order=uuid4(), total='lots')\n",
    "async def wrong(shop: Shop) -> None:\n"
    "    await shop.publish_order_paid(order=uuid4())\n",
    "async def wrong(shop: Shop) -> None:\n"
    "    await shop.publish_order_paid({'total': 1})\n",
    "def wrong(sync: SyncShopEventPublisher) -> None:\n"
    "    sync.publish_order_paid(PayResult(receipt='x'))\n",
    "class Wrong(ShopEventPublisher):\n"
    "    @instrument_pay\n"
    "    async def pay(self, order: int) -> PayResult:\n"
    "        return PayResult(receipt='x')\n",
    "class Wrong(ShopEventPublisher):\n"
    "    @instrument_pay\n"
    "    async def pay(self, order: PayInput) -> int:\n"
    "        return 3\n",
    "class Wrong(ShopEventPublisher):\n"
    "    @instrument_ship\n"
    "    async def ship(self) -> None: ...\n",
]


@pytest.mark.parametrize(
    "checker", [["mypy", "--strict"], ["pyright", "--pythonpath", sys.executable]]
)
def test_generated_modules_are_typed_for_users(
    tmp_path: Path, checker: list[str]
) -> None:
    contract = herald.load_text(CONTRACT)
    [module] = herald.generate(contract)
    (tmp_path / "shop_events.py").write_text(module.text)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pyright]\ntypeCheckingMode = "strict"\n'
    )
    (tmp_path / "right.py").write_text(USES)
    names = ["right.py"]
    for number, misuse in enumerate(MISUSES):
        names.append(f"wrong_{number}.py")
        (tmp_path / names[-1]).write_text(f"{USES}\n\n{misuse}")
    command = [sys.executable, "-m", *checker, *names]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    reported = [
        line
        for line in done.stdout.splitlines()
        if ": error:" in line or " - error:" in line
    ]
    assert not [line for line in reported if "right.py" in line], done.stdout
    for name in names[1:]:
        assert [line for line in reported if name in line], name + done.stdout
