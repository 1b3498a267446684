"""How much a child may have under way in memory files, which no socket's buffer bounds."""

import contextlib
import os
import select
import socket

__all__ = ["Credit"]

#: Of large frames together; a single one may be larger.
_MOST_UNDER_WAY = 64 * 1024 * 1024
_EVENTFD = "anon_inode:[eventfd]"


class Credit:
    """A counter in the kernel that both ends hold: the Executor adds what it has taken, the child waits for it."""

    def __init__(self, descriptor: int) -> None:
        """Take over the descriptor of an eventfd."""
        self.descriptor = descriptor
        self._under_way = 0

    @classmethod
    def create(cls) -> "Credit":
        """Return the child's end."""
        return cls(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))

    @classmethod
    def received(cls, descriptor: int) -> "Credit | None":
        """Return the Executor's end; `None` when the descriptor is no eventfd: anything else might make us wait."""
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{descriptor}") == _EVENTFD:
                os.set_blocking(descriptor, False)
                return cls(descriptor)
        return None

    def spend(self, size: int, connection: socket.socket) -> None:
        """Wait until so much may be sent.

        Raises:
            BrokenPipeError: when the other end of the connection is closed meanwhile.
        """
        while self._under_way and self._under_way + size > _MOST_UNDER_WAY:
            self._wait(connection)
            with contextlib.suppress(BlockingIOError):
                self._under_way -= os.eventfd_read(self.descriptor)
        self._under_way += size

    def give_back(self, size: int) -> None:
        """Take note that so much was taken."""
        if self.descriptor >= 0:
            with contextlib.suppress(BlockingIOError):  # the count is full: it is not our child that counts
                os.eventfd_write(self.descriptor, size)

    def close(self) -> None:
        """Let go of the counter."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _wait(self, connection: socket.socket) -> None:
        waiting = select.poll()
        waiting.register(self.descriptor, select.POLLIN)
        waiting.register(connection, 0)  # its end is always told
        for descriptor, _ in waiting.poll():
            if descriptor == connection.fileno():
                raise BrokenPipeError("the Executor has closed the connection")
