"""The variables that modules and shell scripts leave, taken from a bash that has run them."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..communicators import Exit, PipeCommunicator
from ..config.errors import CannotRun
from .launch import Launch, find_program
from .program import Program
from .shell_steps import ShellSteps
from .shell_words import step_at, variables_for_shell, variables_left, words_for_shell

__all__ = ["captured_variables"]

#: Bytes that scripts may print; no more of them than that is a use.
_MOST_PRINTED = 16 * 2**20
#: Bytes of variables; the kernel takes less for a program.
_MOST_VARIABLES = 16 * 2**20
#: Lines of what was printed last that an error quotes.
_QUOTED = 10
#: How long to wait for what was printed last, while somebody who was left behind holds the pipe.
_DRAIN_SECONDS = 0.2
#: Scripts number the descriptors of their own from 3 on, and bash from 10.
_FIRST_DESCRIPTOR = 100
#: What a shell says of a program that the kernel did not take, as with too many variables.
_NOT_STARTED = "126"


async def captured_variables(
    steps: ShellSteps, inherited: Mapping[str, str], directory: Path, log: Path
) -> dict[str, str]:
    """Return what the steps make of inherited variables, those that bash has for itself as they were.

    When this is cancelled, the shell and its group are killed. Who fled from the group is left to a sweep.

    Args:
        steps: what the shell does.
        inherited: the variables it starts with.
        directory: its working directory.
        log: takes all that is printed.

    Raises:
        CannotRun: when a step fails, prints too much, or leaves more than a program can be started with.
    """
    path = inherited.get("PATH", os.defpath)
    bash, env = find_program("bash", path), find_program("env", path)
    with _memory_file() as report, _memory_file() as variables:
        words = (bash, *words_for_shell(steps, env, report, variables))
        launch = Launch(words, bash, directory, variables_for_shell(inherited))
        ended, said = await _carry_out(launch, log, (report, variables))
        _check(steps, ended, *step_at(_content(report)), said)
        return variables_left(_content(variables), inherited)


async def _carry_out(launch: Launch, log: Path, descriptors: tuple[int, ...]) -> tuple[Exit, tuple[str, ...]]:
    """Return how the shell ended, and the last lines that it printed."""
    pipe = PipeCommunicator({"stderr": log})
    await pipe.open()
    try:
        end = pipe.write_ends["stderr"]
        program = Program.start(launch, end, end, descriptors)
        pipe.hand_over()
        try:
            listening = asyncio.create_task(_listen(pipe, log, program))
            ended = await program.wait()
            await pipe.wait_drained(_DRAIN_SECONDS)
            await pipe.close()
            await listening
        finally:
            program.kill()
    finally:
        await pipe.close()
    if too_much := _too_much(log):
        raise CannotRun("environment", f"the environment's scripts {too_much}; see {log}")
    return ended, pipe.last_lines("stderr")[-_QUOTED:]


async def _listen(pipe: PipeCommunicator, log: Path, program: Program) -> None:
    """Read what is printed, and kill who prints too much."""
    while await pipe.read() is not None:
        if _too_much(log):
            program.kill()


def _too_much(log: Path) -> str:
    """Return a phrase that says why nothing more may be printed, an empty one if it may."""
    try:
        return f"printed more than {_MOST_PRINTED} bytes" if log.stat().st_size > _MOST_PRINTED else ""
    except FileNotFoundError:  # it may still grow, where nobody sees it
        return "removed the file of what they print"


def _check(steps: ShellSteps, ended: Exit, step: int, status: str | None, said: tuple[str, ...]) -> None:
    """Make sure that all was done.

    Raises:
        CannotRun: naming the step that failed, with its words.
    """
    is_last = step == len(steps.names)
    if is_last and status == "0":
        return
    how = {"nothing": "loaded nothing", None: _how(ended)}.get(status, f"failed with exit code {status}")
    if steps.modules and step == 0 and status is not None:
        how = "defines no `module`; OUTRIDER_MODULES_INIT may name another"
    what = f"{steps.names[step]} {how}" if not is_last else "the environment's variables cannot be read"
    if is_last and status == _NOT_STARTED:
        what = "the environment's scripts set more than a program can be started with"
    raise CannotRun("environment", "\n".join((what, *(f"  | {line}" for line in said))))


def _how(ended: Exit) -> str:
    return f"was killed by {ended.signal}" if ended.signal else f"ended the shell with exit code {ended.exit_code}"


@contextlib.contextmanager
def _memory_file() -> Iterator[int]:
    """Yield the descriptor of a file that is nowhere: whoever inherits it holds up nobody."""
    low = os.memfd_create("outrider", os.MFD_CLOEXEC)
    try:
        descriptor = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
    finally:
        os.close(low)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, _MOST_VARIABLES, 0)
