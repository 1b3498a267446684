"""Real programs, one file each."""

from .gemmi import ConvertCif, ValidateCif
from .pyfai import IntegrateImages, Pattern

__all__ = ["ConvertCif", "IntegrateImages", "Pattern", "ValidateCif"]
