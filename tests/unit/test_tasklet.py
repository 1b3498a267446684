"""A tasklet is a plain function that is also a Celery task."""

import json
import pickle
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import numpy as np
import own_tasklets
import pytest
from celery import Celery, chain, group
from own_tasklets import add, count_lines, total, two_rows

import outrider
from outrider.config.errors import InvalidTasklet
from outrider.tasklets import Tasklet, celery_task_of, concat_files


@pytest.fixture
def celery_app():
    """An app that runs what it is sent at once, in this process."""
    app = Celery("mine", set_as_current=True)
    app.conf.update(task_always_eager=True, task_eager_propagates=True, broker_url="memory://")
    for tasklet in vars(own_tasklets).values():
        if isinstance(tasklet, Tasklet):
            app.register_task(celery_task_of(tasklet))
    yield app
    app.close()


def loaded_after(code: str, cwd: Path) -> set[str]:
    words = [sys.executable, "-c", f"{textwrap.dedent(code)}\nimport sys, json; print(json.dumps(list(sys.modules)))"]
    return set(json.loads(subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=True).stdout))


def test_a_tasklet_is_called_like_its_function():
    assert (add(1, 2), add(x=3)) == (3, 4)
    assert (add.__name__, add.__doc__) == ("add", "Add two numbers.")


def test_calling_one_needs_neither_celery_nor_redis_nor_numpy(tmp_path):
    (tmp_path / "a").write_text("1\n")
    (tmp_path / "b").write_text("2\n")
    loaded = loaded_after("from outrider.tasklets import concat_files\nconcat_files('a', 'b')", tmp_path)
    assert (tmp_path / "concatenated").read_text() == "1\n2\n"
    assert loaded & {"celery", "kombu", "redis", "numpy", "matplotlib", "pandas"} == set()


def test_its_name_is_the_functions_or_another():
    assert (add.name, add.time_limit) == ("add", None)
    assert (count_lines.name, count_lines.time_limit) == ("count-lines", timedelta(seconds=30))


def test_it_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(add)) is add
    assert pickle.loads(pickle.dumps(count_lines)) is count_lines
    assert pickle.loads(pickle.dumps(concat_files)) is concat_files


async def coroutine():
    """A function that nobody could run as a tasklet."""


@pytest.mark.parametrize("thing", [coroutine, len, int, "text"])
def test_only_a_plain_function_can_be_one(thing):
    with pytest.raises(TypeError, match="a tasklet is a plain function"):
        outrider.tasklet(name="thing")(thing)


@pytest.mark.parametrize("name", ["two words", "1st", "a/b", "<lambda>", "x" * 101])
def test_its_name_is_a_word(name):
    with pytest.raises(TypeError, match="cannot be a tasklet's name"):
        outrider.tasklet(name=name)(add.function)


@pytest.mark.parametrize("limit", ["soon", 0, "-1s", "0s"])
def test_its_time_limit_is_one(limit):
    with pytest.raises(TypeError, match="time limit"):
        outrider.tasklet(time_limit=limit)(add.function)


def test_its_signature_is_one_of_celery():
    signature = add.s(2).set(queue="web")
    assert (signature.task, signature.args, signature.kwargs) == ("outrider.tasklets.add", (2,), {})
    assert (signature.immutable, signature.options) == (False, {"queue": "web"})
    assert add.si(2, y=3).immutable


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: add.s(1, 2, 3), "too many positional arguments"),
        (lambda: add.s(z=1), "unexpected keyword argument 'z'"),
        (add.si, "missing a required argument: 'x'"),
    ],
)
def test_wrong_arguments_are_an_error_at_once(make, problem):
    with pytest.raises(TypeError, match=problem):
        make()


def test_what_is_no_json_is_an_error_at_once():
    with pytest.raises(TypeError, match=r"add: an argument is no JSON .*write it to a file"):
        add.s(object())


@outrider.tasklet
def kinds(path: Path, pair: list[float], limit: timedelta = timedelta(0), *more: int, odd: "Hidden" = 0, **others: int):  # noqa: F821
    return path, pair, limit, more, odd, others


def test_arguments_get_the_types_that_the_function_names():
    expected = (Path("log"), [1.0, 2.5], timedelta(seconds=2), (3, 4), "5", {"six": 6})
    assert kinds.run("log", "[1, 2.5]", "PT2S", "3", 4.0, odd="5", six="6") == expected
    assert kinds.run(pair=(1, "2"), path=Path("a"))[:2] == (Path("a"), (1, "2"))


def test_a_text_stays_text_for_who_wants_text():
    @outrider.tasklet
    def same(text: str, anything):
        return text, anything

    assert same.run("0012", "[1]") == ("0012", "[1]")


def test_what_is_no_json_is_handed_over_as_it_is():
    array = np.arange(3.0)
    assert total.run(array, scale="2") == 6.0
    assert kinds.run("a", array)[1] is array


def test_each_argument_that_does_not_fit_is_named():
    with pytest.raises(InvalidTasklet) as caught:
        kinds.run("a", ["x" * 100], "soon", 1, "two", six="six")
    first, *others = caught.value.problems
    assert first.startswith("pair=['xxx")
    assert "…: Input should be a valid number" in first
    assert [problem.partition(":")[0] for problem in others] == ["limit='soon'", "more='two'", "others='six'"]
    with pytest.raises(InvalidTasklet, match="'kinds': missing a required argument: 'pair'; it takes"):
        kinds.run("a")


def test_a_path_travels_as_text_and_arrives_as_a_path(celery_app, tmp_path):
    (tmp_path / "log").write_text("a\nb\n")
    signature = count_lines.s(tmp_path / "log")
    assert signature.args == (str(tmp_path / "log"),)
    assert signature.apply_async().get() == 2


def test_signatures_make_chains_and_groups(celery_app):
    assert chain(add.s(1), add.s(10), add.si(5)).apply_async().get() == 6
    assert (add.s(1) | add.s(10)).apply_async().get() == 12
    assert group(add.s(n) for n in range(3)).apply_async().get() == [1, 2, 3]


def test_a_tasks_result_is_json(celery_app):
    assert two_rows.s().apply_async().get() == {"columns": ["q", "counts"], "rows": [[0.1, 3], [0.2, 5]]}


def test_arguments_that_do_not_fit_are_named(celery_app):
    with pytest.raises(InvalidTasklet, match="wrong use of tasklet 'total': values='a': Input should be a valid list"):
        total.s("a").apply_async()


def test_a_worker_may_run_it_elsewhere():
    asked = []
    task = celery_task_of(add, lambda tasklet, args, kwargs, _: asked.append((tasklet, args, kwargs)) or "done")
    assert (task.run(1, y=2), asked) == ("done", [(add, (1,), {"y": 2})])


def test_our_app_has_the_tasklets_of_the_modules_it_is_given(tmp_path):
    (tmp_path / "mine.py").write_text("import outrider\n@outrider.tasklet\ndef peak(x):\n    return x\n")
    code = "from outrider import app; app.loader.import_default_modules(); print(*app.tasks)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(tmp_path),
            "OUTRIDER_TASKS": "mine",
            "OUTRIDER_BROKER_URL": "redis://h",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"outrider.tasklets.peak", "outrider.tasklets.plot"} <= set(done.stdout.split())


def test_a_name_alone_makes_no_tasklet():
    with pytest.raises(TypeError, match="a tasklet is a plain function"):
        outrider.tasklet("peaks")
