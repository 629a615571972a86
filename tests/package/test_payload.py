"""Payloads as JSON: what each type becomes, and what is said of what can't be."""

import array
import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import threading
import types
import typing
import uuid

import attrs
import numpy
import pydantic
import pytest
from herald import PayloadError, to_json
from herald._herald import payload_json
from hypothesis import given
from hypothesis import strategies as st

UTC = datetime.UTC


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Mood(enum.StrEnum):
    GOOD = "good"


class Nested(enum.Enum):
    ALL = {"colour": Colour.RED}  # noqa: RUF012


class Text(str):
    def __str__(self) -> str:
        return "a lie"


class Number(int):
    def __repr__(self) -> str:
        return "a lie"

    def __index__(self) -> int:
        return 0


class Fraction(float):
    def __repr__(self) -> str:
        return "a lie"


class Point(typing.NamedTuple):
    x: int
    y: int


@dataclasses.dataclass(frozen=True)
class Line:
    sku: str
    price: decimal.Decimal
    count: typing.ClassVar[int] = 0


@dataclasses.dataclass(slots=True)
class Order:
    id: uuid.UUID
    lines: list[Line] = dataclasses.field(default_factory=list)


@attrs.define
class Parcel:
    weight: float
    order: Order | None = None


class Customer(pydantic.BaseModel):
    name: str
    born_on: datetime.date = pydantic.Field(serialization_alias="bornOn")
    picture: typing.Any = None


class KeepsNan(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(ser_json_inf_nan="constants")

    ratio: float


class OwnNames(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(serialize_by_alias=False)

    born_on: int = pydantic.Field(serialization_alias="bornOn")


class Tags(pydantic.RootModel[list[str]]):
    pass


@pydantic.dataclasses.dataclass
class Size:
    in_cm: int = pydantic.Field(serialization_alias="inCm")


class OwnMapping(collections.abc.Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return {"a": 1, "b": 2}[key]

    def __iter__(self) -> typing.Iterator[str]:
        return iter(("a", "b"))

    def __len__(self) -> int:
        return 2


ID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
ODD = 'tschüß \U0001f600 \x00\x1f\x7f\u2028"\\/\n'
TOKYO = datetime.timezone(datetime.timedelta(hours=9))


def named(value: object) -> str:
    return type(value).__name__


BECOMES: list[tuple[object, object]] = [
    (None, None),
    (True, True),
    (0, 0),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**63, 2**63),
    (-(2**1023) + 1, -(2**1023) + 1),
    (-0.5, -0.5),
    (1e300, 1e300),
    (
        'tschüß \U0001f600 \x00\x1f\x7f\u2028"\\/\n',
        'tschüß \U0001f600 \x00\x1f\x7f\u2028"\\/\n',
    ),
    ((1, [2, ()]), [1, [2, []]]),
    ({"b": 1, "a": {}}, {"b": 1, "a": {}}),
    (Text("text"), "text"),
    (Number(7), 7),
    (Number(2**70), 2**70),
    (Fraction(0.5), 0.5),
    (Point(1, 2), [1, 2]),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Mood.GOOD, "good"),
    (Nested.ALL, {"colour": "red"}),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({"b", "a"}), ["a", "b"]),
    ({"k": 1}.keys(), ["k"]),
    (collections.deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    (array.array("i", [1, 2]), [1, 2]),
    (collections.OrderedDict(a=1), {"a": 1}),
    (collections.Counter("aa"), {"a": 2}),
    (collections.ChainMap({"a": 1}), {"a": 1}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (OwnMapping(), {"a": 1, "b": 2}),
    (ID, "00112233-4455-6677-8899-aabbccddeeff"),
    (decimal.Decimal("1.10"), "1.10"),
    (decimal.Decimal("-1E+30"), "-1E+30"),
    (
        datetime.datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        "2026-01-02T03:04:05.000006+00:00",
    ),
    (datetime.datetime(2026, 1, 2, 3, tzinfo=TOKYO), "2026-01-02T03:00:00+09:00"),
    (datetime.datetime(2026, 1, 2), "2026-01-02T00:00:00"),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (datetime.time(1, 2, 3), "01:02:03"),
    (datetime.timedelta(), "PT0S"),
    (datetime.timedelta(days=1, seconds=1.5), "P1DT1.5S"),
    (datetime.timedelta(days=400), "P400D"),
    (-datetime.timedelta(hours=25, minutes=3), "-P1DT1H3M"),
    (datetime.timedelta.max, "P999999999DT23H59M59.999999S"),
    (b"\x00\xff\xfe", "AP/+"),
    (bytearray(b"a"), "YQ=="),
    (memoryview(b"a_b_")[::2], "YWI="),
    (pathlib.PurePosixPath("/etc/hosts"), "/etc/hosts"),
    (Line("A", decimal.Decimal("2.50")), {"sku": "A", "price": "2.50"}),
    (
        Order(ID, [Line("A", decimal.Decimal(1))]),
        {"id": str(ID), "lines": [{"sku": "A", "price": "1"}]},
    ),
    (Parcel(1.5, Order(ID)), {"weight": 1.5, "order": {"id": str(ID), "lines": []}}),
    (
        {"customer": Customer(name="Ada", born_on=datetime.date(1815, 12, 10))},
        {"customer": {"name": "Ada", "bornOn": "1815-12-10", "picture": None}},
    ),
    (OwnNames(born_on=1), {"born_on": 1}),
    (Tags(["a"]), ["a"]),
    (Size(3), {"inCm": 3}),
    (numpy.float64(0.5), 0.5),
    (numpy.float32(0.5), 0.5),
    (numpy.int64(-3), -3),
    (numpy.bool_(True), True),
    (numpy.str_("a"), "a"),
]


@pytest.mark.parametrize(("value", "expected"), BECOMES, ids=named)
def test_values_are_serialized(value: object, expected: object) -> None:
    found = json.loads(to_json(value))
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(payload_json({"value": [value, value]})) == {
        "value": [expected, expected]
    }


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (1, "1"),
        (2**70, str(2**70)),
        (True, "true"),
        (None, "null"),
        (1e16, "1e+16"),
        (0.5, "0.5"),
        (Text("text"), "text"),
        (Colour.RED, "red"),
        (Level.HIGH, "3"),
        (ID, str(ID)),
        (datetime.date(2026, 1, 2), "2026-01-02"),
    ],
    ids=repr,
)
def test_keys_are_serialized_as_text(key: object, text: str) -> None:
    assert json.loads(to_json({key: 0})) == {text: 0}
    assert json.loads(to_json(types.MappingProxyType({key: 0}))) == {text: 0}


def test_json_is_compact_utf_8_with_the_fewest_escapes() -> None:
    value = {"ü": ["\x7f\u2028/", 1.0, None], "\t": '\x01\x1f"'}
    written = '{"ü":["\x7f\u2028/",1.0,null],"\\t":"\\u0001\\u001f\\""}'
    assert to_json(value) == written.encode()


@pytest.mark.parametrize("at", range(40))
@pytest.mark.parametrize(
    "odd", ['"', "\\", "\n", "\x00", "\x1f", "\x80", "ÿ", " ", "!"]
)
def test_escapes_are_found_at_any_position(at: int, odd: str) -> None:
    for text in ("x" * at + odd, odd + "x" * at + odd, "x" * at + odd * 2 + "y" * at):
        assert to_json(text).decode() == json.dumps(text, ensure_ascii=False)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**1023) + 1, 2**1023 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
keys = (
    st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
    ),
)


@given(values)
def test_values_of_json_are_written_as_the_standard_library_writes_them(
    value: object,
) -> None:
    assert exactly(json.loads(to_json(value))) == exactly(json.loads(json.dumps(value)))


@given(
    st.dictionaries(
        keys.filter(lambda key: key not in (float("inf"), -float("inf"))), scalars
    )
)
def test_keys_are_written_as_the_standard_library_writes_them(
    value: dict[object, object],
) -> None:
    pairs = json.loads(json.dumps(value), object_pairs_hook=list)
    if len({key for key, _ in pairs}) == len(pairs):
        assert json.loads(to_json(value), object_pairs_hook=list) == pairs
    else:
        with pytest.raises(PayloadError, match="two keys become the same text"):
            to_json(value)


@given(st.timedeltas())
def test_pydantic_reads_a_duration_back(value: datetime.timedelta) -> None:
    text = to_json(value)
    assert pydantic.TypeAdapter(datetime.timedelta).validate_json(text) == value


@given(st.binary(), st.uuids(), st.datetimes(timezones=st.timezones()))
def test_pydantic_reads_bytes_and_identifiers_back(
    data: bytes, id: uuid.UUID, at: datetime.datetime
) -> None:
    assert (
        pydantic.TypeAdapter(pydantic.Base64Bytes).validate_json(to_json(data)) == data
    )
    assert json.loads(to_json(id)) == str(id)
    assert json.loads(to_json(at)) == at.isoformat()


def exactly(value: object) -> object:
    """Tells 1 from 1.0 and True, and 0.0 from -0.0."""
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return type(value), repr(value)


def test_equal_sets_give_equal_bytes() -> None:
    words = [f"word {number}" for number in range(100)]
    assert to_json(set(words)) == to_json(set(reversed(words)))


@pytest.mark.parametrize(
    "payload", [[], "text", None, 1, Tags(["a"]), Point(1, 2)], ids=repr
)
def test_a_payload_has_to_be_an_object(payload: object) -> None:
    with pytest.raises(PayloadError) as raised:
        payload_json(payload)
    name = type(payload).__qualname__
    assert str(raised.value).startswith(
        "payload must be a mapping, dataclass or model, not "
    )
    assert str(raised.value).endswith(name)


@pytest.mark.parametrize(
    "payload", [{}, Order(ID), Parcel(1.0), OwnNames(born_on=1), OwnMapping()]
)
def test_an_object_may_be_many_things(payload: object) -> None:
    assert payload_json(payload) == to_json(payload)


NAN = float("nan")
REFUSED: list[tuple[object, str]] = [
    (
        {"items": [0, {"price": NAN}]},
        "payload.items[1].price: float NaN is not valid JSON; send None or text",
    ),
    (
        {"a b": {"": float("-inf")}},
        'payload["a b"][""]: float Infinity is not valid JSON; ',
    ),
    ({"x" * 99: NAN}, f'payload["{"x" * 40}"…]: float NaN'),
    ({"a\n\x1b": NAN}, r'payload["a\n\u{1b}"]: float NaN'),
    ({1: NAN}, 'payload["1"]: float NaN'),
    (Fraction("nan"), "payload: float NaN"),
    (numpy.float32("nan"), "payload: float NaN"),
    (decimal.Decimal("sNaN"), "payload: Decimal NaN or Infinity is not a number"),
    (decimal.Decimal("-Infinity"), "payload: Decimal NaN or Infinity is not a number"),
    (Parcel(NAN), "payload.weight: float NaN"),
    ({"model": KeepsNan(ratio=NAN)}, "payload.model.ratio: float NaN"),
    ({"s": {NAN}}, "payload.s[*]: float NaN"),
    ({"id": "\ud800"}, "payload.id: the text has a lone surrogate"),
    ({"\udfff": 1}, "payload: a key: the text has a lone surrogate"),
    (pathlib.PurePosixPath("\udc80"), "payload: the text has a lone surrogate"),
    (10**309, "payload: an int of 1027 bits is larger than any JSON reader takes"),
    (Number(10**5000), "payload: an int of 16610 bits"),
    ({"o": object()}, "payload.o: object has no JSON form; "),
    (Order, "payload: type has no JSON form"),
    (1j, "payload: complex has no JSON form"),
    (numpy.datetime64(1, "ns"), "payload: numpy.datetime64 has no JSON form"),
    (numpy.longdouble(1), "payload: numpy.longdouble has no JSON form"),
    ((n for n in "ab"), "payload: generator has no JSON form"),
    ({"m": {(1, 2): 0}}, "payload.m: a key: tuple is not a valid key; use text"),
    ({frozenset({NAN}): 0}, "payload: a key: float NaN"),
    ({"a": {1: 0, "1": 0}}, 'payload.a: two keys become the same text, "1"'),
    (
        {Mood.GOOD: 0, Text("x"): 1, "x ": 2, None: 3, "null": 4},
        "payload: two keys become the ",
    ),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=named)
def test_unsupported_values_are_refused_with_their_path(
    value: object, message: str
) -> None:
    with pytest.raises(PayloadError) as raised:
        to_json(value)
    assert str(raised.value).startswith(message)
    assert isinstance(raised.value, ValueError)
    assert raised.value.__cause__ is None


def test_messages_contain_no_values() -> None:
    for secret in (
        "hunter2\ud800",
        {"hunter2\ud800"},
        [b"hunter2", "hunter2", object()],
    ):
        with pytest.raises(PayloadError) as raised:
            to_json({"password": secret})
        assert "hunter2" not in f"{raised.value!r}"


class Deep:
    """A recursion for each way into a value."""

    @staticmethod
    def list() -> object:
        value: list[object] = []
        value.append(value)
        return value

    @staticmethod
    def dict() -> object:
        value: dict[str, object] = {}
        value["a"] = [value]
        return value

    @staticmethod
    def dataclass() -> object:
        @dataclasses.dataclass
        class Node:
            next: object = None

        node = Node()
        node.next = node
        return node

    @staticmethod
    def mapping() -> object:
        class Mirror(OwnMapping):
            def items(self) -> typing.Any:
                return [("a", Mirror()), ("b", Mirror())]

        return Mirror()

    @staticmethod
    def enum() -> object:
        class Self(enum.Enum):
            ONE = 1

            @property
            def value(self) -> typing.Any:
                return self

        return Self.ONE

    @staticmethod
    def text() -> object:
        return collections.UserString("a")

    @staticmethod
    def model() -> object:
        class Again(Customer):
            def model_dump(self, **_: object) -> typing.Any:
                return self

        return Again(name="Ada", born_on=datetime.date.today())


@pytest.mark.parametrize(
    "shape", [name for name in vars(Deep) if not name.startswith("_")]
)
def test_recursive_values_are_an_error_on_a_small_stack(shape: str) -> None:
    value = getattr(Deep, shape)()
    messages: list[str] = []

    def write() -> None:
        with pytest.raises(PayloadError) as raised:
            to_json(value)
        messages.append(str(raised.value))

    usual = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(usual)
    assert "nested more than 100 deep, or contains itself" in messages[0]


def test_a_hundred_levels_are_accepted() -> None:
    value: object = 1
    for _ in range(100):
        value = [value]
    assert json.loads(to_json(value)) == value
    with pytest.raises(PayloadError):
        to_json([value])


def test_the_output_size_is_limited() -> None:
    value: object = "x" * 1024
    for _ in range(30):
        value = [value, value]
    with pytest.raises(PayloadError, match="larger than 268435456 bytes"):
        to_json(value)


class Raises(OwnMapping):
    """Raises wherever it is touched."""

    def __getattribute__(self, name: str) -> typing.Any:
        raise LookupError("hunter2")

    def __iter__(self) -> typing.Iterator[str]:
        raise LookupError("hunter2")

    def __len__(self) -> int:
        raise LookupError("hunter2")


@dataclasses.dataclass
class Fields:
    total: int = 0

    def __getattribute__(self, name: str) -> typing.Any:
        if name == "total":
            raise LookupError("hunter2")
        return super().__getattribute__(name)


class Iterates(list[int]):
    def __iter__(self) -> typing.Iterator[int]:
        raise LookupError("hunter2")


class Items(collections.UserList[int]):
    def __iter__(self) -> typing.Iterator[int]:
        raise LookupError("hunter2")


class Dumps(Customer):
    @pydantic.field_serializer("name")
    def name_of(self, name: str) -> str:
        raise LookupError("hunter2")


class Zone(datetime.tzinfo):
    tzname = dst = None  # type: ignore[assignment]

    def utcoffset(self, at: datetime.datetime | None) -> datetime.timedelta:
        raise LookupError("hunter2")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Raises, "payload.a[0]: its items() raised LookupError"),
        (Fields, "payload.a[0].total: the attribute raised LookupError"),
        (lambda: Items([1]), "payload.a[0]: iterating over it raised LookupError"),
        (
            lambda: datetime.time(1, tzinfo=Zone()),
            "payload.a[0]: its isoformat() raised ",
        ),
    ],
)
def test_an_exception_of_other_code_is_the_cause(
    make: typing.Callable[[], object], message: str
) -> None:
    with pytest.raises(PayloadError) as raised:
        to_json({"a": [make()]})
    assert str(raised.value).startswith(message)
    assert "hunter2" not in str(raised.value)
    assert isinstance(raised.value.__cause__, LookupError)


def test_an_exception_of_a_model_is_the_cause() -> None:
    with pytest.raises(
        PayloadError, match=r"payload\.a: its model_dump\(\) raised"
    ) as raised:
        to_json({"a": Dumps(name="Ada", born_on=datetime.date.today())})
    assert "hunter2" in str(raised.value.__cause__)


def test_a_list_subclass_is_read_without_its_iterator() -> None:
    assert to_json(Iterates([1])) == b"[1]"


def test_keyboard_interrupt_passes() -> None:
    class Interrupts(collections.UserList[int]):
        def __iter__(self) -> typing.Iterator[int]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        to_json({"a": Interrupts()})


def test_a_type_may_lie_about_its_class() -> None:
    def refuses(*_: object) -> bool:
        raise LookupError

    lies = {
        "__class__": property(lambda _: dict),
        "__eq__": refuses,
        "__hash__": object.__hash__,
    }
    Liar = type("Liar", (), lies)
    assert isinstance(Liar(), dict)
    with pytest.raises(PayloadError, match=r"payload\.a: .*Liar has no JSON form"):
        to_json({"a": Liar()})
    with pytest.raises(PayloadError, match=r"a key: .*Liar has no JSON form"):
        to_json({Liar(): "a"})


def test_a_class_with_arbitrary_attributes_is_handled() -> None:
    class Everything(type):
        def __getattr__(cls, name: str) -> object:
            return 1

    class Strange(metaclass=Everything):
        pass

    with pytest.raises(PayloadError, match="payload: its"):
        to_json(Strange())


@pytest.mark.parametrize("change", ["grow", "shrink", "clear", "swap"])
@pytest.mark.parametrize("container", ["dict", "list"])
def test_a_container_that_changes_while_it_is_written_is_an_error_or_consistent(
    container: str, change: str
) -> None:
    made: typing.Any = (
        {str(n): n for n in range(9)} if container == "dict" else [*range(9)]
    )

    class Changes(collections.UserList[int]):
        def __iter__(self) -> typing.Iterator[int]:
            key = "8" if container == "dict" else 8
            if change == "grow" and container == "dict":
                made["more"] = 1
            elif change == "grow":
                made.append(1)
            elif change == "clear":
                made.clear()
            else:
                value = made.pop(key)
                if change == "swap" and container == "dict":
                    del made["0"]
                    made["0"] = value
                    made["8"] = value
                elif change == "swap":
                    made.insert(0, value)
            return iter(())

    made["4" if container == "dict" else 4] = Changes()
    try:
        found = json.loads(to_json(made), object_pairs_hook=list)
    except PayloadError as error:
        assert "changed while it was written" in str(error) or "two keys" in str(error)
    else:
        assert len(found) == 9
        assert container == "list" or len(dict(found)) == 9


def test_an_endless_iterator_ends() -> None:
    class Endless(collections.UserList[int]):
        def __iter__(self) -> typing.Iterator[int]:
            while True:
                yield 1

    with pytest.raises(PayloadError, match="it changed while it was written"):
        to_json(Endless([1, 2]))


def test_threads_that_change_a_dict_crash_nothing() -> None:
    shared: dict[str, object] = {str(n): [collections.deque([n])] for n in range(50)}
    ends = threading.Event()

    def change() -> None:
        turn = 0
        while not ends.is_set():
            turn += 1
            shared[f"more {turn % 7}"] = turn
            shared.pop(f"more {(turn + 3) % 7}", None)

    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2000):
            try:
                json.loads(to_json(shared))
            except PayloadError as error:
                assert "changed" in str(error) or "two keys" in str(error)
    finally:
        ends.set()
        for thread in threads:
            thread.join()


def test_the_type_cache_is_limited() -> None:
    for number in range(3000):
        made = dataclasses.make_dataclass(f"Made{number}", [(f"field{number}", int)])
        assert json.loads(to_json(made(number))) == {f"field{number}": number}


@given(
    st.recursive(
        st.sampled_from(
            [value for value, _ in BECOMES] + [value for value, _ in REFUSED]
        ),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
        ),
    )
)
def test_any_value_is_json_or_a_payload_error(value: object) -> None:
    try:
        written = to_json(value)
    except PayloadError as error:
        assert str(error).startswith("payload")
    else:
        json.loads(written.decode(), parse_constant=pytest.fail)
        pydantic_core_reads(written)


def pydantic_core_reads(written: bytes) -> None:
    """A reader in Rust, as strict as others are."""
    pydantic.TypeAdapter(object).validate_json(written)
