"""How a task's fields become words on a command line: the markers that go into `Annotated`."""

from dataclasses import dataclass

__all__ = ["Flag", "NotAnArgument", "Output", "PassThrough", "Positional", "Stdin", "Stdout", "WorkingDirectory"]


@dataclass(frozen=True)
class Flag:
    """An option. `None` and empty lists are left out; an empty string is kept.

    ============================================  ==============================
    `Flag()` on `max_iter: int`                   `--max-iter 3`
    `Flag("-t")`                                  `-t 3`
    `Flag("-resolution")`                         `-resolution 3`
    `Flag("--dmin", joined="=")`                  `--dmin=3`
    `Flag("-n", joined="")`                       `-n3`
    `Flag("-i")` on a list                        `-i a b`
    `Flag("-i", repeat=True)` on a list           `-i a -i b`
    `Flag("-i", separator=",")` on a list         `-i a,b`
    `Flag("--fast")` on a bool                    `--fast`, or nothing
    `Flag("--fast", negative="--no-fast")`        `--fast` or `--no-fast`
    ============================================  ==============================
    """

    #: The option's name with its dashes; default: `--` and the field's name with dashes for underscores.
    name: str | None = None
    #: What stands between name and value when they are one word; `None`: they are two.
    joined: str | None = None
    #: The word for `False`.
    negative: str | None = None
    #: What stands between the items of a list when they are one word.
    separator: str | None = None
    #: Whether each item of a list gets the name again.
    repeat: bool = False


@dataclass(frozen=True)
class Positional:
    """A word, or a list of words, without a name. Positionals follow all options, in the order of their fields."""


@dataclass(frozen=True)
class PassThrough:
    """A list of words for the end of the command line, after `--`; nothing when it is empty."""


@dataclass(frozen=True)
class Stdin:
    """A file that the program reads as its standard input; else that is empty."""


@dataclass(frozen=True)
class Stdout:
    """A file that takes the program's standard output in place of the job's log."""


@dataclass(frozen=True)
class Output:
    """A file that the program must leave; beside another marker or alone.

    Named relative to the job's directory, it ends up there. Named from the root, it is moved to that place, which must lie
    in one of the worker's `OUTRIDER_OUTPUT_ROOTS`; until then the program writes it under another name.
    """

    #: Whether the file may have no bytes.
    allow_empty: bool = False
    #: Whether the job succeeds without the file.
    optional: bool = False


@dataclass(frozen=True)
class WorkingDirectory:
    """A folder that the program is started in, in place of one of the job's own. It lies in `OUTRIDER_OUTPUT_ROOTS`."""


@dataclass(frozen=True)
class NotAnArgument:
    """A parameter that is not a word on the command line; the task uses it elsewhere."""
