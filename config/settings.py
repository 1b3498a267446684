"""What an operator decides. The only reader of the environment."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .durations import Duration
from .errors import SettingsError
from .launch_words import split_words
from .project import find_project


class Settings(BaseSettings):
    """Each field is read from the environment variable `OUTRIDER_<NAME>`.

    Durations take seconds or a number with a unit: `90`, `5m`, `2h`, `7d`.
    """

    model_config = SettingsConfigDict(env_prefix="OUTRIDER_", frozen=True, extra="forbid")

    #: Where the embedded Redis and the job directories of this project live; default: found from the working directory.
    project: Path = Field(default_factory=lambda: find_project(Path.cwd()))
    #: Redis for the job queue; unset: an embedded one, private to this user and project.
    broker_url: str | None = None
    #: Redis for records and messages; unset: the broker's.
    ledger_url: str | None = None
    #: Redis for Celery's own results, a courtesy to `AsyncResult`; unset: the broker's.
    result_url: str | None = None
    #: Modules, YAML files, and folders of these that hold tasks, separated by commas; files are named from the project.
    tasks: Annotated[tuple[str, ...], NoDecode] = ()
    #: The folder of the job directories; unset: `.outrider/jobs` in the project.
    work_root: Path | None = None
    #: Folders that inputs may come from, separated by `:`; unset: any.
    input_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    #: Folders that jobs may place outputs in, or work in, beside their own directories, separated by `:`.
    output_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    #: Which working folders outlive their job; logs, outputs, artefacts and the record always do.
    keep_work: Literal["always", "unsuccessful", "never"] = "always"
    #: How long the directory and the artefacts of a closed job are kept; unset: for ever.
    keep_directories: Duration | None = Field(default=None, gt=timedelta(0))
    #: Where values go that are too large for Redis or not JSON, as any fsspec URL; unset: the job directories.
    artifact_url: str | None = None
    #: A part of a result or report that is no JSON travels in the message up to this size; a whole one up to 16 times it.
    inline_limit: ByteSize = Field(default=ByteSize(64 * 1024), ge=1024, le=2**20)
    #: The queue that jobs are sent to and that a worker takes from.
    queue: str = "outrider"
    #: How many jobs a worker runs at once; unset: the number of processors.
    concurrency: int | None = Field(default=None, gt=0)
    #: Where a worker's slots live: threads of its process, child processes, or its main thread.
    pool: Literal["threads", "prefork", "solo"] = "threads"
    #: Words before a program's own, such as `srun -n 1`: for all tasks, or as a JSON object by patterns of task names.
    launch: Annotated[dict[str, str], NoDecode] = {}
    #: A folder with a file for each secret that an environment may ask for; no program inherits them.
    secrets: Path | None = None
    #: The script that defines the shell's `module` function; unset: found where it is usually installed.
    modules_init: Path | None = None
    #: How long a program may take to end after TERM before it gets KILL.
    grace: Duration = Field(default=timedelta(seconds=10), ge=timedelta(0))
    #: How long a worker that is asked to stop lets its jobs run before it hands them back.
    drain_timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(0))
    #: How long a worker may be silent before its jobs are given to others.
    lease: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    #: After how many lost attempts a job has failed.
    crash_limit: int = Field(default=3, gt=0)
    #: How long a message may be out of the queue, unclaimed, before Celery delivers it again.
    visibility_timeout: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    #: How often a running job reports although nothing happens.
    heartbeat_interval: Duration = Field(default=timedelta(seconds=5), gt=timedelta(0))
    #: How long the record and the messages of a closed job are kept.
    retention: Duration = Field(default=timedelta(days=7), ge=timedelta(seconds=1))
    #: How many jobs may wait at once; 0: no bound.
    max_queued: int = Field(default=0, ge=0)
    #: Messages that a job's stream keeps, the newest ones (roughly).
    stream_length: int = Field(default=1000, gt=10)
    #: Whether the sha256 of a job's input files goes into its record; their size and time always do.
    hash_inputs: bool = True
    #: Where notices of jobs are posted as JSON, an electronic logbook, say; the whole URL is a secret.
    webhook_url: SecretStr | None = None
    #: The server that mails of notices are handed to: `smtp://user:password@host:587` or `smtps://…`; a secret.
    smtp_url: SecretStr | None = None
    #: The address that such mails come from.
    mail_from: str | None = None
    #: The addresses that they go to, separated by commas.
    mail_to: Annotated[tuple[str, ...], NoDecode] = ()
    #: The file that notices are appended to, a line of JSON each.
    notice_file: Path | None = None
    #: How long to wait for Redis before saying that it is not there.
    connect_timeout: Duration = Field(default=timedelta(seconds=5), gt=timedelta(0))
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("tasks", "mail_to", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("launch", mode="before")
    @classmethod
    def _launch_by_pattern(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # words may begin with a placeholder, such as {program}
        return json.loads(value) if re.match(r"\s*\{(?!\w)", value) else {"*": value}

    @field_validator("launch")
    @classmethod
    def _launch_in_words(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            split_words(text)
        return value

    @field_validator("input_roots", "output_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("input_roots", "output_roots")
    @classmethod
    def _real(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(Path(os.path.realpath(path)) for path in value)

    @field_validator("project", "work_root", "secrets", "modules_init", "notice_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value and Path(os.path.abspath(value.expanduser()))
        except RuntimeError as error:  # ~user without such a user
            raise ValueError(str(error)) from error

    @property
    def jobs_directory(self) -> Path:
        """The folder that holds one directory per job."""
        return self.work_root or self.project / ".outrider" / "jobs"

    @property
    def artifact_store_url(self) -> str:
        """The URL of the artefact store's root; it may hold a secret."""
        return self.artifact_url or f"file://{self.jobs_directory}"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: naming each variable, its value and what is wrong with it.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            variable = f"OUTRIDER_{str(problem['loc'][0]).upper()}"
            problems.append(f"{variable}={os.environ.get(variable, problem['input'])!r}: {problem['msg']}")
        raise SettingsError("; ".join(problems)) from error


#: The last is how Celery's process library tells its children of its log.
_OURS = ("OUTRIDER_", "CELERY_", "FLOWER_", "_MP_FORK_")


def program_environment() -> dict[str, str]:
    """Return the environment that programs inherit: this process's, without what is meant for Outrider or Celery.

    A broker's URL may hold a password; no program gets to see it.
    """
    return {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}


def service_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a worker or Flower that we start: this process's, with what we mean of ours."""
    ours = {
        "OUTRIDER_QUEUE": settings.queue,
        "OUTRIDER_PROJECT": str(settings.project),
        "OUTRIDER_TASKS": ",".join(settings.tasks),
    }
    return {**os.environ, **ours}
