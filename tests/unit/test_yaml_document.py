"""YAML files are read strictly, within bounds, and each problem names its line."""

import math
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider import InvalidFile
from outrider.tasks.files import read_document
from outrider.tasks.files.scalars import plain_value


@pytest.fixture
def written(tmp_path):
    """Write a file and read it."""

    def write(content):
        path = tmp_path / "file.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_document(path)

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0012", "0012"),
        ("-007", "-007"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("0012.5", "0012.5"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2001-01-01", "2001-01-01"),
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ("0", 0),
        ("-3", -3),
        ("+12", 12),
        ("1.10", 1.1),
        ("1e5", 1e5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("-.inf", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
def test_p4_only_what_nobody_mistakes_is_more_than_text(written, text, value):
    read = written(f"key: {text}\n").value["key"]
    assert (read, type(read)) == (value, type(value))


def test_nan_is_a_number(written):
    assert math.isnan(written("key: .nan").value["key"])


@given(st.integers())
def test_an_integer_is_read_as_it_is_written(number):
    assert plain_value(str(number)) == number


@given(st.floats(allow_nan=False))
def test_a_float_is_read_as_python_writes_it(number):
    assert plain_value(repr(number).replace("inf", ".inf")) == number


@given(st.from_regex(r"0[0-9]+", fullmatch=True))
def test_p4_what_begins_with_zeros_stays_text(digits):
    assert plain_value(digits) == digits


def test_each_part_knows_its_line(written):
    document = written("a: 1\nb:\n  - x\n  - c: |\n      text\n      more\n    d: {e: 5}\n\nf: 0\n")
    assert document.value == {"a": 1, "b": ["x", {"c": "text\nmore\n", "d": {"e": 5}}], "f": 0}
    places = [("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "d", "e"), ("f",)]
    assert [document.line_of(place) for place in places] == [1, 2, 3, 4, 7, 9]
    assert document.line_of(("b", 1, "d", "missing", "deeper")) == 7, "of the innermost part that is there"
    assert document.line_of(("no such",)) == 1


def test_aliases_stand_for_what_they_name_each_time_anew(written):
    value = written("a: &x {b: [1]}\nc: *x\n").value
    assert value["c"] == value["a"] == {"b": [1]}
    assert value["c"] is not value["a"]


def test_a_byte_order_mark_is_no_part_of_the_text(written):
    assert written(b"\xef\xbb\xbfa: 1").value == {"a": 1}


def test_an_empty_file_has_no_value(written):
    assert written("# nothing\n").value is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is there already, in line 1"),
        ("x:\n  1: a\n", "line 2: the key 1 is no text; write it in quotes"),
        ("true: a\n", "line 1: the key true is no text"),
        ("~: a\n", "line 1: the key ~ is no text"),
        ("[a]: b\n", "line 1: a key must be text"),
        ("a: {{ x }}\n", 'line 1: a key must be text; write a reference in quotes: "{{ name }}"'),
        ("a: 1\nb: !!python/object/apply:os.system [id]\n", "line 2: the tag 'tag:yaml.org,2002:python/object"),
        ("a: !!str 1\n", "line 1: the tag"),
        ("a: ! 1\n", "line 1: the tag '!'"),
        ("a: !Ref x\n", "line 1: the tag '!Ref': tags are not understood here; quote what begins with !"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3: merge keys"),
        ("a: 1\n---\nb: 2\n", "line 2: expected a single document"),
        ("a:\n\tb: 1\n", "line 2: a tab; YAML is indented by spaces"),
        ("a: *nobody\n", "line 1: found undefined alias 'nobody'"),
        ("a: [1,\n", "line 2: "),
        ("a: b: c\n", "line 1: mapping values are not allowed here"),
        (b"a: 1\nb: \xff\n", "line 2: the byte 0xff is no UTF-8"),
        (b"a: 1\nb: \0\n", "line 2: a NUL character"),
        ("a: 1".encode("utf-16"), "line 1: a NUL character"),
        ("a: 1\nb: \x07\n", "line 2: the character U+0007 is not allowed"),
        ('a: 1\nb: "\\U0011FFFF"\n', "line 2: chr"),
        ('a: "\\ud800"\n', "line 1: half a surrogate pair"),
        ("a: " + "9" * 5000, "line 1: a number of 5000 digits is too long"),
    ],
)
def test_what_is_not_taken_is_said_with_its_line(written, content, words):
    with pytest.raises(InvalidFile) as refusal:
        written(content)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith(refusal.value.path)


def test_all_problems_of_a_file_are_said_at_once(written):
    with pytest.raises(InvalidFile) as refusal:
        written("a: 1\n2: x\na: 3\n<<: 4\n")
    assert [problem.partition(":")[0] for problem in refusal.value.problems] == ["line 2", "line 3", "line 4"]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
HOSTILE = {
    "billion laughs": (LAUGHS, "more than 100000 values, aliases included"),
    "an alias within itself": ("a: &x [*x]", "more than 100 levels"),
    "deep brackets": ("[" * 500_000, "more than 100 levels"),
    "deep braces": ("{a: " * 250_000, "more than 100 levels"),
    "deep blocks": ("\n".join(" " * i + "a:" for i in range(1000)), "line 100: there are more than 100 levels"),
    "deep questions": ("? " * 400_000, "more than 100 levels"),
    "many values": ("[" + "1," * 500_000 + "]", "more than 100000 values"),
    "many bytes": ("#" * (2**20 + 1), "larger than 1 MiB"),
    "a long text again and again": (f"a: &a {'x' * 500_000}\nb: [{'*a,' * 20}]", "more than 4194304 characters"),
    "a long key again and again": (f"a: &a\n  ? {'x' * 500_000}\n  : 1\nb: [{'*a,' * 20}]", "more than 4194304 char"),
    "many problems": ("a: 1\n" * 40_000, "and 39979 more"),
    "a long word": ("*" + "a" * 1_000_000, "undefined alias"),
}


@pytest.mark.parametrize(("content", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_soon_and_in_few_words(written, content, words):
    begun = time.monotonic()
    with pytest.raises(InvalidFile) as refusal:
        written(content)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 15_000
    assert time.monotonic() - begun < 30


def test_a_file_of_one_mebibyte_is_read(written):
    assert len(written("a: " + "x" * (2**20 - 3)).value["a"]) == 2**20 - 3


def test_what_cannot_be_read_is_named(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, words in (
        (tmp_path / "missing.yaml", "there is no such file"),
        (tmp_path, "it is no file"),
        (tmp_path / "fifo", "it is no file"),
        ("/dev/zero", "it is no file"),
        ("a\0b", "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(InvalidFile, match=words):
            read_document(path)


def test_a_python_tag_runs_nothing(written, tmp_path):
    with pytest.raises(InvalidFile):
        written(f"a: !!python/object/apply:os.system ['touch {tmp_path}/made']")
    assert not (tmp_path / "made").exists()


def test_yaml_is_imported_when_a_file_is_read_and_not_before():
    code = "import sys, outrider.tasks; assert not {'yaml', 'outrider.tasks.programs.program_file'} & {*sys.modules}; import outrider.tasks.files.strict_yaml; assert 'yaml' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
