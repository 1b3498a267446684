"""Secrets as a folder of files, one each, as Kubernetes, Docker and systemd mount them."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from ..config import open_regular
from ..config.errors import CannotRun

__all__ = ["read_secrets"]

#: Bytes; the kernel takes variables of up to 128 KiB.
_LARGEST = 64 * 1024


def read_secrets(names: Mapping[str, str], folder: Path | None) -> dict[str, str]:
    """Return the values of secrets by variable. Blocks; for a thread.

    Args:
        names: the secrets' names by variable.
        folder: where they are; `None`: this worker has none.

    Raises:
        CannotRun: naming the secret, never its value, and what is wrong.
    """
    return {variable: _read(name, folder) for variable, name in names.items()}


def _read(name: str, folder: Path | None) -> str:
    if folder is None:
        raise CannotRun("environment", f"there is no secret {name!r}: this worker has no folder OUTRIDER_SECRETS")
    try:
        content = _content(name, folder)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotRun("environment", f"cannot read the secret {name!r} in OUTRIDER_SECRETS={folder}: {why}") from None
    return os.fsdecode(content)


def _content(name: str, folder: Path) -> bytes:
    place = (folder / name).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ValueError("it is a link that leads out of the folder")
    with open_regular(place) as file:
        facts = os.fstat(file.fileno())
        if is_careless(facts.st_mode, facts.st_uid, os.geteuid()):
            raise ValueError(f"others may read it (mode {stat.S_IMODE(facts.st_mode):o}): chmod it to 600")
        content = file.read(_LARGEST + 1).removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise ValueError("it is empty")
    if len(content) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} bytes")
    if b"\0" in content:
        raise ValueError("it holds a NUL byte, and no variable can")
    return content


def is_careless(mode: int, owner: int, user: int) -> bool:
    """Say whether somebody let others at a secret of his own. What a mount or root has put there is their business."""
    return owner == user != 0 and bool(mode & 0o077)
