"""What a shell is to do for an environment: load modules, source scripts. All of it is there before anything runs."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..config.errors import CannotRun
from ..tasks import Environment

__all__ = ["ShellSteps"]

#: Where distributions put what defines `module` for bash, in Environment Modules and in Lmod.
_USUAL_PLACES = (
    "/usr/share/modules/init/bash",
    "/usr/share/lmod/lmod/init/bash",
    "/usr/share/Modules/init/bash",
    "/etc/profile.d/modules.sh",
)


@dataclass(frozen=True)
class ShellSteps:
    """The steps in their order; `modules_init` defines the shell's `module`, and is empty when no module is wanted."""

    modules_init: str
    modules: tuple[str, ...]
    #: Each with its path from the root and its arguments.
    scripts: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, environment: Environment, variables: Mapping[str, str], modules_init: Path | None) -> Self:
        """Find all that is needed. Blocks; for a thread.

        Args:
            environment: the task's.
            variables: what its shell is to start from.
            modules_init: what the operator has set; `None`: it is looked for.

        Raises:
            CannotRun: naming what is missing or cannot be read.
        """
        init = _modules_init(variables, modules_init) if environment.modules else ""
        scripts = tuple((_readable(path, "the script"), *words) for path, *words in environment.scripts)
        return cls(init, environment.modules, scripts)

    @property
    def names(self) -> tuple[str, ...]:
        """What each step is called in front of people."""
        init = (f"the script {self.modules_init}",) if self.modules_init else ()
        return (
            *init,
            *(f"`module load {name}`" for name in self.modules),
            *(f"the script {s[0]}" for s in self.scripts),
        )


def _modules_init(variables: Mapping[str, str], chosen: Path | None) -> str:
    if chosen is not None:
        return _readable(str(chosen), "OUTRIDER_MODULES_INIT names")
    home = variables.get("MODULESHOME")
    for place in (*([f"{home}/init/bash"] if home else []), *_USUAL_PLACES):
        if os.path.isfile(place) and os.access(place, os.R_OK):
            return place
    raise CannotRun(
        "environment",
        "the task needs modules, and this worker has none; OUTRIDER_MODULES_INIT names what defines `module`",
    )


def _readable(path: str, what: str) -> str:
    """Return a script's path from the root."""
    try:
        place = os.path.abspath(Path(path).expanduser())
        if not stat.S_ISREG(os.stat(place).st_mode):
            raise CannotRun("environment", f"{what} {path}, and that is no file")
    except (OSError, RuntimeError) as error:  # RuntimeError: ~user without such a user
        why = error.strerror if isinstance(error, OSError) else error
        raise CannotRun("environment", f"{what} {path} cannot be read: {why}") from error
    if not os.access(place, os.R_OK):
        raise CannotRun("environment", f"{what} {path} cannot be read: permission denied")
    return place
