"""Values that are no JSON, or too large, on their way across Redis: packed, or kept in the artefact store."""

from .artifact_store import ArtifactStore
from .packed_tag import described
from .packing import pack
from .plain import NotPlain, as_plain
from .reference import Reference
from .stored_file import Opaque, StoredFile
from .texts import with_texts
from .unpacking import unpack

__all__ = [
    "ArtifactStore",
    "NotPlain",
    "Opaque",
    "Reference",
    "StoredFile",
    "as_plain",
    "described",
    "pack",
    "unpack",
    "with_texts",
]
