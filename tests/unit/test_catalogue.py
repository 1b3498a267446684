"""Tasks are found in modules; no list of them is kept anywhere."""

import sys
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from outrider import ThirdPartyTask, UnknownTask
from outrider.config.errors import CatalogueError
from outrider.tasks import Catalogue, catalogue, load_catalogue


class CountLines(ThirdPartyTask):
    executable: ClassVar[str] = "wc"


class CountWords(ThirdPartyTask):
    executable: ClassVar[str] = "wc"


SOURCE = """
from outrider import ThirdPartyTask
{imports}

class Shared(ThirdPartyTask):
    '''No executable: a base of others.'''

class {name}(Shared):
    executable = "true"

class {name}Again({name}):
    pass
"""


@pytest.fixture
def task_module(tmp_path, monkeypatch):
    """Write a module and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    written: list[str] = []

    def write(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_our_library_is_there_without_being_asked_for():
    assert {"convert_cif", "validate_cif"} <= set(load_catalogue([]))


def test_p1_tasks_of_a_named_module_are_found_and_only_its_own_runnable_ones(task_module):
    task_module("imported_tasks", SOURCE.format(name="Imported", imports=""))
    mine = task_module("my_first_tasks", SOURCE.format(name="Mine", imports="from imported_tasks import Imported"))
    assert set(load_catalogue([mine])) - set(load_catalogue([])) == {"mine", "mine_again"}


def test_p1_entry_points_bring_in_tasks_of_other_packages(task_module, monkeypatch):
    point = EntryPoint("theirs", task_module("their_tasks", SOURCE.format(name="Theirs", imports="")), "outrider.tasks")
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [point] if group == point.group else [])
    assert "theirs" in load_catalogue([])
    assert "theirs" in load_catalogue(["their_tasks"])  # named twice, there once


def test_the_catalogue_is_a_sorted_mapping():
    tasks = Catalogue([CountWords, CountLines])
    assert list(tasks) == ["count_lines", "count_words"]
    assert len(tasks) == 2
    assert tasks["count_lines"] is CountLines
    assert "count_lines" in tasks
    assert "count_pages" not in tasks
    assert tasks.get("count_lines") is CountLines


def test_asking_for_what_may_be_missing_gives_the_default():
    assert Catalogue([CountLines]).get("count_pages") is None


def test_j2_an_unknown_task_is_an_error_with_the_names_that_come_close():
    with pytest.raises(UnknownTask) as refusal:
        Catalogue([CountWords, CountLines])["count_line"]
    assert str(refusal.value) == "no task is called 'count_line'; did you mean 'count_lines'?"


def test_an_unknown_task_that_resembles_nothing_says_where_to_look():
    with pytest.raises(UnknownTask, match="outrider tasks"):
        Catalogue([CountLines])["zzz"]


def test_two_tasks_of_one_name_are_an_error_naming_both():
    class Other(CountLines):
        name: ClassVar[str] = "count_lines"

    with pytest.raises(CatalogueError, match=r"'count_lines'.*CountLines and .*Other"):
        Catalogue([CountLines, Other])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "ModuleNotFoundError.*; modules are looked for in the working directory and on PYTHONPATH$"),
        ("import no_such_part", "No module named 'no_such_part'$"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def", "SyntaxError"),
        (
            "from outrider import ThirdPartyTask\nclass Bad(ThirdPartyTask):\n    executable = 'x'\n    field: int",
            r"Bad\.field",
        ),
    ],
    ids=["there is none", "what it imports is missing", "it raises", "it is no Python", "it describes a task wrongly"],
)
def test_a_module_that_cannot_be_imported_is_an_error_naming_it(task_module, source, words):
    name = task_module("broken_tasks", source) if source else "no_such_tasks"
    with pytest.raises(CatalogueError, match=f"'{name}'.*{words}"):
        load_catalogue([name])


LOST = """
import outrider

def _double(x: int) -> int:
    return 2 * x

double = {double}

def make():
    class Made(outrider.Task):
        def run(self):
            return 1
    return Made

made = {made}

class Shown(outrider.Task):
    class Within(outrider.Task):
        def run(self):
            return 1

    def run(self):
        return 1

again = Shown
within = Shown.Within
"""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"double": "outrider.task(_double)"}, r"lost_tasks\.double is called '_double'"),
        ({"made": "make()"}, r"lost_tasks\.made is called 'make\.<locals>\.Made'"),
    ],
    ids=["a function under another name", "a class made in a function"],
)
def test_a_task_that_its_process_would_not_find_is_an_error_that_says_what_to_do(task_module, changes, words):
    name = task_module("lost_tasks", LOST.format(**({"double": "None", "made": "None"} | changes)))
    with pytest.raises(CatalogueError, match=f"{words}.*define it at the top of the module"):
        load_catalogue([name])


def test_a_task_that_its_process_finds_may_have_more_names(task_module):
    name = task_module("found_tasks", LOST.format(double="None", made="None"))
    assert {"shown", "within"} <= set(load_catalogue([name]))
