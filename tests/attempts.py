"""One attempt of a job over a ledger in memory, to be carried out in a test: no Redis, no Celery."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from support import PROGRAMS, eventually

from outrider import (
    Flag,
    JobState,
    LogLines,
    Outcome,
    Output,
    Positional,
    ProgramRun,
    Stdout,
    ThirdPartyTask,
)
from outrider.communicators import ArtifactStore, JobSpec, MemoryLedger
from outrider.tasklets import load_tasklets, tasklet_calls
from outrider.tasks import Catalogue
from outrider.worker import Executor, Site
from outrider.worker.process_table import ProcessTable
from outrider.worker.sinks import Sinks
from outrider.worker.sweeper import Sweeper
from outrider.worker.tasklet_pool import TaskletPool
from outrider.worker.tasklet_site import TaskletEvent, TaskletSite

TASKLETS = ("little_tasklets", "job_tasklets")


class Little(ThirdPartyTask):
    """One of the tests' programs."""

    executable: ClassVar[str] = "sh"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", 'name=$1; shift; exec "$PROGRAMS/$name" "$@"', "little")

    program: Annotated[str, Positional()]
    words: Annotated[list[str], Positional()] = []


class Shell(ThirdPartyTask):
    """A line of sh."""

    executable: ClassVar[str] = "sh"
    progress: ClassVar[str | None] = r"(?P<done>\d+)/(?P<total>\d+)"

    script: Annotated[str, Flag("-c")]


class Makes(Shell):
    """A line of sh that leaves a file."""

    made: Annotated[Path, Output()] = Path("made.txt")


class MayMakeNothing(Shell):
    made: Annotated[Path, Output(optional=True)] = Path("made.txt")


class MayMakeEmpty(Shell):
    made: Annotated[Path, Output(allow_empty=True)] = Path("made.txt")


class Sorts(ThirdPartyTask):
    executable: ClassVar[str] = "sort"
    source: Annotated[Path, Positional()]
    table: Annotated[Path, Stdout()] = Path("sorted.txt")

    def read_result(self, run: ProgramRun) -> list[str]:
        return run.outputs["table"].read_text().split()


class Attempt:
    """One attempt of a job: everything that is needed to carry it out, and to look at it afterwards."""

    def __init__(self, folder: Path, task: ThirdPartyTask, ledger: MemoryLedger | None = None, **changes: Any) -> None:
        job_id = changes.pop("job_id", "job-1")
        self.ledger = ledger or MemoryLedger()
        parameters = changes.pop("parameters", task.parameters())
        spec = JobSpec(
            id=job_id,
            task=task.name,
            version="1",
            parameters=parameters,
            definition=changes.pop("definition", ""),
            queue="q",
        )
        asked = {name: changes.pop(name) for name in ("limits", "retry") if name in changes}
        asked |= {place: tasklet_calls(changes.pop(place, ())) for place in ("before", "after")}
        self.ledger.open(spec.model_copy(update=asked))
        self.held = self.ledger.claim(job_id, "w@test")
        #: What monitors are told of tasklets.
        self.events: list[TaskletEvent] = []
        self.sinks = Sinks(changes.pop("sinks", ()))
        site = {
            "jobs_directory": folder / "jobs",
            "environment": {"PATH": os.environ["PATH"], "PROGRAMS": str(PROGRAMS)},
            "grace": timedelta(seconds=0.5),
            "heartbeat_interval": timedelta(minutes=1),
            "hash_inputs": True,
            "worker_id": f"w-{folder.name}",
            "sockets": Path("/tmp") / f"or-{os.getpid()}",
            "processes": ProcessTable(f"w-{folder.name}"),
            "sweeper": Sweeper(f"w-{folder.name}"),
            "store": ArtifactStore(f"file://{folder}/jobs"),
            "inline_limit": 65536,
        }
        if asked["before"] or asked["after"]:
            site["tasklets"] = self._tasklet_site(folder)
        self.executor = Executor(self.held, Catalogue([type(task)]), self.ledger, Site(**(site | changes)))
        self.directory = folder / "jobs" / job_id
        self.pool = site["tasklets"].pool if "tasklets" in site else None

    def _tasklet_site(self, folder: Path) -> TaskletSite:
        environment = {"PATH": os.environ["PATH"]}
        pool = TaskletPool(TASKLETS, environment, f"w-{folder.name}", Sweeper(f"w-{folder.name}"))
        return TaskletSite(pool, load_tasklets(TASKLETS), self.sinks, self.events.append)

    def run(self, meanwhile: Callable[["Attempt"], Awaitable[None]] | None = None) -> Outcome:
        """Carry it out, while something else happens."""

        async def main() -> Outcome:
            running = asyncio.create_task(self.executor.run())
            try:
                if meanwhile:
                    await meanwhile(self)
                return await asyncio.wait_for(running, 20)
            finally:
                running.cancel()
                await asyncio.wait([running])
                if self.pool:
                    await self.pool.close()
                await self.sinks.close()
                if run := self.record.run:
                    await self.until(lambda: not Path(f"/proc/{run.pid}").exists(), "the program is gone and collected")

        return asyncio.run(main())

    @property
    def messages(self) -> list[Any]:
        return self.ledger.messages[self.held.spec.id]

    @property
    def record(self) -> Any:
        return self.ledger.record(self.held.spec.id)

    def said(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    def lines(self, stream: str = "stdout") -> list[str]:
        return [line for message in self.said(LogLines) if message.stream == stream for line in message.lines]

    async def until(self, condition: Callable[[], object], message: str) -> None:
        await asyncio.to_thread(eventually, condition, message)

    async def running(self) -> None:
        await self.until(lambda: self.record.state is JobState.RUNNING, "the program runs")


def runs(pid: int) -> bool:
    """Say whether a process runs; a zombie that nobody collects does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


#: Files below the folder of `root` that are not in it, wherever they seem to be.
OUTSIDE = ["outside/file", "root/out", "root/outer/file", "root/twice/file", "root/../outside/file", "rooted/file"]


def run_or_refused(attempt: Callable[..., Attempt], task: ThirdPartyTask, **changes: Any) -> Outcome:
    """Carry it out, and make sure that a refusal came before the program."""
    job = attempt(task, **changes)
    outcome = job.run()
    if outcome.reason == "validation":
        assert job.record.run is None
    return outcome
