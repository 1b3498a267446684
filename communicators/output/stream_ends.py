"""What a program's stream goes through: a pipe, or a terminal for a program that would hold its output back."""

import os
import termios
import tty

from ...config.errors import CannotRun

__all__ = ["open_pipe", "open_terminal"]

#: Rows and columns. Wide: a program may cut or fold its lines to fit.
_WINDOW = (24, 200)


def open_pipe() -> tuple[int, int]:
    """Return the end to read from and the program's end."""
    return os.pipe()


def open_terminal() -> tuple[int, int]:
    """Return the end to read from and the program's end of a pseudo-terminal that leaves every byte as it is.

    It is nobody's controlling terminal (`openpty` opens it with O_NOCTTY), so it sends no signals. Once the program's end
    is closed everywhere, what is left can be read, and then reading raises EIO.

    Raises:
        CannotRun: when the system has none left.
    """
    try:
        reader, writer = os.openpty()
    except OSError as error:
        raise CannotRun(
            "environment",
            f"there is no pseudo-terminal for the program: {error.strerror}; see /proc/sys/kernel/pty/max",
        ) from error
    try:
        tty.setraw(writer)  # no echo, and no carriage return before each line end
        termios.tcsetwinsize(writer, _WINDOW)
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    return reader, writer
