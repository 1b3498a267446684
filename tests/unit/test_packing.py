"""Values on their way across Redis: as they were, also large ones, and nothing hostile does more than raise an error."""

import base64
import contextlib
import dataclasses
import io
import json
import math
import pickle
from collections import OrderedDict, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import BaseModel, RootModel, SecretStr

from outrider import ArtifactDamaged, ArtifactUnavailable, CannotUnpack, Opaque, StoredFile
from outrider.communicators import ArtifactStore, described, pack, unpack
from outrider.communicators.values.npy import array_chunks, array_from
from outrider.config.errors import CannotPack, OutriderError

LIMIT = 65536
KEY = "$outrider"


@pytest.fixture
def store(tmp_path):
    """A store in a folder; nothing has been put there."""
    return ArtifactStore(f"file://{tmp_path}/store")


@pytest.fixture
def files(tmp_path):
    """Return the names in the store."""
    return lambda: sorted(path.name for path in (tmp_path / "store").rglob("*") if path.is_file())


def there(value: Any, store: ArtifactStore, limit: int = LIMIT) -> Any:
    """Return the packed value as it comes out of Redis."""
    return json.loads(json.dumps(pack(value, store, "job/artifacts", limit)))


def there_and_back(value: Any, store: ArtifactStore, limit: int = LIMIT) -> Any:
    return unpack(there(value, store, limit), store)


NOWHERE = ArtifactStore("memory:///packing")

# --- what is JSON

json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.sampled_from([KEY, "a", "version"]) | st.text(st.characters(codec="utf-8")), children)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(json_values)
def test_every_json_value_comes_back_also_with_keys_like_ours(value):
    assert there_and_back(value, NOWHERE) == value


@pytest.mark.parametrize(
    "value", [None, 0, "", False, [], {}, 1.5, "x", {"a": [1, None, {"b": True}]}, 2**70], ids=repr
)
def test_j8_what_is_plain_json_stays_plain_json(value, store, files):
    assert pack(value, store, "f", LIMIT) == value
    assert type(there_and_back(value, store)) is type(value)
    assert files() == []


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_numbers_that_are_not_finite_come_back(number, store):
    assert str(there_and_back([number], store)) == str([number])


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Word(StrEnum):
    YES = "yes"


class Pair(NamedTuple):
    left: int
    right: Any


class Model(BaseModel):
    number: int
    path: Path = Path("/a")


@dataclasses.dataclass
class Inner:
    model: Model
    when: datetime


WRITTEN = [
    (datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "2024-05-06T07:08:09Z"),
    (timedelta(hours=1), "PT1H"),
    (Decimal("1.10"), "1.10"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Path("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Size.BIG, 3),
    (Word.YES, "yes"),
    (Fraction(1, 3), "1/3"),
    (ZoneInfo("UTC"), "UTC"),
    (SecretStr("hush"), "**********"),
    (Pair(1, [Pair(2, 3)]), [1, [[2, 3]]]),
    ((1, 2), [1, 2]),
    ({3}, [3]),
    (frozenset([3]), [3]),
    (deque([1, 2]), [1, 2]),
    ((n for n in range(3)), [0, 1, 2]),
    (Model(number=1), {"number": 1, "path": "/a"}),
    (RootModel[list[int]]([1]), [1]),
    (
        Inner(Model(number=1), datetime(2024, 1, 1, tzinfo=UTC)),
        {"model": {"number": 1, "path": "/a"}, "when": "2024-01-01T00:00:00Z"},
    ),
    (OrderedDict(a=1), {"a": 1}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    ({None: 1, 1.5: 2, Word.YES: 3, (1, 2): 4}, {"None": 1, "1.5": 2, "yes": 3, "1,2": 4}),
    ({np.int64(3): 1, np.str_("a"): 2}, {"3": 1, "a": 2}),
    (np.float64(0.1), 0.1),
    (np.float32(0.5), 0.5),
    (np.int8(-3), -3),
    (np.bool_(True), True),
    (np.str_("word"), "word"),
    (np.datetime64("2024-05-06T07:08:09"), "2024-05-06T07:08:09"),
]


@pytest.mark.parametrize(("value", "written"), WRITTEN, ids=[type(value).__name__ for value, _ in WRITTEN])
def test_what_has_a_usual_spelling_in_json_gets_it(value, written, store, files):
    packed = pack(value, store, "f", LIMIT)
    assert packed == written
    assert type(packed) is type(written)
    assert files() == []


def test_a_model_inside_of_a_list_keeps_what_is_no_json_in_it(store):
    class Holder(BaseModel):
        content: bytes

    assert there_and_back([Holder(content=b"\xff")], store) == [{"content": b"\xff"}]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1: "a", "1": "b"}, "two of its keys are the same as text"),
        ({object(): 1}, "as a key of a mapping it has no text"),
        ("\udcff", "a value of type str cannot be sent"),
        ({"\udcff": 1}, "a value of type dict cannot be sent"),
        (lambda: 1, "function cannot be sent"),
    ],
)
def test_what_cannot_travel_is_an_error_that_names_its_type(value, words, store):
    with pytest.raises(CannotPack, match=words):
        pack(value, store, "f", LIMIT)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_depth_is_bounded_and_what_can_be_sent_can_be_read(store):
    deepest = nested(200)
    assert there_and_back(deepest, store) == deepest
    assert unpack(there([deepest[0], "x" * 2_000_000], store), store)[0] == deepest[0]
    with pytest.raises(CannotPack, match="200 are the most"):
        pack(nested(201), store, "f", LIMIT)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(CannotPack, match="200 are the most"):
        pack(endless, store, "f", LIMIT)


# --- what is not

SIZES = [0, 1, LIMIT, LIMIT + 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_come_back_small_ones_without_a_file(kind, size, store, files):
    value = kind(bytes(range(256)) * (size // 256) + b"\xff" * (size % 256))
    again = there_and_back({"a": [value]}, store)
    assert again == {"a": [value]}
    assert type(again["a"][0]) is kind
    assert len(files()) == (size > LIMIT)


def test_a_memoryview_arrives_as_bytes(store):
    assert there_and_back(memoryview(b"abcdef")[::2], store) == b"ace"
    assert there_and_back(memoryview(np.arange(3, dtype="<i2")), store) == b"\0\0\1\0\2\0"


def same(one: np.ndarray, other: np.ndarray) -> None:
    assert type(other) is np.ndarray
    assert (other.dtype, other.shape) == (one.dtype, one.shape)
    assert other.tobytes() == one.tobytes()
    assert other.flags.f_contiguous == one.flags.f_contiguous or not one.flags.contiguous
    assert other.flags.writeable


some_arrays = arrays.arrays(
    dtype=arrays.scalar_dtypes() | arrays.nested_dtypes(),
    shape=arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
)


@settings(deadline=None, max_examples=200)
@given(some_arrays, st.sampled_from(["C", "F", "reversed", "strided"]), st.sampled_from([1024, LIMIT]))
def test_c4_every_array_comes_back_with_type_shape_and_order(array, order, limit):
    if order in "CF":
        array = np.array(array, order=order)
    elif array.ndim:
        array = array[::-1] if order == "reversed" else array[::2]
    if array.dtype.itemsize:
        same(array, there_and_back(array, NOWHERE, limit))


AWKWARD = [
    np.arange(12, dtype=">i4").reshape(3, 4),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.array(3.5),
    np.zeros((0, 3)),
    np.zeros((3, 0), order="F"),
    np.array([np.nan, np.inf, -0.0], "f2"),
    np.array([1 + 2j]),
    np.array(["ä", "bcd"]),
    np.array([b"a", b"bcd"]),
    np.array([True, False]),
    np.array(["2024-01-01", "NaT"], "M8[ns]"),
    np.array([3], "m8[us]"),
    np.zeros(2, [("2θ", "<f8"), ("counts", ">u4", (3,))]),
    np.zeros(2, np.dtype([("a", "u1"), ("b", "f8")], align=True)),
    np.zeros(2, np.dtype({"names": ["a"], "formats": ["f8"], "offsets": [8], "itemsize": 32})),
    np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    np.arange(10)[::-2],
    np.broadcast_to(np.arange(3), (4, 3)),
    np.longdouble([1]) / 3,
]


@pytest.mark.parametrize("limit", [1024, 0], ids=["inline", "by reference"])
@pytest.mark.parametrize("array", AWKWARD, ids=lambda array: f"{array.dtype.kind}{array.shape}")
def test_c4_awkward_arrays_come_back(array, limit, store, files):
    if limit:
        same(array, there_and_back(array, store, limit))
        assert files() == []
    else:
        tag = pack([array, b"x" * LIMIT], store, "f", 100)  # so small a limit that the header is over it
        (again, _) = unpack(json.loads(json.dumps(tag)), store)
        same(array, again)


def test_numpy_itself_reads_what_is_stored(store, tmp_path):
    array = np.asfortranarray(np.random.default_rng(1).random((200, 300)))
    tag = pack(array, store, "job", LIMIT)[KEY]
    assert tag["about"] == "array float64 (200, 300), 480000 bytes"
    np.testing.assert_array_equal(np.load(tmp_path / "store" / tag["reference"]["key"], allow_pickle=False), array)


def test_an_array_in_a_file_comes_back_as_an_array(store, tmp_path):
    array = np.memmap(tmp_path / "data", np.int32, "w+", shape=(5, 5))
    array[:] = np.arange(25).reshape(5, 5)
    np.testing.assert_array_equal(there_and_back(array, store), array)


SCALARS_BEYOND_PYTHON = [
    np.longdouble(1) / 3,
    np.datetime64("2024-01-01T00:00:00.123456789"),
    np.datetime64("NaT"),
    np.timedelta64(5, "ns"),
    np.zeros(1, [("a", "i4"), ("b", "f8")])[0],
]


@pytest.mark.parametrize("value", SCALARS_BEYOND_PYTHON, ids=lambda value: value.dtype.name)
def test_a_scalar_that_python_cannot_hold_arrives_as_an_array_without_dimensions(value, store):
    again = there_and_back(value, store)
    assert (again.dtype, again.shape, again.tobytes()) == (value.dtype, (), value.tobytes())


@dataclasses.dataclass
class Peaks:
    table: np.ndarray
    pictures: dict[str, np.ndarray]
    count: int


def test_arrays_are_found_wherever_they_are(store):
    value = [Peaks(np.arange(3), {"a": np.zeros((200, 200))}, 7)]
    (again,) = there_and_back(value, store)
    assert again["count"] == 7
    same(value[0].table, again["table"])
    same(value[0].pictures["a"], again["pictures"]["a"])


def test_two_equal_arrays_arrive_as_two(store, files):
    one, other = there_and_back([np.zeros(100_000), np.zeros(100_000)], store)
    one[0] = 1
    assert other[0] == 0
    assert len(files()) == 1


class Thing:
    """What only pickle can carry."""

    def __init__(self, content: Any) -> None:
        self.content = content


OPAQUE = [
    Thing(3),
    np.array([Thing(1), None], object),
    np.ma.masked_array([1, 2, 3], [0, 1, 0]),
    np.zeros(3, []),
    np.array(["a", "bcd"], np.dtypes.StringDType()),
    np.zeros(1, [(f"field number {n}", "f8") for n in range(500)]),
    range(3),
    ValueError("no"),
]


@pytest.mark.parametrize("value", OPAQUE, ids=lambda value: type(value).__name__)
def test_anything_else_arrives_unread_and_is_unpickled_on_purpose_only(value, store, files, monkeypatch):
    tree = there({"it": value}, store)
    assert [name.partition("-")[2] for name in files()] == ["value.pickle"]
    with monkeypatch.context() as forbidden:
        forbidden.setattr(pickle, "loads", None)
        forbidden.setattr(pickle, "Unpickler", None)
        opaque = unpack(tree, store)["it"]
    assert type(opaque) is Opaque
    assert type(opaque.unpickle()) is type(value)
    assert type(value).__name__ in repr(opaque)


def test_what_was_pickled_is_whole(store):
    content = np.ma.masked_array(np.arange(1000), np.arange(1000) % 2)
    again = there_and_back(Thing(content), store).unpickle()
    assert again.content.tolist() == content.tolist()


def test_a_figure_arrives_as_a_picture(store, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plots)")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1), dpi=50)
    figure.subplots().plot([1, 2])
    picture = there_and_back({"plot": figure}, store)["plot"]
    assert type(picture) is StoredFile
    assert picture.reference.media_type == "image/png"
    assert picture.read().startswith(b"\x89PNG")
    picture.save(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes() == picture.read()


def test_what_arrived_as_a_file_can_be_sent_on_and_is_not_copied(store, files):
    opaque = there_and_back(Thing(1), store)
    before = files()
    assert there_and_back([opaque], store) == [opaque]
    assert files() == before
    with pytest.raises(CannotPack, match="another artefact store"):
        pack(opaque, NOWHERE, "f", LIMIT)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(opaque)


@pytest.mark.parametrize(
    "value",
    [[n / 7 for n in range(200_000)], "ä" * 2_000_000, [{"a": b"x" * 1000}] * 1000],
    ids=["list", "text", "tags"],
)
def test_c7_a_value_that_is_large_as_a_whole_goes_by_reference(value, store, files):
    tree = there(value, store)
    assert len(json.dumps(tree)) < 1000
    assert unpack(tree, store) == value
    assert [name.partition("-")[2] for name in files()] == ["value.json"]


def test_c7_no_packed_tree_is_larger_than_the_bound(store):
    for size in (16 * LIMIT - 2, 16 * LIMIT - 1):
        value = "x" * size
        assert (pack(value, store, "f", LIMIT) == value) == (size + 2 <= 16 * LIMIT)


# --- what people see

SHOWN = [
    (np.zeros((3, 4)), "array float64 (3, 4), 96 bytes"),
    (b"abc", "3 bytes"),
    ({"a": [1, np.zeros(2, ">f4")]}, {"a": [1, "array >f4 (2,), 8 bytes"]}),
    ({KEY: 1}, {KEY: 1}),
    ({KEY: b"a"}, {KEY: "1 bytes"}),
    ([1, "a"], [1, "a"]),
]


@pytest.mark.parametrize(("value", "shown"), SHOWN, ids=[str(shown) for _, shown in SHOWN])
def test_a_line_stands_for_what_people_cannot_read(value, shown, store):
    assert described(there(value, store)) == shown


def test_what_is_elsewhere_is_shown_with_its_key(store):
    tree = there({"a": np.zeros(10_000)}, store)
    assert described(tree) == {"a": f"array float64 (10000,), 80000 bytes, {tree['a'][KEY]['reference']['key']}"}
    tree = there("x" * 2_000_000, store)
    assert described(tree) == f"str, 2000002 bytes as JSON, {tree[KEY]['reference']['key']}"


# --- what is hostile


def npy(header: str, data: bytes = b"", version: bytes = b"\x03\x00") -> bytes:
    text = header.encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(4, "little") + text + data


def array_tag(content: bytes) -> dict[str, Any]:
    return {KEY: {"version": 1, "kind": "array", "base64": base64.b64encode(content).decode()}}


REFERENCE = {"key": "a/b", "size": 3, "sha256": "0" * 64}

HOSTILE = [
    ("no mapping", {KEY: 1}),
    ("nothing", {KEY: {}}),
    ("null", {KEY: None}),
    ("no version that we know", {KEY: {"version": 2, "kind": "bytes", "base64": ""}}),
    ("a kind that we do not know", {KEY: {"version": 1, "kind": "lambda", "base64": ""}}),
    ("a kind that is no text", {KEY: {"version": 1, "kind": ["bytes"], "base64": ""}}),
    ("no content", {KEY: {"version": 1, "kind": "bytes"}}),
    ("no base64", {KEY: {"version": 1, "kind": "bytes", "base64": "!!!"}}),
    ("base64 that is no text", {KEY: {"version": 1, "kind": "bytes", "base64": 7}}),
    ("a reference that is none", {KEY: {"version": 1, "kind": "bytes", "reference": "a/b"}}),
    ("a negative size", {KEY: {"version": 1, "kind": "bytes", "reference": REFERENCE | {"size": -1}}}),
    (
        "a key that leads out",
        {KEY: {"version": 1, "kind": "bytes", "reference": REFERENCE | {"key": "../../etc/passwd"}}},
    ),
    ("a file that is not there", {KEY: {"version": 1, "kind": "bytes", "reference": REFERENCE}}),
    ("a huge file that is not there", {KEY: {"version": 1, "kind": "array", "reference": REFERENCE | {"size": 2**62}}}),
    ("an escape of nothing", {KEY: {"version": 1, "kind": "mapping"}}),
    ("a tree inside of a tree", [{KEY: {"version": 1, "kind": "json", "base64": "MQ=="}}]),
    ("a tree that is no JSON", {KEY: {"version": 1, "kind": "json", "base64": "/w=="}}),
    ("a tree that is deep", {KEY: {"version": 1, "kind": "json", "base64": base64.b64encode(b"[" * 10**6).decode()}}),
    ("a pickle in the message", {KEY: {"version": 1, "kind": "pickle", "base64": "gASVAQ=="}}),
    ("a picture in the message", {KEY: {"version": 1, "kind": "file", "base64": "gASVAQ=="}}),
    ("no array", array_tag(b"")),
    ("half an array", array_tag(b"\x93NUMPY\x03\x00")),
    ("another version", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", bytes(8), b"\x01\x00"))),
    ("an array of objects", array_tag(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)))),
    ("objects within", array_tag(npy("{'descr': [('a', 'O')], 'fortran_order': False, 'shape': (1,)}", bytes(8)))),
    ("a bomb", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,)}", bytes(8)))),
    ("another bomb", array_tag(npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**12},)}}", bytes(8)))),
    ("a bomb of nothing", array_tag(npy(f"{{'descr': 'S0', 'fortran_order': False, 'shape': ({10**12},)}}"))),
    ("a negative shape", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}", bytes(8)))),
    ("many dimensions", array_tag(npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 99}}}", bytes(8)))),
    ("a shape of words", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}", bytes(8)))),
    ("code", array_tag(npy("__import__('os').abort()"))),
    ("no header", array_tag(npy("7"))),
    ("a header in part", array_tag(npy("{'descr': '<f8'}", bytes(8)))),
    ("a deep header", array_tag(npy("[" * 9000))),
    ("a wide header", array_tag(npy("-" * 9999 + "1"))),
    (
        "a long header",
        array_tag(npy(" " * 100_000 + "{'descr': '<f8', 'fortran_order': False, 'shape': ()}", bytes(8))),
    ),
    ("too little data", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", bytes(15)))),
    ("too much data", array_tag(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", bytes(17)))),
]


@pytest.mark.parametrize("tree", [tree for _, tree in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_c5_a_hostile_tag_is_an_error_of_ours_and_shown_without_one(tree, store):
    with pytest.raises((CannotUnpack, ArtifactDamaged, ArtifactUnavailable)):
        unpack(tree, store)
    described(tree)


def test_depth_that_nobody_can_follow_is_an_error_of_ours(store):
    tree: dict[str, Any] = {}
    for _ in range(900):
        tree = {KEY: {"version": 1, "kind": "mapping", "mapping": {"a": tree}}}
    with pytest.raises(CannotUnpack):
        unpack(tree, store)


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("somebody has unpickled it",))


def test_c5_a_pickle_is_not_loaded_whatever_the_tag_calls_it(store):
    kept = store.put("job", "x", [pickle.dumps(Bomb())]).model_dump()
    for kind in ("bytes", "bytearray", "array", "file", "pickle", "json"):
        try:
            unpack({KEY: {"version": 1, "kind": kind, "reference": kept}}, store)
        except OutriderError:
            continue


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(["version", "kind", "base64", "reference", "mapping", "about"]), json_values))
def test_c6_no_tag_whatever_raises_anything_else(tag):
    tree = {KEY: {"version": 1, "kind": "array"} | tag}
    described(tree)
    with contextlib.suppress(OutriderError):
        unpack(tree, NOWHERE)


@settings(deadline=None, max_examples=300)
@given(st.binary() | st.text(max_size=200).map(npy))
def test_c6_no_bytes_whatever_are_taken_for_an_array(content):
    with pytest.raises(CannotUnpack):
        unpack(array_tag(content), NOWHERE)


def test_the_data_of_an_array_are_not_copied():
    array = np.arange(1000.0)
    header, data = array_chunks(array)
    assert np.shares_memory(np.frombuffer(data, np.uint8), array)
    content = bytearray(header + bytes(data))
    assert np.shares_memory(array_from(content), np.frombuffer(content, np.uint8))
    assert io.BytesIO(content).read(6) == b"\x93NUMPY"
