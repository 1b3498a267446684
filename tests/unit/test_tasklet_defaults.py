"""The tasklets that a task class brings along."""

from typing import ClassVar

import pytest
from little_tasklets import add, nothing, same

from outrider import Task, TaskletCall, ThirdPartyTask


class Sleeps(ThirdPartyTask):
    executable: ClassVar[str] = "sleep"
    before: ClassVar = [same.s(1) | add.s(b=2), "nothing --optional"]
    after: ClassVar = (TaskletCall.of(nothing, when="always"),)


def test_they_are_calls_whatever_they_were_written_as():
    assert [call.tasklet for call in Sleeps.before] == ["same", "add", "nothing"]
    assert Sleeps.before[1] == TaskletCall(tasklet="add", kwargs={"b": 2})
    assert not Sleeps.before[2].required
    assert Sleeps.after == (TaskletCall(tasklet="nothing", when="always"),)


def test_a_class_without_any_has_those_of_its_base():
    class Longer(Sleeps):
        after: ClassVar = nothing

    assert Longer.before is Sleeps.before
    assert Longer.after == (TaskletCall(tasklet="nothing"),)


def test_a_first_party_task_has_them_too():
    class Own(Task):
        before: ClassVar = {"add": [1, 2]}

        def run(self) -> int:
            return 1

    assert Own.before == (TaskletCall(tasklet="add", args=(1, 2)),)


def test_what_is_no_tasklet_is_an_error_that_names_the_class():
    with pytest.raises(TypeError, match=r"Wrong\.after: wrong use of tasklet .*give a signature"):

        class Wrong(ThirdPartyTask):
            executable: ClassVar[str] = "true"
            after: ClassVar = [3]
