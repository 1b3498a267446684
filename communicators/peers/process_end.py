"""Whether a process is on its way out."""

from pathlib import Path

__all__ = ["is_ending"]

#: `PF_EXITING` of linux/sched.h: set before a process that ends closes its files, however it ends.
_EXITING = 0x4
#: Places among the fields of `/proc/PID/stat` (proc(5)) behind the command's name, which may hold anything.
_STATE, _FLAGS = 0, 6


def is_ending(pid: int) -> bool:
    """Return whether a process ends now, or has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:  # it was collected already
        return True
    return fields[_STATE] in (b"Z", b"X") or bool(int(fields[_FLAGS]) & _EXITING)
