"""A driver for tests: it starts `outrider drive`, writes requests, and reads answers when it pleases."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from support import eventually


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


#: Lines that come when they come.
UNASKED = ("status", "progress", "log")


class Drive:
    """A session; all lines that came are in `lines`."""

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        self.lines: list[dict[str, Any]] = []
        self.reading = threading.Event()
        self.reading.set()
        self._leaves = threading.Event()
        self.stderr = folder / "drive.stderr"
        with self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "outrider", "drive", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, **variables},
            )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the session, whatever it does."""
        self.reading.set()
        self.process.kill()
        self.process.wait()
        self._thread.join(10)
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(json.loads(line, parse_constant=_no_json))
            self.reading.wait()
            if self._leaves.is_set():
                self.process.stdout.close()
                return

    def leave(self) -> None:
        """Close the output, as a driver does that has died; the next line is the last that is read."""
        self._leaves.set()
        self.ask("list")

    def write(self, content: bytes) -> None:
        """Write bytes, whatever they are."""
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def ask(self, kind: str, **fields: Any) -> None:
        """Write a request."""
        self.write(json.dumps({"kind": kind, **fields}).encode() + b"\n")

    def answered(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write a request with a ref, and return its answer."""
        ref = f"r{len(self.lines)}-{kind}"
        self.ask(kind, ref=ref, **fields)
        return self.wait(ref=ref)

    def submit(self, task: str, *, job: dict[str, Any] | None = None, **parameters: Any) -> str:
        """Submit, and return the job's id."""
        line = self.answered("submit", task=task, parameters=parameters, **(job or {}))
        assert line["kind"] == "accepted", line
        return line["job"]

    def find(self, kind: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines that came and are like this."""
        wanted = fields if kind is None else {"kind": kind, **fields}
        return [line for line in list(self.lines) if wanted.items() <= line.items()]

    def wait(self, kind: str | None = None, seconds: float = 20.0, **fields: Any) -> dict[str, Any]:
        """Wait for a line that is like this, and return it."""
        wanted = f"{kind or 'a line'} with {fields}"

        def found() -> list[dict[str, Any]]:
            ended = not self._thread.is_alive()
            lines = self.find(kind, **fields)
            assert lines or not ended, f"no {wanted} came: {self.lines} {self.stderr.read_text()}"
            return lines

        return eventually(found, f"{wanted}; there are {self.lines}", seconds)[0]

    def end(self, seconds: float = 20.0) -> int:
        """Wait for the end, with all lines read, and return the exit code."""
        code = self.process.wait(seconds)
        self._thread.join(10)
        assert not self._thread.is_alive()
        return code

    def close_input(self) -> None:
        """Ask for nothing more."""
        self.process.stdin.close()

    def check_story(self) -> None:
        """Of each job, `accepted` is the first line, and `finished` the last, once, but for what was asked for."""
        assert self.lines[0]["kind"] == "ready"
        assert [line["kind"] for line in self.lines].count("closed") == (self.lines[-1]["kind"] == "closed")
        for job_id in {line["job"] for line in self.lines if line.get("job")}:
            story = [line for line in self.lines if line.get("job") == job_id and line["kind"] != "error"]
            assert story[0]["kind"] == "accepted", story
            told = [line["kind"] for line in story if line["kind"] in ("finished", *UNASKED) and "ref" not in line]
            assert told.count("finished") <= 1
            assert "finished" not in told[:-1], told
