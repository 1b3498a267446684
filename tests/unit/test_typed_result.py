"""What a task returns is what its producer gets, by the task's result type and through JSON."""

import dataclasses
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from typing_extensions import TypedDict

from outrider import Flag, Opaque, ProgramRun, StoredFile, ThirdPartyTask
from outrider.client.typed_result import typed_result
from outrider.communicators import ArtifactStore, pack, unpack

LIMIT = 65536


@pytest.fixture
def journey(tmp_path):
    """Take a value from its task to its producer as results go, and return what arrives."""
    store = ArtifactStore(f"file://{tmp_path}/store")

    def travel(annotation: Any, value: Any, limit: int = LIMIT) -> Any:
        adapter = task_returning(annotation).result_adapter()
        packed = pack(adapter.dump_python(adapter.validate_python(value)), store, "job", limit)
        return typed_result(unpack(json.loads(json.dumps(packed)), store), adapter)

    return travel


def task_returning(annotation: Any) -> type[ThirdPartyTask]:
    def read_result(self: ThirdPartyTask, run: ProgramRun) -> Any: ...

    read_result.__annotations__["return"] = annotation
    return type("Reads", (ThirdPartyTask,), {"executable": "true", "read_result": read_result, "__module__": __name__})


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Pair(NamedTuple):
    left: int
    right: Path


class Words(TypedDict):
    a: int
    when: datetime


class Model(BaseModel):
    number: int
    when: timedelta = timedelta(0)
    renamed: int = Field(default=1, alias="other-name")


@dataclasses.dataclass
class Inner:
    content: bytes
    path: Path


@dataclasses.dataclass
class Outer:
    inner: Inner
    models: list[Model]
    by_number: dict[int, set[int]]


class Encoded(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", ser_json_timedelta="float")

    content: bytes
    length: timedelta


MOMENT = datetime(2024, 5, 6, 7, 8, 9, 1, UTC)

TYPED = [
    (int, 3),
    (float, float("inf")),
    (str, "0012"),
    (type(None), None),
    (bytes, b"plain"),
    (bytes, b"\xff\0"),
    (bytearray, bytearray(b"\xff")),
    (Any, b"text that is bytes"),
    (str | bytes, b"text that is bytes"),
    (str | bytes, "text"),
    (int | str, "12"),
    (Path, Path("/a b")),
    (UUID, UUID(int=7)),
    (Decimal, Decimal("1.10")),
    (Fraction, Fraction(1, 3)),
    (complex, 1 + 2j),
    (datetime, MOMENT),
    (date, MOMENT.date()),
    (time, time(1, 2, 3)),
    (timedelta, timedelta(days=-1, microseconds=1)),
    (ZoneInfo, ZoneInfo("Europe/Berlin")),
    (IPv4Address, IPv4Address("127.0.0.1")),
    (Colour, Colour.RED),
    (Size, Size.BIG),
    (set[int], {1, 2}),
    (frozenset[str], frozenset("a")),
    (tuple[int, str], (1, "a")),
    (tuple[Path, ...], (Path("a"),)),
    (dict[int, str], {1: "a", -2: "b"}),
    (dict[date, float], {MOMENT.date(): 1.5}),
    (dict[Colour, int], {Colour.RED: 1}),
    (dict[str, Any], {"$outrider": {"version": 1}}),
    (Pair, Pair(1, Path("b"))),
    (list[Pair], [Pair(1, Path("b"))]),
    (Words, {"a": 1, "when": MOMENT}),
    (Model, Model(number=1, when=timedelta(seconds=2))),
    (list[Model] | None, [Model(number=1)]),
    (RootModel[dict[int, Path]], RootModel[dict[int, Path]]({1: Path("a")})),
    (Outer, Outer(Inner(b"\xff", Path("a")), [Model(number=1)], {1: {2}})),
    (Encoded, Encoded(content=b"\xff", length=timedelta(seconds=1.5))),
    (ProgramRun, ProgramRun(directory="/d", exit_code=0, outputs={"a": "b"}, stdout_path="o", stderr_path="e")),
]


@pytest.mark.parametrize(("annotation", "value"), TYPED, ids=[str(value)[:30] for _, value in TYPED])
def test_j8_results_come_back_typed(annotation, value, journey):
    again = journey(annotation, value)
    assert again == value
    assert type(again) is type(value)


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    array: np.ndarray


@dataclasses.dataclass
class Peaks:
    """A plain dataclass, for which pydantic has no settings."""

    table: npt.NDArray[np.float64]
    count: int


ARRAY = np.arange(12.0).reshape(3, 4)
ARRAYS = [
    (np.ndarray, ARRAY, lambda value: value),
    (npt.NDArray[np.float64], ARRAY, lambda value: value),
    (np.ndarray | None, ARRAY, lambda value: value),
    (Any, ARRAY, lambda value: value),
    (dict[str, np.ndarray], {"a": ARRAY}, lambda value: value["a"]),
    (tuple[int, np.ndarray], (1, ARRAY), lambda value: value[1]),
    (Holder, Holder(array=ARRAY), lambda value: value.array),
    (Peaks, Peaks(ARRAY, 1), lambda value: value.table),
    (list[Peaks], [Peaks(ARRAY, 1)], lambda value: value[0].table),
    (Peaks | None, Peaks(ARRAY, 1), lambda value: value.table),
]


@pytest.mark.parametrize("limit", [LIMIT, 30], ids=["inline", "by reference"])
@pytest.mark.parametrize(("annotation", "value", "find"), ARRAYS, ids=[str(row[0])[:40] for row in ARRAYS])
def test_c7_arrays_come_back_in_their_place(annotation, value, find, limit, journey):
    again = journey(annotation, value, limit)
    assert type(again) is type(value)
    assert type(find(again)) is np.ndarray
    np.testing.assert_array_equal(find(again), ARRAY)


def test_a_number_of_numpy_arrives_as_a_plain_one(journey):
    for annotation, value in ((np.float64, np.float64(1.5)), (np.int32, np.int32(3)), (float, np.float64(1.5))):
        assert journey(annotation, value) == value
        assert type(journey(annotation, value)) in (float, int)


class Thing:
    """A class that pydantic knows nothing of."""


@dataclasses.dataclass
class Box:
    thing: Thing
    count: int


@dataclasses.dataclass
class HonestBox:
    thing: Opaque
    count: int


def test_what_only_pickle_can_carry_arrives_in_its_stead(journey):
    assert isinstance(journey(Thing, Thing()), Opaque)
    assert isinstance(journey(Any, [Thing()])[0], Opaque)
    assert isinstance(journey(dict[str, Thing], {"a": Thing()})["a"].unpickle(), Thing)
    again = journey(Box, Box(Thing(), 3))
    assert again["count"] == 3
    assert isinstance(again["thing"].unpickle(), Thing)


def test_a_type_that_says_what_arrives_stays_a_type(journey):
    again = journey(HonestBox, HonestBox(Thing(), 3))
    assert (type(again), again.count) == (HonestBox, 3)
    assert isinstance(again.thing, Opaque)
    assert isinstance(journey(StoredFile, Thing()), StoredFile)


def test_what_is_of_another_type_is_an_error(tmp_path):
    store = ArtifactStore(f"file://{tmp_path}")
    opaque = unpack(pack(Thing(), store, "job", LIMIT), store)
    for annotation, value in (
        (int, "many"),
        (np.ndarray, [1]),
        (np.ndarray, {}),
        (int, opaque),
        (Box, {"thing": opaque}),
    ):
        with pytest.raises(ValidationError):
            typed_result(value, task_returning(annotation).result_adapter())


def test_without_a_task_the_result_is_as_it_travelled():
    assert typed_result({"a": [1]}, None) == {"a": [1]}


def test_the_parameters_of_a_task_take_no_arbitrary_class():
    with pytest.raises(Exception, match="arbitrary_types_allowed"):
        type("Bad", (ThirdPartyTask,), {"executable": "x", "__annotations__": {"a": Annotated[Thing, Flag()]}})
