"""Programs that are described in a YAML file, without Python."""

from .described_files import described_files, is_file_source, load_program

__all__ = ["described_files", "is_file_source", "load_program"]
