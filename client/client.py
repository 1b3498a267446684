"""What a producer's process shares between its jobs, and how jobs are submitted and found."""

import functools
import getpass
import json
import socket
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import PydanticSerializationError

from ..communicators import ArtifactStore, Bounds, Command, JobRecord, JobSpec, JobState, RedisClient, commands
from ..config import Settings, broker_url, ledger_url, shown
from ..config.errors import (
    BrokerUnavailable,
    IdempotencyKeyReused,
    InvalidParameters,
    QueueFull,
    SubmitError,
    SubmittedAtImport,
)
from ..tasklets import AskedFor, TaskletPlan, Tasklets, load_tasklets
from ..tasks import (
    Catalogue,
    FunctionTask,
    JobDescription,
    TaskDescription,
    load_catalogue,
    load_job,
    module_being_loaded,
)
from .export import Exported, export_job
from .has_result import HasResult
from .job import Job
from .job_filter import States, job_filter
from .listing import find_id, newest_jobs
from .planning import plan_again, plan_of
from .publisher import Publisher
from .records import FoundRecord, find_record
from .rerun import task_again
from .submit_options import SubmitOptions

__all__ = ["Client"]

#: Between two tries to get a place in a full queue.
_FULL_PAUSE_SECONDS = 0.05

R_co = TypeVar("R_co", covariant=True)


class Client:
    """Submits and finds jobs."""

    def __init__(self, settings: Settings) -> None:
        """Remember where to ask; nothing is connected yet."""
        self._settings = settings
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
    def _publisher(self) -> Publisher:
        return Publisher(broker_url(self._settings), self.redis, self.bounds, self.connect_seconds)

    @functools.cached_property
    def catalogue(self) -> Catalogue:
        """The tasks that this process knows."""
        return load_catalogue(self._settings.tasks, self._settings.project)

    @functools.cached_property
    def tasklets(self) -> Tasklets:
        """The tasklets that this process knows."""
        return load_tasklets(self._settings.tasks)

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
        job = task if isinstance(task, JobDescription) else None
        prepared = self._prepare(task, dict(parameters or {}))
        plan = self.plan(prepared, options, job)
        options = options.completed_by(job) if job else options
        return self._hand_over(_with_tasklets(self._spec(prepared, options), plan), prepared, options)

    def plan(self, task: TaskDescription, options: SubmitOptions, job: JobDescription | None = None) -> TaskletPlan:
        """Return the tasklets that a task would be submitted with, or the job of a file.

        Raises:
            UnknownTasklet, InvalidTasklet: when one cannot be called so, or there is none to leave out.
        """
        return self._checked(plan_of(task, job, options), task)

    def _hand_over(self, spec: JobSpec, prepared: TaskDescription, options: SubmitOptions) -> Job[Any]:
        job_id = self._open(spec, options)
        if job_id == spec.id:
            self._publisher.publish(spec, options.idempotency_key)
        else:
            self._find_again(spec, job_id, options.idempotency_key or "")
        return Job(self, job_id, prepared.result_adapter())

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
        prepared = [self._prepare(task, {}) for task in tasks]
        none = SubmitOptions()
        specs = [_with_tasklets(self._spec(task, none), self.plan(task, none)) for task in prepared]
        answers = self.redis.run_many([self._opening(spec, None) for spec in specs])
        accepted: list[Job[R_co]] = []
        try:
            for task, spec, answer in zip(prepared, specs, answers, strict=True):
                if isinstance(answer, Exception):
                    raise answer  # noqa: TRY301 - handled with what publishing raises
                self._publisher.publish(spec)
                accepted.append(Job(self, spec.id, task.result_adapter()))
        except Exception as problem:
            for spec in specs[len(accepted) :]:
                self._publisher.withdraw(spec, problem)
            url = shown(self.redis.url)
            error = problem if isinstance(problem, SubmitError) else BrokerUnavailable(url, str(problem))
            error.add_note(f"enqueued before that: {[job.id for job in accepted]}")
            raise error from problem
        return accepted

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
        prepared = self._prepare(described, {})
        plan = self._checked(plan_again(record, options), prepared)
        spec = _with_tasklets(self._spec(prepared, options), plan).model_copy(update={"rerun_of": record.id})
        return self._hand_over(spec, prepared, options)

    def export(self, record: JobRecord, destination: Path | None = None, *, with_inputs: bool = True) -> Exported:
        """Write a folder or an archive that reproduces a closed job's run elsewhere. See `export_job`."""
        return export_job(record, self.catalogue, self._settings, destination, with_inputs=with_inputs)

    def _job_of(self, record: JobRecord) -> Job[Any]:
        known = record.spec.task in self.catalogue
        return Job(self, record.id, self.catalogue[record.spec.task].result_adapter() if known else None)

    def _described(self, task: HasResult[Any] | JobDescription | str, parameters: dict[str, Any]) -> Any:
        if isinstance(task, str):
            return self.catalogue[task].from_parameters(parameters)
        if isinstance(task, JobDescription):
            return task.task_from(self.catalogue, parameters)
        if parameters:
            raise TypeError(f"parameters go into the task: {type(task).__name__}({', '.join(parameters)}=...)")
        return task

    def _prepare(self, task: HasResult[Any] | JobDescription | str, parameters: dict[str, Any]) -> TaskDescription:
        if (module := module_being_loaded()) is not None:
            raise SubmittedAtImport(module)
        described = self._described(task, parameters)
        if not isinstance(described, TaskDescription):
            raise TypeError(f"submit takes a task, or the name of one, not {_instead(task)}")
        if not described.is_complete():
            raise TypeError(
                f"{type(described).__name__} says not what to run: a Task has run(), a program an executable"
            )
        prepared = described.with_absolute_inputs(Path.cwd())
        try:
            json.loads(prepared.model_dump_json())
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            raise InvalidParameters(prepared.name, [f"they cannot be sent as JSON: {error}"]) from error
        return prepared

    def _checked(self, plan: TaskletPlan, task: TaskDescription) -> TaskletPlan:
        if plan.tasklets:
            plan.check(self.tasklets, {field.parameter for field in task.task_fields()})
        return plan

    def _spec(self, task: TaskDescription, options: SubmitOptions) -> JobSpec:
        return JobSpec(
            id=str(uuid.uuid4()),
            task=task.name,
            version=task.version,
            parameters=task.parameters(),
            queue=options.queue or self._settings.queue,
            limits=options.limits or task.limits,
            retry=options.retry or task.retry,
            exclusive=task.exclusive,
            submitted_by=_who(),
        )

    def _open(self, spec: JobSpec, options: SubmitOptions) -> str:
        """Open the record; while the queue is full, again and again for as long as the options say."""
        give_up = time.monotonic() + (options.timeout or 0.0)
        while True:
            try:
                return self._open_once(spec, options.idempotency_key)
            except QueueFull:
                over = options.timeout is not None and time.monotonic() >= give_up
                if not options.block or over:
                    raise
                time.sleep(_FULL_PAUSE_SECONDS)

    def _open_once(self, spec: JobSpec, idempotency_key: str | None) -> str:
        """Open the record. Asking twice is asking once: the first answer may be lost, or our idea of the time old."""
        try:
            return self.redis.run(self._opening(spec, idempotency_key))
        except (BrokerUnavailable, TimeoutError):
            self.redis.forget_server_time()
        try:
            return self.redis.run(self._opening(spec, idempotency_key))
        except TimeoutError as error:
            raise BrokerUnavailable(shown(self.redis.url), str(error)) from error

    def _find_again(self, spec: JobSpec, job_id: str, key: str) -> None:
        """Make sure that the key's job is the one that is asked for, and that it is in the queue if it waits."""
        first = self.redis.run(commands.read_record(job_id))
        if (first.spec.task, first.spec.parameters) != (spec.task, spec.parameters):
            raise IdempotencyKeyReused(key, job_id, first.spec.task)
        if first.state is JobState.QUEUED:  # its producer may have died before it sent the message; a second is dropped
            self._publisher.publish(first.spec, key)

    def _opening(self, spec: JobSpec, idempotency_key: str | None) -> Command[str]:
        deadline = self.redis.server_time_ms() + int(self.connect_seconds * 1000)
        return commands.open_job(
            spec,
            self.bounds,
            deadline_ms=deadline,
            max_queued=self._settings.max_queued,
            idempotency_key=idempotency_key,
        )


def _with_tasklets(spec: JobSpec, plan: TaskletPlan) -> JobSpec:
    return spec.model_copy(update={"before": plan.before, "after": plan.after})


def _instead(given: object) -> str:
    match given:
        case FunctionTask():
            return f"the function itself: give {given.task.__name__}.s(...)"
        case type():
            return f"the class itself: give {given.__name__}(...)"
        case _:
            return repr(given)


@functools.cache
def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"@{socket.gethostname()}"
