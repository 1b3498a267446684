"""YAML as it should be read: strict, bounded, and with the line of each value."""

from .document import Document, Place, read_document
from .problems import did_you_mean, validation_problems

__all__ = ["Document", "Place", "did_you_mean", "read_document", "validation_problems"]
