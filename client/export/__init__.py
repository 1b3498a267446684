"""Hand a job on as a folder that reproduces its run."""

from .exporting import Exported, export_job

__all__ = ["Exported", "export_job"]
