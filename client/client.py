"""What a producer's process shares between its jobs, and how jobs are submitted and found."""

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from ..communicators import ArtifactStore, Bounds, JobRecord, RedisClient, commands
from ..config import Settings, ledger_url
from ..tasklets import AskedFor, Tasklets
from ..tasks import Catalogue, JobDescription, load_job
from .export import Exported, export_job
from .has_result import HasResult
from .job import Job
from .job_filter import States, job_filter
from .listing import find_id, newest_jobs
from .planning import plan_again
from .preparer import Preparer
from .records import FoundRecord, find_record
from .rerun import task_again
from .submission import Submission
from .submit_options import SubmitOptions

__all__ = ["Client"]

R_co = TypeVar("R_co", covariant=True)


class Client:
    """Submits and finds jobs."""

    def __init__(self, settings: Settings) -> None:
        """Remember where to ask; nothing is connected yet."""
        self._settings = settings
        #: Knows what can be asked for.
        self.preparer = Preparer(settings)
        self.bounds = Bounds(settings.stream_length, settings.retention)
        #: Where the directories of this project's jobs are, if it is not another machine that has them.
        self.jobs_directory = settings.jobs_directory
        self.connect_seconds = settings.connect_timeout.total_seconds()
        #: Where results wait that are no JSON or too large for the ledger.
        self.store = ArtifactStore(settings.artifact_store_url)
        self.inline_limit = int(settings.inline_limit)

    @functools.cached_property
    def redis(self) -> RedisClient:
        """The ledger's Redis; with none configured, the embedded one is started now."""
        return RedisClient(ledger_url(self._settings), self._settings.connect_timeout)

    @functools.cached_property
    def submission(self) -> Submission:
        """How jobs get into the ledger and the queue."""
        return Submission(self._settings, self.redis, self.bounds)

    @property
    def catalogue(self) -> Catalogue:
        """The tasks that this process knows."""
        return self.preparer.catalogue

    @property
    def tasklets(self) -> Tasklets:
        """The tasklets that this process knows."""
        return self.preparer.tasklets

    def submit(
        self,
        task: HasResult[R_co] | JobDescription | str,
        parameters: Mapping[str, Any] | None = None,
        options: SubmitOptions | None = None,
    ) -> Job[R_co]:
        """Hand over a task, and return its job at once. `outrider.submit` is the same with its options spelled out.

        Raises:
            UnknownTask, InvalidParameters, InvalidFile, UnknownTasklet, InvalidTasklet: before anything is recorded.
            IdempotencyKeyReused: when the key belongs to a job with another task or other parameters.
            QueueFull: when as many jobs wait as the settings allow, also after the time that the options give.
            BrokerUnavailable: when Redis does not answer within the settings' `connect_timeout`, or refuses us.
        """
        options = options or SubmitOptions()
        prepared, spec = self.preparer.asked_for(task, parameters, options)
        return Job(self, self.submission.hand_over(spec, options), prepared.result_adapter())

    def load_job(self, path: Path | str) -> JobDescription:
        """Read a job file, and check it against the tasks that this process knows.

        Raises:
            InvalidFile: naming each problem with its line.
        """
        return load_job(path, self.catalogue, self.tasklets)

    def submit_many(self, tasks: Iterable[HasResult[R_co]]) -> list[Job[R_co]]:
        """Hand over many tasks; all records are opened in one round trip.

        Raises:
            SubmitError: when not all were accepted; those before the first refused one are enqueued, and the error has
                their ids as a note.
        """
        asked = [self.preparer.asked_for(task, None, SubmitOptions()) for task in tasks]
        self.submission.hand_over_many([spec for _, spec in asked])
        return [Job(self, spec.id, task.result_adapter()) for task, spec in asked]

    def job(self, job_id: str) -> Job[Any]:
        """Return the job with this id, whoever submitted it.

        Raises:
            JobNotFound: when no record has the id.
        """
        return self._job_of(self.redis.run(commands.read_record(job_id)))

    def find(self, word: str) -> Job[Any]:
        """Return the job whose id is this word, or alone begins with it: four characters at least, among the newest jobs.

        Raises:
            JobNotFound: when there is none.
            AmbiguousJob: when there are several.
        """
        return self.job(find_id(self.redis, word))

    def record(self, word: str) -> FoundRecord:
        """Return the record of a job by its id or the beginning of it, also when only its directory knows it any more.

        Raises:
            JobNotFound: when there is none.
            AmbiguousJob: when there are several.
            RecordDamaged: when the one in the directory makes no sense.
        """
        return find_record(self.redis, self.jobs_directory, word)

    def jobs(
        self,
        limit: int = 50,
        *,
        state: States | None = None,
        task: str | None = None,
        since: datetime | timedelta | None = None,
        until: datetime | timedelta | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> list[JobRecord]:
        """Return the records of the jobs submitted last, newest first, and only those that are like this.

        Args:
            limit: how many at the most.
            state: a state, or several of them; `open` and `closed` stand for groups.
            task: the name of the task.
            since: submitted then or later: a moment, or how long ago. A moment without a time zone is local time.
            until: submitted before then.
            parameters: values that these parameters have; a list has a value also when it holds it.

        Raises:
            ValueError: when there is no such state.
        """
        now, values = self.redis.server_time_ms(), {name: (value,) for name, value in (parameters or {}).items()}
        wanted = job_filter(now, state=state, task=task, since=since, until=until, parameters=values)
        return newest_jobs(self.redis, wanted, limit)

    def rerun(
        self,
        record: JobRecord,
        changes: Mapping[str, Any] | None = None,
        queue: str | None = None,
        *,
        before: AskedFor = (),
        after: AskedFor = (),
        without: str | Iterable[str] = (),
    ) -> Job[Any]:
        """Submit again what a record says, with some parameters changed. `Job.rerun` says it all.

        Args:
            record: of the job.
            changes: parameters in place of the recorded ones.
            queue: in place of the recorded one.
            before: tasklets behind the recorded ones.
            after: likewise.
            without: names of recorded tasklets that are left out; `all` stands for every one.
        """
        described: Any = task_again(self.catalogue, record, changes or {})
        options = SubmitOptions(
            limits=record.spec.limits,
            retry=record.spec.retry,
            queue=queue or record.spec.queue or None,
            before=before,
            after=after,
            without=without,
        )
        prepared = self.preparer.prepared(described)
        plan = self.preparer.checked(plan_again(record, options), prepared)
        spec = self.preparer.spec(prepared, plan, options, rerun_of=record.id)
        return Job(self, self.submission.hand_over(spec, options), prepared.result_adapter())

    def export(self, record: JobRecord, destination: Path | None = None, *, with_inputs: bool = True) -> Exported:
        """Write a folder or an archive that reproduces a closed job's run elsewhere. See `export_job`."""
        return export_job(record, self.catalogue, self._settings, destination, with_inputs=with_inputs)

    def _job_of(self, record: JobRecord) -> Job[Any]:
        known = record.spec.task in self.catalogue
        return Job(self, record.id, self.catalogue[record.spec.task].result_adapter() if known else None)
