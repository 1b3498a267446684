"""The example in C speaks to a job's socket, as it is."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from outrider import Progress
from outrider.communicators import Message, Report, SocketCommunicator

SOURCE = Path(__file__).parents[2] / "examples" / "count_frames.c"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        assert not os.environ.get("CI"), "CI has a C compiler"
        pytest.skip("there is no C compiler")
    made = tmp_path / "count_frames"
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o", made, SOURCE], check=True)
    return made


def test_a_program_in_c_tells_its_job_how_far_it_is(program, short_folder):
    path = Path(tempfile.mkdtemp(dir=short_folder)) / "socket"

    async def main() -> list[Message]:
        communicator = SocketCommunicator(path)
        await communicator.open()
        try:
            running = await asyncio.create_subprocess_exec(program, env={"OUTRIDER_SOCKET": str(path)})
            assert await running.wait() == 0
            await communicator.wait_drained(10)
        finally:
            await communicator.close()
        messages = []
        while message := await communicator.read():
            messages.append(message)
        return messages

    *progress, report = asyncio.run(main())
    expected = [Progress(done=n, total=10, unit="frames", source="socket", sequence=n) for n in range(1, 11)]
    assert progress == expected
    assert report == Report(value={"peaks": 42}, source="socket", sequence=11)


def test_started_by_hand_it_shows_what_it_would_say(program):
    printed = subprocess.run([program], env={}, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[0] == '{"kind": "progress", "done": 1, "total": 10, "unit": "frames"}'
    assert len(printed.splitlines()) == 11
    subprocess.run([program], env={"OUTRIDER_SOCKET": "/nowhere"}, check=True)
