"""Before a launch can be planned: what must be asked of a shell, and looked up."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ..communicators import LedgerCommunicator
from ..tasks import Environment, TaskDescription, environment_of
from .job_directory import JobDirectory
from .secret_folder import read_secrets
from .shell_environment import captured_variables
from .shell_steps import ShellSteps
from .site import Site
from .surroundings import Surroundings

__all__ = ["GivenUp", "Preparation"]

T = TypeVar("T")


class GivenUp(Exception):
    """The attempt is to end before its program has started."""


class Preparation:
    """Asks for what an attempt needs to know, unless that is to end meanwhile."""

    def __init__(
        self, upward: LedgerCommunicator, directory: JobDirectory, site: Site, cookies: Mapping[str, str], cookie: str
    ) -> None:
        """Prepare in a directory; who is started on the way carries these cookies, among them the attempt's."""
        self._upward = upward
        self._directory = directory
        self._site = site
        self._cookies = cookies
        self._cookie = cookie

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
            await site.sweeper.sweep(self._cookie)
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
