"""A plain function as a task: its parameters are the task's, whatever they are called."""

from pathlib import Path
from typing import Annotated

import pytest
from own_tasks import greet

import outrider
from outrider import InvalidParameters, Output


def test_a_parameter_may_be_called_as_what_each_task_has(attempt):
    task = greet.s("Bob", limits=["a"])
    assert greet("Bob") == "Bob! False 1 None"
    assert task.run() == "Bob! False 1 ['a']"
    assert (task.name, task.version, type(task.limits)) == ("greet", "1", outrider.Limits)
    assert attempt(task).run().result == "Bob! False 1 ['a']"


def test_its_parameters_have_the_functions_names_everywhere():
    parameters = {"name": "Bob", "log": True, "version": 2, "_mark": "?", "limits": None}
    task = greet.task.from_parameters(parameters)
    assert task.parameters() == parameters
    assert set(greet.task.model_json_schema()["properties"]) == set(parameters)
    assert [field.parameter for field in greet.task.task_fields()] == list(parameters)
    with pytest.raises(InvalidParameters, match="name: is required"):
        greet.task.from_parameters({})


def test_what_is_wrong_with_a_value_is_told_with_the_parameters_name():
    @outrider.task
    def makes(log: Annotated[Path, Output()]) -> None:
        log.touch()

    with pytest.raises(InvalidParameters, match=r" log='\.\./out': name an output"):
        makes.task.from_parameters({"log": "../out"})


def test_a_task_of_a_function_needs_a_type_for_each_parameter():
    with pytest.raises(TypeError, match=r"untyped: say the type of the parameter 'left'"):

        @outrider.task
        def untyped(left, right: int):
            return left + right


def test_a_parameter_without_a_name_for_others_is_an_error():
    with pytest.raises(TypeError, match=r"nameless: a task's parameters have names; take 'left' from before the /"):

        @outrider.task
        def nameless(left: int, /, right: int) -> int:
            return left + right
