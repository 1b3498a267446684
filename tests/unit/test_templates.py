"""Files rendered from templates: wrong ones are found when the class is written, wrong values before the program starts."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar

import pytest
from attempts import Shell
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from outrider import NotAnArgument, Output, Positional, Task, ThirdPartyTask
from outrider.config.errors import CannotRun
from outrider.tasks.templates import FileTemplate


def render(text: str, **values: Any) -> str:
    return FileTemplate("Example", "example.conf", text).render(values)


def define(templates: Any, **fields: Any) -> type[ThirdPartyTask]:
    """Define a task with these templates and, if it needs any, fields."""
    body = {"templates": templates, "executable": "true", "__module__": __name__, "__annotations__": fields}
    return type(ThirdPartyTask)("Example", (ThirdPartyTask,), body)


class Mode(Enum):
    FAST = "fast"


class Fit(ThirdPartyTask):
    executable: ClassVar[str] = "true"
    templates: ClassVar[dict[str, str | Path]] = {
        "run/fit.conf": "mode {{ mode }}\n{% for peak in peaks %}\n  peak {{ '%.2f' % peak }}\n{% endfor %}\nname {{ name }}\n"
    }

    mode: Annotated[Mode, NotAnArgument()] = Mode.FAST
    peaks: Annotated[list[float], NotAnArgument()] = [1, 2.345]
    name_: Annotated[str, NotAnArgument(), Field(alias="name")] = "{{ mode }} {% if"


def test_p5_a_template_becomes_a_file_with_the_parameters_in_it():
    """They have their outside names, and are values, never templates themselves."""
    assert Fit().input_files() == {"run/fit.conf": "mode fast\n  peak 1.00\n  peak 2.35\nname {{ mode }} {% if\n"}


def test_the_same_parameters_give_the_same_text():
    assert Fit().input_files() == Fit.from_parameters(Fit().parameters()).input_files()
    with pytest.raises(TypeError, match="No filter named 'random'"):
        define({"a": "{{ [1, 2]|random }}"})


def test_who_overrides_input_files_may_add_to_the_templates():
    class More(Fit):
        def input_files(self) -> dict[str, str]:
            return {**super().input_files(), "more.conf": "more\n"}

    assert sorted(More().input_files()) == ["more.conf", "run/fit.conf"]


def test_first_party_tasks_have_templates_too():
    class Greet(Task):
        templates: ClassVar[dict[str, str | Path]] = {"hello": "Hello {{ who }}"}
        who: str

        def run(self) -> None: ...

    assert Greet(who="Bob").input_files() == {"hello": "Hello Bob"}


# --- what is wrong with the class

WRONG = [
    ("{{ a", "line 1: unexpected end of template"),
    ("fine\n{% if a %}\n", "line 2: Unexpected end of template"),
    ("\n{{ a|nothing }}", "line 2: No filter named 'nothing'"),
    ("\n\n{{ geometri }}", "line 3: no parameter is called 'geometri'; did you mean 'geometry'"),
    ("{% for x in y %}{{ x }}{% endfor %}", "line 1: no parameter is called 'y'; there are geometry"),
    ("{% include 'other' %}", "line 1: include: a template stands alone"),
    ("{% from 'other' import it %}", "line 1: fromimport: a template stands alone"),
    ("{{ outrider_budget }}", "no parameter is called 'outrider_budget'"),
    (b"bytes", r"is b'bytes'; give its text, or the Path"),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_p5_a_wrong_template_is_an_error_when_the_class_is_defined(text, words):
    with pytest.raises(TypeError, match=rf"Example: template 'example.conf'.*{words}"):
        define({"example.conf": text}, geometry=Annotated[Path, NotAnArgument()])


def test_a_base_of_other_tasks_may_leave_parameters_to_them():
    class Base(ThirdPartyTask):
        templates: ClassVar[dict[str, str | Path]] = {"a": "{{ level }}"}

    class Complete(Base):
        executable: ClassVar[str] = "true"
        level: Annotated[int, NotAnArgument()] = 3

    assert Complete().input_files() == {"a": "3"}
    with pytest.raises(TypeError, match="Lacks: template 'a', line 1: no parameter is called 'level'"):
        type(Base)("Lacks", (Base,), {"executable": "true", "__module__": __name__})


@pytest.mark.parametrize("name", ["", ".", "/etc/passwd", "..", "../up", "a/../../up", "a\0b", 3], ids=repr)
def test_s2_a_file_has_a_name_in_the_working_directory(name):
    with pytest.raises(TypeError, match=r"Example: template .*is called by a file's name in the working directory"):
        define({name: "text"})


@pytest.fixture
def module(tmp_path) -> Iterator[ModuleType]:
    """A module in a folder of its own, that tasks may be said to come from."""
    (tmp_path / "package").mkdir()
    file = tmp_path / "package" / "described.py"
    file.write_text("")
    spec = importlib.util.spec_from_file_location("described", file)
    found = importlib.util.module_from_spec(spec)
    sys.modules["described"] = found
    yield found
    del sys.modules["described"]


def define_beside(source: Path) -> type[ThirdPartyTask]:
    body = {"templates": {"a": source}, "executable": "true", "__module__": "described", "__annotations__": {}}
    return type(ThirdPartyTask)("Example", (ThirdPartyTask,), body)


def test_a_template_may_be_a_file_beside_the_module(module, tmp_path):
    (tmp_path / "package" / "sub").mkdir()
    (tmp_path / "package" / "sub" / "a.j2").write_text("é {{ 1 + 1 }}\n\n", encoding="utf-8")
    (tmp_path / "package" / "link.j2").symlink_to("sub/a.j2")
    for name in ("sub/a.j2", "link.j2"):
        assert define_beside(Path(name))().input_files() == {"a": "é 2\n\n"}


def test_a_subclass_elsewhere_finds_the_template_beside_its_base(module, tmp_path):
    (tmp_path / "package" / "a.j2").write_text("text")
    base = define_beside(Path("a.j2"))
    assert type(base)("Derived", (base,), {"__module__": __name__})().input_files() == {"a": "text"}


def test_s2_a_template_lies_beside_its_module_and_links_do_not_lead_out(module, tmp_path):
    package = tmp_path / "package"
    (tmp_path / "secret").write_text("secret")
    (package / "link").symlink_to(tmp_path / "secret")
    (package / "folder").symlink_to(tmp_path)
    for name in ("link", "folder/secret", "../secret", str(tmp_path / "secret")):
        with pytest.raises(TypeError, match=rf"Example: template 'a': {name} leads to {tmp_path}/secret, out of"):
            define_beside(Path(name))


def test_a_template_file_that_cannot_be_one_is_an_error(module, tmp_path):
    package = tmp_path / "package"
    (package / "huge").write_bytes(b" " * (2**20 + 1))
    (package / "binary").write_bytes(b"\xff")
    os.mkfifo(package / "pipe")
    for name, words in (
        ("missing", "no file"),
        ("pipe", "no file"),
        ("huge", "larger than"),
        ("binary", "cannot be read"),
    ):
        with pytest.raises(TypeError, match=rf"Example: template 'a': .*{words}"):
            define_beside(Path(name))


def test_jinja_is_imported_only_for_who_has_templates():
    code = (
        "import sys; from outrider import ThirdPartyTask\n"
        "class A(ThirdPartyTask):\n  executable = 'true'\n"
        "assert 'jinja2' not in sys.modules\n"
        "class B(A):\n  templates = {'a': 'b'}\n"
        "assert 'jinja2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- what is wrong with the values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fine\n{{ a.b }}", "line 2: 'int object' has no attribute 'b'"),
        ("\n\n{{ a|join }}", "line 3: TypeError: 'int' object is not iterable"),
        ("{{ 1 / (a - a) }}", "line 1: ZeroDivisionError: division by zero"),
        ("{% macro m(x) %}\n{{ x.y }}\n{% endmacro %}\n{{ m(a) }}", "line 2: 'int object' has no attribute 'y'"),
        ("{{ a.__class__ }}", "line 1: access to attribute '__class__' of 'int' object is unsafe"),
    ],
)
def test_p5_a_value_that_has_not_what_is_asked_for_is_refused_with_the_line(text, words):
    with pytest.raises(CannotRun, match=f"^Example: template 'example.conf', {words}") as refusal:
        render(text, a=1)
    assert refusal.value.reason == "validation"


def test_p5_the_job_fails_before_its_program_starts(attempt):
    class Configured(Shell):
        templates: ClassVar[dict[str, str | Path]] = {"a.conf": "x\n{{ table.missing }}"}
        table: Annotated[dict[str, int], NotAnArgument()] = {}

    job = attempt(Configured(script="true"))
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit) == ("failed", "validation", None)
    assert "template 'a.conf', line 2: 'dict object' has no attribute 'missing'" in outcome.error
    assert job.record.run is None


BLOWN_UP = [
    ("{% for a in range(n) %}x{% endfor %}", 10**12),
    ("{% for a in items %}{% for b in items %}{% endfor %}{% endfor %}", 1000),
    ("{% for a in items %}{% for b in items if false %}{% endfor %}{% endfor %}", 1000),
    ("{% macro m(i) %}{{ m(i) }}{{ m(i) }}{% endmacro %}{{ m(1) }}", 1),
    ("{{ 'x' * n }}", 10**12),
    ("{{ n * [1] }}", 10**12),
    ("{{ n ** n }}", 10**9),
    ("{{ 'x'.ljust(n) }}", 10**12),
    ("{{ 'x'.zfill(n) }}", 10**12),
    ("{{ 'x'|center(n) }}", 10**12),
    ("{{ 'a\nb'|indent(n) }}", 10**12),
    ("{{ items|slice(n)|list }}", 10**9),
    ("{{ 1.5|round(n, 'floor') }}", 10**9),
    ("{{ '%*d' % (n, 1) }}", 10**9),
    ("{{ '%*d'|format(n, 1) }}", 10**9),
    ("{{ '{:{}}'.format(1, n) }}", 10**9),
    ("{{ ('{:' ~ n ~ '}').format(1) }}", 10**9),
    ("{{ items|tojson(n) }}", 10**9),
    ("{% for a in items %}{{ long }}{% endfor %}", 1000),
    ("{% set all %}{% for a in items %}{{ long }}{% endfor %}{% endset %}{{ all|length }}", 1000),
]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("text", "n"), BLOWN_UP, ids=[row[0] for row in BLOWN_UP])
def test_s2_no_parameter_makes_a_template_hang_or_fill_the_memory(text, n):
    with pytest.raises(CannotRun, match=r"template 'example\.conf'"):
        render(text, n=n, items=list(range(min(n, 1000))), long="x" * 100_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ '%-6s|%04d' % ('ab', 7) }}", "ab    |0007"),
        ("{{ '%(a)s' % {'a': 1} }}", "1"),
        ("{{ '%.3f'|format(2) }}", "2.000"),
        ("{{ '{:>5}'.format('a') }}", "    a"),
        ("{{ 'a'.rjust(3) ~ '-' * 3 ~ 2 ** 10 }}", "  a---1024"),
        ("{% for x in 'abc' %}{{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{% endfor %}", "1/3,2/3,3/3"),
        ("{% for k, v in {'b': 1}|dictsort %}{{ k }}={{ v }}{% else %}none{% endfor %}", "b=1"),
        ("{{ path.name }} {{ path.with_suffix('.log') }} {{ path }}", "c.txt /b/c.log /b/c.txt"),
        ("a\n", "a\n"),
        ("<>&'", "<>&'"),
    ],
)
def test_what_authors_write_works(text, expected):
    assert render(text, path=Path("/b/c.txt")) == expected


@pytest.mark.parametrize("call", ["read_text()", "unlink()", "exists()", "iterdir()", "write_text('x')", "cwd()"])
def test_s2_a_template_looks_at_no_file(tmp_path, call):
    (tmp_path / "a").write_text("secret")
    with pytest.raises(CannotRun, match="is unsafe"):
        render("{{ path." + call + " }}", path=tmp_path / "a")
    assert (tmp_path / "a").read_text() == "secret"


def test_a_template_does_not_change_the_task():
    with pytest.raises(CannotRun, match="unsafe"):
        render("{{ items.append(1) }}", items=[])


# --- tojson


class Inner(BaseModel):
    exact: Decimal
    where: Path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Path("/a b"), '"/a b"'),
        (Mode.FAST, '"fast"'),
        (Decimal("0.1"), "0.1"),
        (Decimal(3), "3"),
        (datetime(2024, 5, 6, 7, 8, tzinfo=UTC), '"2024-05-06T07:08:00Z"'),
        (date(2024, 5, 6), '"2024-05-06"'),
        (timedelta(minutes=1.5), "90.0"),
        ("<b>&'é\"", '"<b>&\'é\\""'),
        ({"b": None, "a": [True]}, '{"b": null, "a": [true]}'),
        ({"y", "x"}, '["x", "y"]'),
        (Inner(exact=Decimal("1.5"), where=Path("w")), '{"exact": 1.5, "where": "w"}'),
    ],
)
def test_tojson_knows_what_parameters_are(value, text):
    assert render("{{ it|tojson }}", it=value) == text


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), object()],
    ids=lambda value: repr(value).partition(" object at")[0],
)
def test_tojson_refuses_what_json_cannot_say(value):
    with pytest.raises(CannotRun, match=r"template 'example\.conf', line 1: "):
        render("{{ it|tojson }}", it=value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(values)
def test_whatever_the_value_what_tojson_writes_is_read_back_as_it_was(value):
    assert json.loads(render('{"it": {{ it|tojson(2) }}}', it=value)) == {"it": value}


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_text_is_never_rendered(text):
    value = "{{ 7 * 7 }}{% raw %}" + text
    assert render("[{{ it }}]", it=value) == f"[{value}]"


class Reports(ThirdPartyTask):
    executable: ClassVar[str] = "true"
    templates: ClassVar[dict[str, str | Path]] = {"a.conf": "write {{ made }}"}
    made: Annotated[Path, Output(), Positional()]


def test_a_template_names_an_output_as_its_program_must_call_it():
    staged = Reports(made="/data/x.h5").with_staged_outputs(Path("/jobs/1/work"))
    assert staged.input_files() == {"a.conf": "write outputs/made/x.h5"}
    assert staged.argv() == ("true", "outputs/made/x.h5")
