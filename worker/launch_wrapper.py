"""What stands before a program's own words because its worker's operator wants it so: mpirun, srun, a container."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from ..config import filled, placeholders_in, split_words
from ..config.errors import CannotRun

__all__ = ["LaunchWrapper", "LaunchWrappers"]

_PROGRAM = frozenset({"executable", "program"})


@dataclass(frozen=True)
class LaunchWrapper:
    """Words that start a program; without any, it is started by itself."""

    words: tuple[str, ...] = ()

    @property
    def finds_program(self) -> bool:
        """Whether it looks for the program itself, such as inside of a container: this worker need not have it."""
        return any("executable" in placeholders_in(word) for word in self.words)

    def around(self, program: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
        """Return all words up to the program's arguments.

        Args:
            program: the program, behind the words that make it print in time if there are such.
            values: what the placeholders stand for.

        Raises:
            CannotRun: when those words find no place.
        """
        every = {**values, "program": program[-1], "executable": program[-1]}
        words: list[str] = []
        for word in self.words:
            is_program = bool(placeholders_in(word) & _PROGRAM)
            if is_program and len(program) > 1:
                words += _in_place(word, program)
            else:
                words.append(filled(word, every))
        places_program = any(placeholders_in(word) & _PROGRAM for word in self.words)
        return tuple(words) if places_program else (*words, *program)


class LaunchWrappers:
    """The wrappers of a worker, by patterns of task names."""

    def __init__(self, texts: Mapping[str, str] = MappingProxyType({})) -> None:
        """Take them as the setting has them: names and patterns as in file names, with words as a shell would take them."""
        self._wrappers = {pattern: LaunchWrapper(split_words(text)) for pattern, text in texts.items()}

    def of(self, task: str) -> LaunchWrapper:
        """Return a task's wrapper: that of its name, else of the first pattern that fits, else of `*`."""
        patterns = [pattern for pattern in self._wrappers if pattern != "*" and fnmatchcase(task, pattern)]
        for pattern in (task, *patterns, "*"):
            if pattern in self._wrappers:
                return self._wrappers[pattern]
        return LaunchWrapper()


def _in_place(word: str, program: tuple[str, ...]) -> tuple[str, ...]:
    """Return the program with words of its own before it, in place of a word that stands for it."""
    if word not in ("{program}", "{executable}"):
        raise CannotRun(
            "environment", f"buffering = 'line' finds no place in {word!r} of OUTRIDER_LAUNCH; quote less of it"
        )
    return program
