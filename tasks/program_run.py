"""What a finished program left, as a task's `read_result` sees it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["ProgramRun"]


class ProgramRun(BaseModel):
    """A program that ended well: its directory, its logs and its declared outputs by field name."""

    model_config = ConfigDict(frozen=True)

    directory: Path
    exit_code: int
    outputs: dict[str, Path]
    stdout_path: Path
    stderr_path: Path

    @property
    def stdout(self) -> str:
        """All that the program wrote to standard output; bytes that are no UTF-8 are replaced."""
        return self.stdout_path.read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        """All that the program wrote to standard error; bytes that are no UTF-8 are replaced."""
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")
