"""Real programs, one file each."""

from .gemmi import ConvertCif, ValidateCif

__all__ = ["ConvertCif", "ValidateCif"]
