"""Generated models take what the JSON Schema of their contract takes, and no more."""

import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from types import ModuleType
from typing import Any, Literal
from uuid import UUID

import pytest
from herald import generate, load_text
from herald.runtime import from_json, json_value
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

Models = Literal["pydantic", "dataclass"]
Field = dict[str, Any]
BOTH: tuple[Models, ...] = ("pydantic", "dataclass")
NUMBERS = count()
SCALARS: dict[str, Field] = {
    "Status": {"type": "string", "enum": ["paid", "open-1"], "description": "A state."},
    "Stage": {"enum": ["alpha", "beta"], "type": "string", "open": True},
    "Level": {"type": "integer", "enum": [1, 2, -3]},
    "Ratio": {"type": "number", "enum": [0.5, 1]},
    "Sku": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]$", "max_length": 5},
}

TEXTS = [
    "", "a", "abc", "ABC-1", "é\n", "12.50", "-3", "0E-8", "1e5", ".5", "1_0", "NaN",
    "6f2c1c1e-0000-4000-8000-000000000001", "6F2C1C1E-0000-4000-8000-00000000000A",
    "6f2c1c1e000040008000000000000001", "{6f2c1c1e-0000-4000-8000-000000000001}",
    "2024-02-29", "2023-02-29", "2024-2-29", "20240229", "1709200000",
    "2024-02-29T12:00:00Z", "2024-02-29t12:00:00.123456789z",
    "2024-02-29T12:00:00+01:00", "2024-02-29T12:00:00", "2024-02-29 12:00:00Z",
    "2024-02-29T12:00Z", "2024-02-29T24:00:00Z", "2024-02-29T12:00:00+24:00",
    "P1D", "PT0S", "-P1DT2H30M15.5S", "P2W", "PT", "P1DT", "P1Y", "P1M", "P1Y2M",
    "P1Y35DT1H", "P999999Y999D", "P1234567Y", "P1Y1W", "P1Y1000D", "P1W2D", "PT1H15S",
    "P99999999D", "P999999999D", "PT999999999H", "PT0.1234567S", "p1d", "PT1M1H",
    "PT٣S",
    "2023-02-29T12:00:00Z", "AB==", "AAAA", "EUR", "USD", "٣", "true", "null",
]  # fmt: skip
PLAIN = [
    "any", "string", "integer", "number", "boolean", "uuid", "datetime", "date",
    "decimal", "bytes", "duration", "Line", "Box", "Status", "Stage", "Level", "Ratio",
    "Sku",
]  # fmt: skip
NAMES = [
    "a",
    "class",
    "model_config",
    "json",
    "_id",
    "1st",
    "a-b",
    "a b",
    "list",
    "größe",
]

UNIQUE = {
    f"list[{name}]" for name in ("string", "integer", "number", "Status", "Level")
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.sampled_from([0.0, 1.0, -3.0, 2.5, 1e300, -0.5]),
    st.sampled_from(TEXTS),
)
junk = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*NAMES, "sku", "parts"]), inner, max_size=3),
    ),
    max_leaves=5,
)


VALID: dict[str, st.SearchStrategy[Any]] = {
    "any": junk,
    "string": st.sampled_from(TEXTS),
    "integer": st.sampled_from([0, 1, 2.0, 3, 5, 10**20]),
    "number": st.sampled_from([0, 1, 2.5, -0.5, 1e300]),
    "boolean": st.booleans(),
    "uuid": st.uuids().map(str),
    "datetime": st.sampled_from(
        ["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+01:00"]
    ),
    "date": st.dates().map(str),
    "decimal": st.sampled_from(["12.50", "-3", "0E-8", "1e5"]),
    "bytes": st.binary(max_size=5).map(lambda value: b64encode(value).decode()),
    "duration": st.sampled_from(
        ["P1D", "PT0S", "-P1DT2H30M15.5S", "P2W", "PT1H15S", "P1Y3D"]
    ),
    "Status": st.sampled_from(["paid", "open-1"]),
    "Stage": st.sampled_from(["alpha", "beta", "gamma"]),
    "Level": st.sampled_from([1, 2, 2.0, -3]),
    "Ratio": st.sampled_from([0.5, 1, 1.0]),
    "Sku": st.sampled_from(["ABC-1", "XYZ-9"]),
    "null": st.none(),
}
VALID["Line"] = st.recursive(
    st.fixed_dictionaries({"sku": VALID["string"]}, optional={"parts": st.none()}),
    lambda line: st.fixed_dictionaries(
        {"sku": VALID["string"], "parts": st.lists(line, max_size=2)}
    ),
    max_leaves=3,
)


def fitting(field: Field, of_box: dict[str, Field]) -> st.SearchStrategy[Any]:
    """Give values that are mostly of the field's type, but for its limits."""
    if "fields" in field:
        return st.one_of(whole(field["fields"], of_box), scalars)
    if "enum" in field:
        return st.one_of(st.sampled_from(field["enum"]), scalars)
    of_type: str = field["type"]
    begin, _, inner = of_type.partition("[")
    if begin in ("list", "map") and of_type.endswith("]"):
        items = fitting({"type": inner.removesuffix("]")}, of_box)
        if begin == "list":
            return st.lists(items, max_size=4)
        return st.dictionaries(st.sampled_from(TEXTS), items, max_size=2)
    names = of_type.split(" | ")
    members = [whole(of_box, {}) if name == "Box" else VALID[name] for name in names]
    return st.one_of(*members * 5, scalars)


def whole(
    of_fields: dict[str, Field], of_box: dict[str, Field]
) -> st.SearchStrategy[Any]:
    """Give objects that have what they need."""
    parts = {name: fitting(field, of_box) for name, field in of_fields.items()}
    needed = [name for name, field in of_fields.items() if field.get("required", True)]
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in needed},
        optional={name: part for name, part in parts.items() if name not in needed},
    )


def limits_of(draw: st.DrawFn, of_type: str) -> Field:
    """Draw what is allowed of the values of a type."""
    sizes = {"string": ("min_length", "max_length"), "list": ("min_items", "max_items")}
    kind = "list" if of_type.startswith("list") else of_type
    limits: Field = {}
    if kind in sizes and draw(st.booleans()):
        low, high = sizes[kind]
        limits = {low: draw(st.integers(0, 2)), high: draw(st.integers(2, 4))}
    if kind == "string" and draw(st.booleans()):
        limits["pattern"] = draw(
            st.sampled_from(["^[a-z]+$", "[0-9]", "^[A-Z]{3}-[0-9]$"])
        )
    if of_type in UNIQUE and draw(st.booleans()):
        limits["unique_items"] = True
    if kind == "integer" and draw(st.booleans()):
        limits["multiple_of"] = draw(st.integers(1, 3))
    if kind in ("integer", "number") and draw(st.booleans()):
        keys = [("minimum", "maximum"), ("exclusive_minimum", "exclusive_maximum")]
        low, high = draw(st.sampled_from(keys))
        limits |= {low: draw(st.integers(-5, 1)), high: draw(st.integers(3, 9))}
    return limits


ENUMS: list[Field] = [
    {"type": "string", "enum": ["EUR", "USD", "a"]},
    {"type": "string", "enum": ["EUR", "USD", "a"], "open": True},
    {"type": "integer", "enum": [1, 2.0, -3]},
    {"type": "integer", "enum": [1, 2], "open": True},
    {"type": "number", "enum": [0.5, 1, 2.5]},
]


@st.composite
def a_field(draw: st.DrawFn) -> Field:
    """Draw a field as contracts write it."""
    if draw(st.integers(0, 19)) == 0:
        return {
            "fields": {
                "a": {"type": "string"},
                "b": {"type": "Level", "required": False},
            }
        }
    plain = draw(st.sampled_from(PLAIN))
    spelling = draw(
        st.sampled_from(
            [plain] * 5
            + [f"list[{plain}]", f"map[{plain}]", f"{plain} | null"]
            + [f"{plain} | integer | string", f"list[{plain} | null]"]
        )
    )
    if draw(st.integers(0, 9)) == 0:
        field: Field = dict(draw(st.sampled_from(ENUMS)))
    else:
        field = {"type": spelling, **limits_of(draw, spelling)}
    if draw(st.booleans()):
        field["required"] = False
    return field


fields = st.dictionaries(st.sampled_from(NAMES), a_field(), min_size=1, max_size=4)


def contract_of(of_input: dict[str, Field], of_box: dict[str, Field]) -> str:
    """Write a contract; JSON is YAML."""
    # Private values are not written as JSON.
    public = {name: {"privacy": "public", **of} for name, of in of_input.items()}
    line = {"sku": "string", "parts": {"type": "list[Line]", "required": False}}
    return json.dumps(
        {
            "node_type": "effect",
            "service_name": "test",
            "version": "1.0.0",
            "operations": [{"name": "do", "input": public}],
            "definitions": {
                "Line": {"fields": line},
                "Box": {"fields": of_box},
                **SCALARS,
            },
        }
    )


def imported(code: str) -> ModuleType:
    """Import a generated module."""
    module = ModuleType(f"generated_{next(NUMBERS)}")
    sys.modules[module.__name__] = module
    exec(compile(code, module.__name__, "exec"), module.__dict__)
    return module


def takes(model: type[Any], value: Any) -> bool:
    """Whether a model accepts the JSON text."""
    try:
        from_json(model, value)
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Leave no generated module behind."""
    yield
    for name in [name for name in sys.modules if name.startswith("generated_")]:
        del sys.modules[name]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_models_accept_what_the_schema_accepts(data: st.DataObject) -> None:
    of_box = {
        name: field
        for name, field in data.draw(fields).items()
        if "Box" not in field.get("type", "")
    }
    of_box = of_box or {"sku": {"type": "string"}}
    given_fields = data.draw(fields)
    contract = load_text(contract_of(given_fields, of_box))
    assert not contract.errors, contract.errors
    [schema] = [
        json.loads(file.text)
        for file in generate(contract, "schemas")
        if "do.input" in file.path
    ]
    judge = Draft202012Validator(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    models = [
        imported(generate(contract, models=kind)[0].text).DoInput for kind in BOTH
    ]
    parts = {name: junk for name in given_fields}
    values = st.one_of(
        *[whole(given_fields, of_box)] * 5,
        st.fixed_dictionaries({}, optional=parts),
    )
    for _ in range(12):
        value = data.draw(values)
        expected = judge.is_valid(value)
        event(f"valid: {expected}")
        for model in models:
            assert takes(model, value) == expected, (model, value)
            if not expected:
                continue
            # What was read and is written again is still what the schema takes.
            written = json.loads(json.dumps(json_value(from_json(model, value))))
            assert judge.is_valid(written), written


FORMATS = [
    "duration",
    "bytes",
    "uuid",
    "datetime",
    "date",
    "decimal",
    "integer",
    "number",
    "boolean",
    "string",
]


@pytest.mark.parametrize("of_type", FORMATS)
@pytest.mark.parametrize("kind", BOTH)
def test_every_form_of_a_value(kind: Models, of_type: str) -> None:
    contract = load_text(contract_of({"a": {"type": of_type}}, {"a": {"type": "any"}}))
    [schema] = [
        json.loads(file.text)
        for file in generate(contract, "schemas")
        if "do.input" in file.path
    ]
    judge = Draft202012Validator(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    model = imported(generate(contract, models=kind)[0].text).DoInput
    seen = set()
    values: list[Any] = [*TEXTS, None, True, 0, 1, 1.0, 1.5, -7, 10**30, [], {}]
    for value in values:
        expected = judge.is_valid({"a": value})
        assert takes(model, {"a": value}) == expected, value
        seen.add(expected)
    assert seen == {True, False}


def test_pydantic_reads_json_as_strictly() -> None:
    contract = load_text(
        contract_of({"a": {"type": "decimal"}}, {"b": {"type": "any"}})
    )
    model = imported(generate(contract, models="pydantic")[0].text).DoInput
    assert str(model.model_validate_json('{"a": "12.50"}').a) == "12.50"
    for text in ('{"a": 12.5}', '{"a": ".5"}', '{"a": null}', "{}"):
        with pytest.raises(ValueError):
            model.model_validate_json(text)


def offset(**parts: float) -> timezone:
    return timezone(timedelta(**parts))


# Values of Python at the edges of every type: what a model accepts has to be valid JSON
# of the contract, and has to be read again as the same value.
EDGES: dict[str, list[Any]] = {
    "datetime": [
        datetime(2024, 2, 29, 12), datetime(2024, 2, 29, 12, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2024, 1, 1, tzinfo=offset(hours=5, minutes=30)),
        datetime(2024, 1, 1, tzinfo=offset(hours=-23, minutes=-59)),
        datetime(1890, 1, 1, tzinfo=offset(minutes=53, seconds=28)),
        datetime(2024, 1, 1, tzinfo=offset(microseconds=1)),
        date(2024, 2, 29), 1709200000,
    ],
    "duration": [
        timedelta(), timedelta(days=-1, microseconds=1),
        timedelta(hours=25, seconds=1.5),
        timedelta(days=99_999_999), timedelta(days=100_000_000), timedelta.max,
        timedelta.min, timedelta(microseconds=1), 5, "PT5S",
    ],
    "Status": ["paid", "unpaid", 1, None],
    "Level": [1, 2.0, -3, 4, True],
    "Stage": ["alpha", "omega", 1],
    "date": [
        date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31),
        datetime(2024, 2, 29), datetime(2024, 2, 29, tzinfo=UTC),
    ],
    "decimal": [
        Decimal("12.50"), Decimal("-0"), Decimal("-0.00"), Decimal("1E+5"),
        Decimal("1e-400"), Decimal("9" * 60), Decimal("0E-8"), Decimal("NaN"),
        Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), 1, 1.5, True,
    ],
    "number": [
        0.0, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"),
        float("-inf"), 2**53 + 1, 10**300, True,
    ],
    "integer": [0, -0, 2**63, -(2**64), 10**300, 2.0, -0.0, 1e300, 1.5, True,
                float("nan"), float("inf"), Decimal(1)],
    "string": ["", "\0", "\u2028", "\U0001f600", "\ud800", "a\udfff", b"x", 1],
    "boolean": [True, False, 0, 1, "true"],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1), "x", 0, b"0" * 16],
    "bytes": [b"", b"\x00\xff", bytearray(b"x"), "AA==", "A", "\n"],
    "list[string]": [[], ["a", "\ud800"], ("a",), {"a"}, "a"],
    "map[string]": [{}, {"a": "b"}, {"\ud800": "b"}, {1: "b"}, {"a": 1}, []],
    "map[any]": [{}, {"a": [None, 1.5]}, {1: 2}],
}  # fmt: skip


@pytest.mark.parametrize("of_type", EDGES)
@pytest.mark.parametrize("kind", BOTH)
def test_what_a_model_accepts_is_valid_on_the_wire(kind: Models, of_type: str) -> None:
    contract = load_text(contract_of({"a": {"type": of_type}}, {"a": {"type": "any"}}))
    [schema] = [
        json.loads(file.text)
        for file in generate(contract, "schemas")
        if "do.input" in file.path
    ]
    judge = Draft202012Validator(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    model = imported(generate(contract, models=kind)[0].text).DoInput
    accepted = 0
    for value in EDGES[of_type]:
        try:
            made = model(a=value)
        except ValueError:
            continue
        accepted += 1
        written = json.loads(json.dumps(json_value(made), allow_nan=False))
        assert judge.is_valid(written), (value, written)
        again = from_json(model, written)
        assert again == made, (value, written)
    assert accepted > 0


@pytest.mark.parametrize("kind", BOTH)
def test_enumerations_are_enums_and_keep_unknown_values_if_they_are_open(
    kind: Models,
) -> None:
    contract = load_text(
        contract_of(
            {"stage": {"type": "Stage"}, "level": {"type": "Level", "default": 2}},
            {"a": {"type": "any"}},
        )
    )
    module = imported(generate(contract, models=kind)[0].text)
    assert list(module.Stage) == ["alpha", "beta"]
    assert list(module.Level) == [1, 2, -3]
    known = from_json(module.DoInput, {"stage": "alpha", "level": 1.0})
    assert known.stage is module.Stage.ALPHA
    assert known.level is module.Level.VALUE_1
    unknown = from_json(module.DoInput, {"stage": "omega"})
    assert unknown.stage == "omega"
    assert type(unknown.stage) is str
    assert unknown.level is module.Level.VALUE_2
    assert json_value(known) == {"stage": "alpha", "level": 1}
