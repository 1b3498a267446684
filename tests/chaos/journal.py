"""What a producer writes down about its jobs."""

from chaos_tasks import Digest
from pydantic import BaseModel, ConfigDict

__all__ = ["Entry"]


class Entry(BaseModel):
    """What a producer got for one job: a result, or an error."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    task: Digest
    result: str | None = None
    error: str = ""
    #: Whether its cancellation was asked for.
    cancelled: bool = False
    #: How often the submission failed before it was accepted.
    failed_submits: int = 0

    @property
    def is_wrong(self) -> bool:
        """Whether a result came that is not the right one."""
        return self.result is not None and self.result != self.task.right_result()
