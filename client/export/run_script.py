"""The shell script that runs a recorded command again. Pure."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...worker import MASK

__all__ = ["SUMS", "RunScript", "asked_for"]

#: The recorded sha256 of the outputs.
SUMS = "outputs.sha256"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_FRESH_FOLDER = """\
run=run
number=1
while [ -e "$run" ]; do
  number=$((number + 1))
  run=run-$number
done
"""
_COMPARE = f"""\
if [ -s "$here/{SUMS}" ] && command -v sha256sum >/dev/null 2>&1; then
  sha256sum -c "$here/{SUMS}" >&2 || echo "run.sh: some outputs are not those of the record" >&2
fi
"""


@dataclass(frozen=True)
class RunScript:
    """All that decides how a program is started, with paths relative to the folder that it is started in."""

    #: What is run again, for people.
    title: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    #: Where the program is started, within the fresh folder.
    directory: str = ""
    #: A file that lies at the top of the fresh folder.
    parameters: str = ""
    #: Folders that are there before the program is.
    folders: Sequence[str] = ()
    has_files: bool = False
    stdin: str = "/dev/null"
    stdout: str = ""

    def text(self) -> str:
        """Return the script, for any POSIX shell. It leaves with the program's exit code."""
        place = '"$run"' + (f"/{shlex.quote(self.directory)}" if self.directory else "")
        lines = [
            "#!/bin/sh",
            *(f"# {line}" for line in self.title.splitlines()),
            "set -eu",
            'CDPATH="" cd -- "$(dirname -- "$0")"',
            "here=$(pwd)",
            *map(_demand, asked_for(self.environment)),
            _FRESH_FOLDER.rstrip(),
            f"mkdir -p -- {place}",
            *([f'cp -- {shlex.quote(self.parameters)} "$run"/'] if self.parameters else []),
            f"cd -- {place}",
            *([f"mkdir -p -- {shlex.join(self.folders)}"] if self.folders else []),
            *(['cp -R -- "$here"/files/. .'] if self.has_files else []),
            *self._exports(),
            "unset OUTRIDER_SOCKET",  # nobody listens
            "status=0",
            f"{self._command()} || status=$?",
            _COMPARE.rstrip(),
            'echo "run.sh: what it left is in $(pwd); exit code $status" >&2',
            'exit "$status"',
        ]
        return "\n".join(lines) + "\n"

    def _exports(self) -> list[str]:
        """Set what may be set by a shell, but not what is asked for."""
        known = {name: value for name, value in self.environment.items() if MASK not in value}
        return [f"export {name}={shlex.quote(value)}" for name, value in known.items() if _VARIABLE.fullmatch(name)]

    def _command(self) -> str:
        odd = [
            f"{name}={value}"
            for name, value in self.environment.items()
            if not _VARIABLE.fullmatch(name) and MASK not in value and "=" not in name
        ]
        words = shlex.join([*(("env", *odd) if odd else ()), *self.argv])
        return f"{words} <{shlex.quote(self.stdin)}" + (f" >{shlex.quote(self.stdout)}" if self.stdout else "")


def asked_for(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables whose values are no more than masks in the record, with what the record has."""
    return [(name, value) for name, value in environment.items() if MASK in value and _VARIABLE.fullmatch(name)]


def _demand(variable: tuple[str, str]) -> str:
    """Stop before anything is done when a secret is missing."""
    name, recorded = variable
    shown = re.sub(r"[^\w:/.@*-]", "_", recorded)  # within the braces of a shell little is safe
    return f': "${{{name}:?holds a secret that is not in the record ({shown}); set it}}"\nexport {name}'
