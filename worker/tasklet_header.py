"""What a tasklet that is sent to a queue says of its job, beside Celery's own headers."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HEADER", "TaskletHeader"]

#: The header's name.
HEADER = "outrider_tasklet"


class TaskletHeader(BaseModel):
    """Whoever runs a tasklet with this header answers with a `TaskletAnswer`; without it, with the tasklet's value."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")
    #: Where the job works; used if it is there, and among this worker's jobs as well.
    directory: Path
    folder: Path
    time_limit: timedelta | None = Field(default=None, gt=timedelta(0))
