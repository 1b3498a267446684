"""The process of one call of a tasklet, forked from a runner: whatever the tasklet does to it ends with it."""

import contextlib
import os
import resource
import socket
import sys
import traceback
from typing import Any, NoReturn

from pydantic_core import to_json

from ..tasklets import Tasklet, Tasklets, shown
from .error_text import error_text
from .strays import die_with_parent
from .sweep import ATTEMPT_COOKIE, WORKER_COOKIE
from .tasklet_call import TaskletEnd, TaskletRequest, TaskletSaid
from .tasklet_frames import receive_frame

__all__ = ["MOST_SAID", "is_large", "run_child"]

#: The most bytes that a call may say of itself.
MOST_SAID = 8 * 1024 * 1024
#: What is found by them must stay so.
_COOKIES = frozenset({ATTEMPT_COOKIE, WORKER_COOKIE})
_MOST_VALUE = 1024 * 1024
_MOST_TEXT = 4000
_MOST_LINES = 20
#: Whose part in a traceback says nothing about the tasklet.
_OURS = frozenset({__name__, Tasklet.__module__})
#: What takes long to import and may be imported before a fork.
_LARGE = frozenset({"PIL", "h5py", "matplotlib", "numpy", "pandas", "scipy"})


def is_large(module: str) -> bool:
    """Whether a module belongs to a library that is better imported before a fork."""
    return module.partition(".")[0] in _LARGE


def run_child(tasklets: Tasklets, talk: socket.socket, printed: int, runner: int) -> NoReturn:
    """Wait for a call, make it, say what came of it, and end without a look back.

    Args:
        tasklets: what may be called.
        talk: where the call comes from, and what came of it goes.
        printed: the file descriptor for what the tasklet prints.
        runner: the process that forked this one.
    """
    code = 1
    try:
        _enter(printed, runner)
        if (frame := receive_frame(talk)) is not None:
            _say(talk, _carry_out(TaskletRequest.model_validate_json(frame), tasklets))
        code = 0
    finally:
        os._exit(code)


def _enter(printed: int, runner: int) -> None:
    os.setsid()
    die_with_parent(runner)
    for stream in (1, 2):
        os.dup2(printed, stream)
    os.close(printed)
    if "numpy.random" in sys.modules:  # or all would draw the same numbers; Python's own generator sees to itself
        sys.modules["numpy.random"].seed()


def _carry_out(request: TaskletRequest, tasklets: Tasklets) -> TaskletSaid:
    before = set(sys.modules)
    said = _call(request, tasklets)
    with contextlib.suppress(Exception):  # it may have closed or replaced them
        sys.stdout.flush()
        sys.stderr.flush()
    imported = tuple(name for name in sys.modules if name not in before and is_large(name))
    return said.model_copy(update={"imported": imported})


def _call(request: TaskletRequest, tasklets: Tasklets) -> TaskletSaid:
    try:
        if request.memory:
            resource.setrlimit(resource.RLIMIT_DATA, (request.memory, request.memory))
        os.chdir(request.directory)
        os.environ.update({name: value for name, value in request.environment.items() if name not in _COOKIES})
        value = tasklets[request.name].run(*request.args, **request.kwargs)
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


def _say(talk: socket.socket, said: TaskletSaid) -> None:
    text = _encoded(said)
    if len(text) > MOST_SAID:
        error = f"what it returned takes {len(text)} bytes to be shown; {MOST_SAID} are the most: write it to a file"
        text = _encoded(TaskletSaid(ended=TaskletEnd.RAISED, error=error))
    talk.sendall(text)


def _encoded(said: TaskletSaid) -> bytes:
    return to_json(said, inf_nan_mode="constants", fallback=_plain)
