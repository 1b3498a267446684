"""Files in memory that travel by descriptor: written once, sealed, and mapped by whoever receives them."""

import fcntl
import mmap
import os
import stat

from .framing import FrameError

__all__ = ["create_memory_file", "map_memory_file", "seal_memory_file", "write_at"]

#: With these nobody can take bytes away under a mapping (the reader would die of SIGBUS) or change what was checked.
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
#: Smaller ones are copied: a mapping keeps a file descriptor for as long as anything refers to it.
_WORTH_MAPPING = 1024 * 1024


def create_memory_file() -> int:
    """Return the descriptor of a new, empty file in memory."""
    return os.memfd_create("outrider-payload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def write_at(descriptor: int, data: memoryview, offset: int) -> None:
    """Write all of the bytes at a place; the file's own position, which travels with it, stays at 0."""
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def seal_memory_file(descriptor: int) -> None:
    """Make sure that nobody changes the file any more."""
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS | fcntl.F_SEAL_SEAL)


def check_memory_file(descriptor: int, size: int) -> None:
    """Look at what has come as a file in memory.

    Raises:
        FrameError: when it is something else, can still change, or has another size than was said.
    """
    facts = os.fstat(descriptor)
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError as error:
        raise FrameError("the descriptor is not that of a memory file") from error
    if not stat.S_ISREG(facts.st_mode) or seals & _SEALS != _SEALS:
        raise FrameError("the memory file is not sealed")
    if facts.st_size != size:
        raise FrameError(f"the memory file has {facts.st_size} bytes; the header says {size}")


def map_memory_file(descriptor: int, size: int) -> memoryview:
    """Return the bytes of a file that was checked, writable. A large one is mapped and not copied.

    The mapping is private: a page that is written to is copied then, and only then. A shared one would need a file that
    others can still write, and children that are forked later would share what they change.
    """
    if size >= _WORTH_MAPPING:
        return memoryview(mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE))
    data = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        filled += os.preadv(descriptor, [data[filled:]], filled)
    return data
