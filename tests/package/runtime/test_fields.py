"""Published fields of values."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs
import pytest
from herald.runtime import PublicFields, json_value
from herald.runtime._privacy import published
from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Color(StrEnum):
    RED = "red"


class Address(BaseModel):
    model_config = ConfigDict(extra="allow")

    city: str
    street_name: str = Field("x", serialization_alias="street-name")
    pin: SecretStr = SecretStr("hunter2")


@dataclass
class Line:
    sku: str
    class_: str = field(default="a", metadata={"alias": "class"})


@attrs.define
class Box:
    line: Line


ADDRESS = Address.model_validate({"city": "Bonn", "more": 1})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (ADDRESS, {"city": "Bonn", "street-name": "x", "pin": "**********", "more": 1}),
        (Line("s"), {"sku": "s", "class": "a"}),
        (Box(Line("s")), {"line": {"sku": "s", "class": "a"}}),
        ([Line("s")], [{"sku": "s", "class": "a"}]),
        ({"c": Color.RED, "d": Decimal("1.50")}, {"c": "red", "d": "1.50"}),
        (b"\x00", "AA=="),
    ],
)
def test_values_as_json(value: Any, written: object) -> None:
    assert json_value(value) == written


def test_a_class_object_has_no_fields() -> None:
    assert json_value(Line) is Line
    assert json_value(Address) is Address


@pytest.mark.parametrize(
    ("public", "shown"),
    [
        ({}, {"address": "Address", "lines": "list", "by_name": "dict"}),
        (
            {"address": {"street-name": None}},
            {
                "address": {
                    "city": "str",
                    "street-name": "x",
                    "pin": "SecretStr",
                    "more": "int",
                },
                "lines": "list",
                "by_name": "dict",
            },
        ),
        (
            {"lines": {"class": None}, "by_name": {"*": {"sku": None}}},
            {
                "address": "Address",
                "lines": [{"sku": "str", "class": "a"}, None, "int"],
                "by_name": {"one": {"sku": "s", "class": "str"}},
            },
        ),
        (
            {"lines": {}, "address": {"city": {"inner": None}}},
            {
                "address": {
                    "city": "str",
                    "street-name": "str",
                    "pin": "SecretStr",
                    "more": "int",
                },
                "lines": [{"sku": "str", "class": "str"}, None, "int"],
                "by_name": "dict",
            },
        ),
    ],
)
def test_private_values_are_replaced_by_their_types(
    public: PublicFields, shown: dict[str, object]
) -> None:
    fields = {
        "address": ADDRESS,
        "lines": [Line("s"), None, 7],
        "by_name": {"one": Line("s")},
    }
    assert published(fields, public) == shown
    assert "hunter2" not in str(published(fields, public))
