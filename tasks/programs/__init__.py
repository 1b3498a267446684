"""Programs that are described in a YAML file, without Python."""

from .described_files import described_files, is_path, load_program

__all__ = ["described_files", "is_path", "load_program"]
