"""A value that is too large, or not fit, to travel in a message: where it is kept, and how to tell that it is the one."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Reference"]


class Reference(BaseModel):
    """A file in the artefact store."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: Relative to the store's root, with `/` between the parts; it never leads out.
    key: str
    #: Bytes.
    size: int = Field(ge=0)
    #: Of the content, in hex.
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str = "application/octet-stream"
