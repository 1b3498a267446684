"""Real programs, one file each."""

from .bwa import BwaIndex, BwaMem, GenomeIndex, MappedReads
from .gemmi import ConvertCif, ValidateCif
from .pyfai import IntegrateImages, Pattern
from .samtools import AlignmentStatistics, ReadCounts, SamtoolsFlagstat, SamtoolsIndex, SamtoolsSort
from .source_extractor import ExtractSources, SourceList
from .vina import BindingMode, Docking, DockLigand

__all__ = [
    "AlignmentStatistics",
    "BindingMode",
    "BwaIndex",
    "BwaMem",
    "ConvertCif",
    "DockLigand",
    "Docking",
    "ExtractSources",
    "GenomeIndex",
    "IntegrateImages",
    "MappedReads",
    "Pattern",
    "ReadCounts",
    "SamtoolsFlagstat",
    "SamtoolsIndex",
    "SamtoolsSort",
    "SourceList",
    "ValidateCif",
]
