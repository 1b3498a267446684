"""Before a program can be started: its task, what surrounds it, the tasklets before it, and the ground it stands on."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..communicators import Claim, LedgerCommunicator
from ..config.errors import CannotRun, InvalidParameters, UnknownTask
from ..tasks import Catalogue, Environment, TaskDescription, environment_of
from .given_up import GivenUp
from .ground import choose_ground
from .job_directory import JobDirectory
from .launch import Launch, plan_launch
from .outputs import check_inputs
from .provenance import ProvenanceCollector
from .redaction import Redaction
from .relay import Relay
from .roots import check_input_roots
from .secret_folder import read_secrets
from .shell_environment import captured_variables
from .shell_steps import ShellSteps
from .site import Site
from .surroundings import Surroundings
from .tasklet_chain import TaskletChain

__all__ = ["Preparation", "Prepared"]

T = TypeVar("T")


@dataclass(frozen=True)
class Prepared:
    """A program that can be started."""

    task: TaskDescription
    launch: Launch
    collector: ProvenanceCollector
    #: The task's parameters, where tasklets have changed them.
    parameters: dict[str, Any] | None


class Preparation:
    """Makes an attempt ready, unless that is to end meanwhile."""

    def __init__(
        self,
        held: Claim,
        catalogue: Catalogue,
        upward: LedgerCommunicator,
        directory: JobDirectory,
        site: Site,
        cookies: Mapping[str, str],
    ) -> None:
        """Prepare in a directory; who is started on the way carries these cookies, among them the attempt's."""
        self._held = held
        self._catalogue = catalogue
        self._upward = upward
        self._directory = directory
        self._site = site
        self._cookies = cookies

    async def prepare(self, tasklets: TaskletChain, relay: Relay) -> Prepared:
        """Return what is to be started; from here on, `relay` keeps its secrets.

        Raises:
            CannotRun: when something is missing or fails.
            GivenUp: when the attempt is to end now; nothing of it is left.
            TimeoutError: when it takes longer than its limit; what tasklets take does not count.
        """
        limit = self._held.spec.limits.preparation
        async with asyncio.timeout(limit.total_seconds() if limit else None) as allowed:
            task = await asyncio.to_thread(self._resolve_task)
            tasklets.check(task)
            surroundings = await self.surroundings(task)
            relay.redaction = Redaction(surroundings.secrets.values())
            with _suspended(allowed):
                prepared = await tasklets.before(task)
            parameters = None if prepared is task else prepared.parameters()
            launch, collector = await asyncio.to_thread(self._make_ground, prepared, surroundings, parameters)
        return Prepared(prepared, launch, collector, parameters)

    async def surroundings(self, task: TaskDescription) -> Surroundings:
        """Return what the worker adds to a task's own words.

        Raises:
            CannotRun: when something is missing or fails.
            GivenUp: when the attempt is to end now; nothing of it is left.
        """
        environment, site = environment_of(task), self._site
        secrets = {}
        if environment.secrets:
            secrets = await asyncio.to_thread(read_secrets, environment.secrets, site.secrets)
        captured = await self._captured(environment) if environment.needs_shell else None
        return Surroundings(captured, secrets, site.launch.of(task.name))

    def _resolve_task(self) -> TaskDescription:
        spec = self._held.spec
        try:
            return self._catalogue[spec.task].from_parameters(spec.parameters)
        except (UnknownTask, InvalidParameters) as error:
            raise CannotRun("validation", str(error)) from error

    def _make_ground(
        self, task: TaskDescription, surroundings: Surroundings, parameters: dict[str, Any] | None
    ) -> tuple[Launch, ProvenanceCollector]:
        """Decide how to start the program and make the ground for it. Blocks: file systems may be slow."""
        site, work = self._site, self._directory.work
        ground = choose_ground(task, self._directory, site)
        launch = plan_launch(ground.task, ground.directory, site.environment, self._cookies, surroundings)
        self._directory.create(launch.input_files, ground.folders)
        if parameters is not None:
            self._directory.keep_parameters(parameters)
        check_inputs(task, ground.directory)
        check_input_roots(task, ground.directory, (work, ground.directory), site.input_roots)
        return launch, ProvenanceCollector(task, launch)

    async def _captured(self, environment: Environment) -> Mapping[str, str]:
        """Return what modules and scripts leave. A process that they leave as well lives as long as the attempt."""
        site, directory = self._site, self._directory
        steps = await asyncio.to_thread(ShellSteps.of, environment, site.environment, site.modules_init)
        await asyncio.to_thread(directory.make_work)
        self._upward.wake()  # somebody may have wanted something before we listened
        inherited = {**site.environment, **self._cookies}
        capturing = captured_variables(steps, inherited, directory.work, directory.attempt / "environment.log")
        try:
            return await self._unless_it_ends(capturing)
        except BaseException:
            await site.sweeper.sweep(self._held.cookie)
            raise

    async def _unless_it_ends(self, work: Coroutine[Any, Any, T]) -> T:
        working = asyncio.create_task(work)
        ending = asyncio.create_task(self._upward.ending.wait())
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise GivenUp
        finally:
            working.cancel()
            ending.cancel()
            await asyncio.wait({working, ending})


@contextlib.contextmanager
def _suspended(allowed: asyncio.Timeout) -> Iterator[None]:
    """Let what happens meanwhile not count for a time-out."""
    due, begun = allowed.when(), asyncio.get_running_loop().time()
    allowed.reschedule(None)
    yield
    if due is not None:
        allowed.reschedule(due + asyncio.get_running_loop().time() - begun)
