"""A program that we do not own, described as one class."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from .argv import build_argv
from .buffering import Buffering, check_buffering
from .description import TaskDescription
from .program_run import ProgramRun
from .progress import ProgressDescription, check_progress
from .working_directory import check_working_directory

__all__ = ["ThirdPartyTask"]


class ThirdPartyTask(TaskDescription):
    """What to run, as data: class variables describe the program, fields are its typed parameters.

    >>> from typing import Annotated
    >>> from outrider import Flag, Positional
    >>> class CountLines(ThirdPartyTask):
    ...     executable = "wc"
    ...     lines: Annotated[bool, Flag("-l")] = True
    ...     file: Annotated[Path, Positional()]
    ...
    ...     def read_result(self, run: ProgramRun) -> int:
    ...         return int(run.stdout.split()[0])
    >>> CountLines(file="notes.txt").argv()
    ('wc', '-l', 'notes.txt')
    """

    _fields_have_places: ClassVar[bool] = True

    #: The program: a name to be found on PATH, or a path.
    executable: ClassVar[str]
    #: Words between the executable and its options, such as the name of a sub-command.
    subcommand: ClassVar[tuple[str, ...]] = ()
    #: How progress is seen: a regular expression with a group `percent`, or `done` and `total`, or one of three other ways.
    progress: ClassVar[ProgressDescription] = None
    #: What keeps the program from holding its output back: nothing, `line` (stdbuf) or `terminal`.
    buffering: ClassVar[Buffering] = "program"
    #: Arguments that make the program print its version; empty: it is not asked.
    version_arguments: ClassVar[tuple[str, ...]] = ()
    #: The file that describes the program; `None`: a Python module does.
    described_in: ClassVar[Path | None] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **words: Any) -> None:
        """Check the description of the program as well."""
        super().__pydantic_init_subclass__(**words)
        check_progress(cls.__name__, cls.progress, cls.task_fields())
        check_buffering(cls.__name__, cls.buffering, cls.task_fields())
        check_working_directory(
            cls.__name__,
            cls.task_fields(),
            makes_files=bool(cls.templates) or cls.input_files is not TaskDescription.input_files,
        )

    def read_result(self, run: ProgramRun) -> Any:
        """Return the job's result, from what the program left; override it with a return type of your own.

        It runs in the worker, after a program that ended with exit code 0 and left its declared outputs. The type may be
        anything that pydantic can write as JSON; arrays arrive as arrays, of any size. A figure arrives as a `StoredFile`
        and any other object as an `Opaque`. Without an override the result is the `ProgramRun`.
        """
        return run

    def argv(self) -> tuple[str, ...]:
        """Return the executable and its arguments, one word each."""
        return build_argv(self)

    @classmethod
    def is_complete(cls) -> bool:
        """Whether the class names a program."""
        return hasattr(cls, "executable")

    @classmethod
    def _result_maker(cls) -> Callable[..., Any]:
        return ProgramRun if cls.read_result.__module__ == __name__ else cls.read_result  # ours, unless overridden
