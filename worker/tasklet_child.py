"""The process of one call of a tasklet, forked from a runner: whatever the tasklet does to it ends with it."""

import contextlib
import os
import resource
import sys
import traceback
from typing import Any, NoReturn

from pydantic_core import to_json

from ..tasklets import Tasklet, in_place, shown
from .error_text import error_text
from .strays import die_with_parent
from .sweep import ATTEMPT_COOKIE, WORKER_COOKIE
from .tasklet_call import TaskletEnd, TaskletRequest, TaskletSaid

__all__ = ["MOST_SAID", "run_child"]

#: The most bytes that a call may say of itself.
MOST_SAID = 8 * 1024 * 1024
#: What is found by them must stay so.
_COOKIES = frozenset({ATTEMPT_COOKIE, WORKER_COOKIE})
_MOST_VALUE = 1024 * 1024
_MOST_TEXT = 4000
_MOST_LINES = 20
#: Whose part in a traceback says nothing about the tasklet.
_OURS = frozenset({__name__, in_place.__module__, Tasklet.__module__})
#: What takes long to import and may be imported before a fork.
_LARGE = frozenset({"PIL", "h5py", "matplotlib", "numpy", "pandas", "scipy"})


def run_child(request: TaskletRequest, tasklet: Tasklet[..., Any], said: int, printed: int, parent: int) -> NoReturn:
    """Call the tasklet, say what came of it, and end without a look back.

    Args:
        request: what to call.
        tasklet: the tasklet.
        said: the file descriptor to say it on.
        printed: the file descriptor for what the tasklet prints.
        parent: the process that forked this one.
    """
    code = 1
    try:
        _enter(printed, parent)
        before = set(sys.modules)
        answer = _call(request, tasklet)
        imported = tuple(name for name in sys.modules if name not in before and name.partition(".")[0] in _LARGE)
        with contextlib.suppress(Exception):  # it may have closed or replaced them
            sys.stdout.flush()
            sys.stderr.flush()
        _say(said, answer.model_copy(update={"imported": imported}))
        code = 0
    finally:
        os._exit(code)


def _enter(printed: int, parent: int) -> None:
    os.setsid()
    die_with_parent(parent)
    for stream in (1, 2):
        os.dup2(printed, stream)
    os.close(printed)
    if "numpy.random" in sys.modules:  # or all would draw the same numbers; Python's own generator sees to itself
        sys.modules["numpy.random"].seed()


def _call(request: TaskletRequest, tasklet: Tasklet[..., Any]) -> TaskletSaid:
    try:
        if request.memory:
            resource.setrlimit(resource.RLIMIT_DATA, (request.memory, request.memory))
        os.chdir(request.directory)
        os.environ.update({name: value for name, value in request.environment.items() if name not in _COOKIES})
        value = in_place(tasklet, request.args, request.kwargs)
        parts = tuple(shown(value, request.folder))
        return TaskletSaid(ended=TaskletEnd.RETURNED, parts=parts, **_as_json(value))
    except SystemExit as error:
        return _exited(error)
    except BaseException as error:  # noqa: BLE001 - whatever it raises is its end
        return TaskletSaid(ended=TaskletEnd.RAISED, error=error_text(error)[:_MOST_TEXT], traceback=_last_lines(error))


def _exited(error: SystemExit) -> TaskletSaid:
    code = error.code if isinstance(error.code, int) else int(error.code is not None)
    text = f"ended by {error_text(error)} without returning"
    return TaskletSaid(ended=TaskletEnd.EXITED, error=text[:_MOST_TEXT], exit_code=code & 0xFF)


def _as_json(value: Any) -> dict[str, Any]:
    """Return a value fit for JSON, if it is that: paths, dates, sets, data classes and models are, numpy's numbers too."""
    try:
        encoded = to_json(value, inf_nan_mode="constants", fallback=_plain)
    except Exception:  # noqa: BLE001 - how a value fails to be JSON is its own affair
        return {}
    return {"value": value, "has_value": True} if len(encoded) <= _MOST_VALUE else {}


def _plain(value: Any) -> Any:
    """Return an array or a number of numpy's as Python's."""
    return value.tolist()


def _last_lines(error: BaseException) -> str:
    """Return the end of a traceback, from the tasklet's own code on."""
    try:
        trace = error.__traceback__
        while trace and trace.tb_next and trace.tb_frame.f_globals.get("__name__") in _OURS:
            trace = trace.tb_next
        lines = "".join(traceback.format_exception(type(error), error, trace)).splitlines()
    except Exception:  # noqa: BLE001 - `__str__` may be anybody's
        return ""
    return "\n".join(lines[-_MOST_LINES:])[-_MOST_TEXT:]


def _say(said: int, answer: TaskletSaid) -> None:
    text = _encoded(answer)
    if len(text) > MOST_SAID:
        error = f"what it returned takes {len(text)} bytes to be shown; {MOST_SAID} are the most: write it to a file"
        text = _encoded(TaskletSaid(ended=TaskletEnd.RAISED, error=error))
    while text:
        text = text[os.write(said, text) :]


def _encoded(answer: TaskletSaid) -> bytes:
    return to_json(answer, inf_nan_mode="constants", fallback=_plain)
