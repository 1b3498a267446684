"""YAML as it should be read: strict, bounded, and with the line of each value."""

from .document import Document, Place, read_document
from .problems import validation_problems

__all__ = ["Document", "Place", "read_document", "validation_problems"]
