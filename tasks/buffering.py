"""How a program is made to print in time."""

from typing import Literal, get_args

from .arguments import Stdout
from .fields import TaskField

__all__ = ["Buffering", "check_buffering"]

#: What keeps a program from holding its output back when that is no terminal. `program`: nothing, it behaves well or has an
#: option of its own. `line`: the C library is told to write each line (by `stdbuf`; for programs that are linked with it
#: dynamically and use its streams). `terminal`: standard output is a pseudo-terminal.
Buffering = Literal["program", "line", "terminal"]


def check_buffering(where: str, buffering: Buffering, fields: tuple[TaskField, ...]) -> None:
    """Make sure that a class's way of buffering is one.

    Raises:
        TypeError: naming the class and what is wrong.
    """
    if buffering not in get_args(Buffering):
        raise TypeError(f"{where}: buffering {buffering!r} is none of {', '.join(get_args(Buffering))}")
    taken = [field.name for field in fields if isinstance(field.place, Stdout)]
    if buffering == "terminal" and taken:
        raise TypeError(f"{where}: standard output goes to the file {taken[0]}, so it is no terminal")
