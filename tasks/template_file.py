"""The text of a template that lies in a file."""

from pathlib import Path

__all__ = ["template_text"]

_MOST_BYTES = 2**20


def template_text(path: Path) -> str:
    """Return what a template's file holds.

    Raises:
        ValueError: when it is missing, too large or no UTF-8 text.
    """
    try:
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path} is larger than {_MOST_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
