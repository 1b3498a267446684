"""References lead to values by name: they keep types, and lead nowhere else."""

import contextlib
import time
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from outrider.config import Budget, defer, escape, references_in, resolve, root_name
from outrider.config.errors import InvalidReference


class Colour(Enum):
    RED = "red"


class Detector(BaseModel):
    name: str = "eiger"
    pixels: list[int] = [4, 5]

    @property
    def secret(self) -> str:
        return "no field"


CONTEXT = {
    "run": {"number": 7, "id": "0012", "with space": 1, "dark-current": "d"},
    "images": ["a.h5", ["b.h5"]],
    "yes": True,
    "nothing": None,
    "path": Path("/data"),
    "colour": Colour.RED,
    "detector": Detector(),
    "größe": 3,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ run.number }}", 7),
        ("{{run.number}}", 7),
        ("{{ run.id }}", "0012"),
        ("{{ run }}", CONTEXT["run"]),
        ('{{ run["with space"] }}', 1),
        ("{{ run.dark-current }}", "d"),
        ("{{ images[1][0] }}", "b.h5"),
        ("{{ yes }}", True),
        ("{{ nothing }}", None),
        ("{{ path }}", Path("/data")),
        ("{{ detector.pixels[1] }}", 5),
        ("{{ größe }}", 3),
        (" {{ run.number }}", " 7"),
        ("run_{{ run.id }}_{{ run.number }}.h5", "run_0012_7.h5"),
        ("{{ path }}/{{ colour }}", "/data/red"),
        ("{{ yes }}!", "true!"),
        (r"\{{ run.number }}", "{{ run.number }}"),
        (r"\{{{{ run.number }}", "{{7"),
        ("no } }} { reference", "no } }} { reference"),
        ("", ""),
        (12, 12),
        (None, None),
    ],
)
def test_a_reference_alone_keeps_the_type_and_within_text_becomes_text(text, value):
    found = resolve(text, CONTEXT)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ runn }}", "{{ runn }}: there is no 'runn'; did you mean 'run'?"),
        ("{{ run.nummer }}", "there is no 'nummer'; did you mean 'number'?"),
        ("{{ run.zzz }}", "there is no 'zzz'; there are number, id, with space, dark-current"),
        ("{{ images[2] }}", "there is no [2] in a list of 2"),
        ("{{ run[0] }}", "[0] is for lists, and this is a value of type dict"),
        ("{{ run.number.real }}", "there is no 'real' in a value of type int"),
        ("{{ images.append }}", "there is no 'append' in a value of type list"),
        ("{{ nothing.x }}", "there is no 'x' in null"),
        ("{{ detector.secret }}", "there is no 'secret'"),
        ("{{ detector.model_fields }}", "there is no 'model_fields'"),
        ("{{ detector.__class__ }}", "there is no '__class__'"),
        ("{{ run.__class__ }}", "there is no '__class__'"),
        ("x{{ run }}", "it is a dict, which cannot stand within text"),
        ("x{{ images }}", "it is a list, which"),
        ("x{{ nothing }}", "it is null, which"),
        ("{{ run.number + 1 }}", "this is none of {{ name }}, {{ name.key }}"),
        ("{{ run() }}", "this is none of"),
        ("{{ run | upper }}", "this is none of"),
        ("{{ images[-1] }}", "this is none of"),
        ("{{ 'x' }}", "this is none of"),
        ("{{ }}", "this is none of"),
        ("{{ run", "there is no }} to it"),
        ("{{ {{ run }} }}", "there is no }} to it"),
        ("a{{ run.id }}b{{", "there is no }} to it"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named_with_what_is_known_there(text, words):
    with pytest.raises(InvalidReference) as refusal:
        resolve({"list": ["good", text]}, CONTEXT)
    assert words in str(refusal.value)
    assert refusal.value.place == ["list", 1]


def test_nothing_known_is_said():
    with pytest.raises(InvalidReference, match="nothing is known here"):
        resolve("{{ x }}", {})


def test_keys_stay_as_they_are():
    assert resolve({"{{ run.id }}": "{{ run.id }}"}, CONTEXT) == {"{{ run.id }}": "0012"}


@given(JSON)
def test_any_value_can_be_written(value):
    assert resolve(escape(value), {}) == value


@given(st.text() | st.text("\\{} a"))
def test_any_text_can_be_written(text):
    assert resolve(escape(text), {}) == text


@given(JSON)
def test_a_reference_alone_is_the_value_itself(value):
    assert resolve("{{ x.y[0] }}", {"x": {"y": [value]}}) is value


@given(st.text(), st.text(), st.text() | st.integers() | st.floats())
def test_within_text_a_value_is_its_text(before, after, value):
    assert resolve(f"{escape(before)} {{{{ x }}}} {escape(after)}", {"x": value}) == f"{before} {value} {after}"


@given(st.text("{}[].\"\\ ab0-'", max_size=40))
def test_no_text_does_more_than_lead_to_a_value_or_an_error(text):
    with contextlib.suppress(InvalidReference):
        assert isinstance(resolve(text, {"a": {"b": [1]}}), str | dict | list | int)


def test_what_comes_by_a_reference_is_no_text_to_be_resolved():
    assert resolve(["{{ x }}", "-{{ x }}"], {"x": "{{ y }}"}) == ["{{ y }}", "-{{ y }}"]


def doubling(one):
    """Names each of which is the one before twice, as a set of parameters builds them."""
    names, budget = {"a0": one}, Budget()
    for n in range(60):
        names[f"a{n + 1}"] = resolve(
            f"{{{{ a{n} }}}}{{{{ a{n} }}}}" if isinstance(one, str) else [f"{{{{ a{n} }}}}"] * 2, names, budget
        )


@pytest.mark.parametrize(("one", "words"), [("x", "too much text"), (["x"], "too many values")])
def test_a_billion_laughs_by_references_are_refused(one, words):
    begun = time.monotonic()
    with pytest.raises(InvalidReference, match=words):
        doubling(one)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("large", ["x" * 500_000, {"x" * 500_000: 1}], ids=["text", "key"])
def test_a_long_text_cannot_be_named_again_and_again(large):
    with pytest.raises(InvalidReference, match="too much text"):
        resolve(["{{ large }}"] * 20, {"large": large})


def test_levels_that_references_add_are_bounded():
    deep = 1
    for _ in range(99):
        deep = resolve(["{{ x }}"], {"x": deep})
    assert resolve(["{{ x }}"], {"x": deep}) == [deep]
    with pytest.raises(InvalidReference, match="more than 100 levels"):
        resolve([["{{ x }}"]], {"x": deep})


def test_a_value_within_itself_is_refused():
    knot = []
    knot.append(knot)
    for value in (knot, "{{ knot }}"):
        with pytest.raises(InvalidReference, match="more than 100 levels"):
            resolve(value, {"knot": knot})


def test_the_root_of_a_reference_is_its_name():
    assert [root_name(text) for text in ("{{ a.b }}", "{{a}}", "{{ 1 }}", "{{")] == ["a", "a", "", ""]


# In two turns


def test_references_to_what_is_known_later_stay_with_the_escapes():
    now = resolve(defer(r"{{ run }} of {{ job.id }} \{{ {{run}}", {"job"}), {"run": 7})
    assert now == r"7 of {{ job.id }} \{{ 7"
    assert resolve(now, {"job": {"id": "x"}}) == "7 of x {{ 7"


def test_a_reference_alone_keeps_its_type_in_both_turns():
    now = resolve(defer({"a": ["{{ run }}", "{{ job }}"]}, {"job"}), {"run": 7})
    assert now == {"a": [7, "{{ job }}"]}
    assert resolve(now, {"job": None}) == {"a": [7, None]}


@given(JSON)
def test_what_a_reference_led_to_is_never_taken_for_a_reference(value):
    now = resolve(defer("{{ x }}", {"job"}), {"x": escape(value)})
    assert resolve(now, {}) == value


@given(st.text() | st.text("\\{} a"))
def test_what_is_deferred_is_what_it_was(text):
    try:
        once = resolve(text, {"a": "A"})
    except InvalidReference:
        return
    assert resolve(resolve(defer(text, {"a"}), {}), {"a": "A"}) == once


@pytest.mark.parametrize("text", ["{{ job", "a {{ nowhere }}", "{{ job.id }}{{"])
def test_what_is_wrong_now_is_not_deferred(text):
    with pytest.raises(InvalidReference):
        resolve(defer(text, {"job"}), {})


def test_references_are_found_at_any_depth():
    value = {"{{ key }}": [r"\{{ no }}", ("{{ a.b }} {{ c",), {"d": "{{d}}"}], "n": 1}
    assert list(references_in(value)) == ["{{ a.b }}", "{{", "{{d}}"]
