"""Names in the artefact store. A reference comes from Redis and may be anybody's word: no key leads out of the store."""

import os
import re

from ...config.errors import ArtifactDamaged

__all__ = ["check_key", "inside", "plain_word"]

#: Nothing that a file system, a shell, a glob or a URL gives a meaning of its own.
_PART = re.compile(r"[^\x00-\x1f\x7f\\/:?#%*\[\]{}]+")
_LONGEST_WORD = 80


def plain_word(name: str) -> str:
    """Return a name of letters, digits, dots, dashes and underscores, as like the given one as may be."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-_LONGEST_WORD:].strip(".-") or "artifact"


def check_key(key: str) -> str:
    """Return the key if it is a relative path of ordinary names with `/` between them.

    Raises:
        ArtifactDamaged: for anything else.
    """
    for part in key.split("/"):
        if part in ("", ".", "..") or not _PART.fullmatch(part):
            raise ArtifactDamaged(key, "no artefact can have this name")
    return key


def inside(root: str, key: str) -> str:
    """Return the real path of a key in a local folder, links followed.

    Raises:
        ArtifactDamaged: when a link leads out of the folder.
    """
    real_root = os.path.realpath(root)
    path = os.path.realpath(os.path.join(real_root, key))
    if os.path.commonpath([real_root, path]) != real_root or path == real_root:
        raise ArtifactDamaged(key, "a link leads out of the store")
    return path
