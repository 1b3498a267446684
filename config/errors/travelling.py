"""What keeps values from travelling."""

from .root import OutriderError

__all__ = ["ArtifactDamaged", "ArtifactError", "ArtifactUnavailable", "CannotPack", "CannotUnpack"]


class ArtifactError(OutriderError):
    """The root of what the artefact store raises."""


class ArtifactUnavailable(ArtifactError):
    """An artefact cannot be written or read; the store may be another than the one that was meant."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, why)
        self.key = key
        self.why = why

    def __str__(self) -> str:
        return (
            f"the artefact {self.key!r} is out of reach: {self.why}; producers and workers need the same "
            "OUTRIDER_ARTIFACT_URL or, without one, the same OUTRIDER_WORK_ROOT on a file system that they share"
        )


class ArtifactDamaged(ArtifactError):
    """An artefact, or the reference to it, is not what was stored."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, why)
        self.key = key
        self.why = why

    def __str__(self) -> str:
        return f"the artefact {self.key!r} is not what was stored: {self.why}"


class CannotPack(OutriderError):
    """A value cannot be made fit to travel between processes."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(kind, why)
        self.kind = kind
        self.why = why

    def __str__(self) -> str:
        return f"a value of type {self.kind} cannot be sent: {self.why}"


class CannotUnpack(OutriderError):
    """A packed value is damaged, or was packed by a newer version."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"a packed value makes no sense: {self.why}; was it written by a newer version of Outrider?"
