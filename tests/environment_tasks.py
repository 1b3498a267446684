"""Tasks for tests that say what their variables are; workers of the tests import them by OUTRIDER_TASKS."""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar

import outrider
from outrider import Environment, Flag, ProgramRun, ThirdPartyTask


class Tell(ThirdPartyTask):
    """Tell all variables, after a line of sh."""

    executable: ClassVar[str] = "sh"
    script: Annotated[str, Flag("-c")] = "env -0"

    def read_result(self, run: ProgramRun) -> dict[str, str]:
        return dict(entry.partition("=")[::2] for entry in run.stdout.split("\0") if entry)


class TellFirst(Tell):
    environment: ClassVar[Environment] = Environment(
        source=(("programs/set-up.sh", "first"),), set={"ONLY_FIRST": "1"}, prepend={"PATH": "/first"}
    )


class TellSecond(Tell):
    environment: ClassVar[Environment] = Environment(
        source=(("programs/set-up.sh", "second"),), append={"PATH": "/second"}, unset=("HOME",)
    )


class Fails(Tell):
    environment: ClassVar[Environment] = Environment(source=(("programs/set-up.sh", ""),))


class Misses(Tell):
    environment: ClassVar[Environment] = Environment(source=("programs/no-such-script.sh",))


class Hangs(Tell):
    environment: ClassVar[Environment] = Environment(source=(("programs/set-up.sh", "hang"),))


class TellSecret(Tell):
    environment: ClassVar[Environment] = Environment(
        secrets={"SERVICE_KEY": "service"}, set={"SERVICE_URL": "https://me:url-pa55word@host/"}
    )
    progress: ClassVar[str] = r"(?P<done>\d+)/(?P<total>\d+) (?P<unit>\S+)"

    def read_result(self, run: ProgramRun) -> Any:
        if "raise" in self.script:
            raise ValueError(run.stdout)
        return run.stdout.splitlines()


class ReportSecret(outrider.Task):
    """Tell the secret as Python code can."""

    environment: ClassVar[Environment] = Environment(secrets={"SERVICE_KEY": "service"})

    def run(self) -> str:
        key = os.environ["SERVICE_KEY"]
        self.report([key])
        self.progress(1, 2, key)
        self.log.error("the key is %s", key)
        Path("notes").write_text("nothing")
        self.artifact("notes", f"notes-{key}")
        raise RuntimeError(key)


class Wrapped(Tell):
    """It knows nothing of what its worker starts it by."""
