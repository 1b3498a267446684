"""What programs say of their versions, whatever else they say or do then."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, ClassVar

import pytest

from outrider import Environment, Positional, ThirdPartyTask
from outrider.worker.program_version import version_answer


def program(folder: Path, name: str, answer: str, work: str = "true") -> Path:
    path = folder / name
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then\n{answer}\nelse\n{work}\nfi\n')
    path.chmod(0o755)
    return path


class Asked(ThirdPartyTask):
    """It can be asked for its version."""

    executable: ClassVar[str] = "sh"
    version_arguments: ClassVar[tuple[str, ...]] = ("--version",)
    place: Annotated[Path, Positional()]

    def argv(self):
        return (str(self.place),)


class AskedWithSecret(Asked):
    environment: ClassVar[Environment] = Environment(secrets={"KEY": "key"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("echo; echo late", ""),
        ("echo ' v1 '; exec sleep 60", "v1"),
        ("printf v1; exit 3", "v1"),
        ("printf unfinished; sleep 60 & exit 3", ""),
        ("exec sleep 60", ""),
        ("printf unfinished; exec sleep 60", ""),
        ("head -c 5000 /dev/zero | tr '\\0' x", "x" * 200),
        (r"printf '\377v1\n'", "\N{REPLACEMENT CHARACTER}v1"),
    ],
)
def test_the_first_line_is_the_answer_and_nobody_waits_for_more(tmp_path, answer, said):
    began = time.monotonic()
    words = (str(program(tmp_path, "asked", answer)), "--version")
    assert version_answer(words, {"PATH": os.environ["PATH"]}, 1) == said
    assert time.monotonic() - began < 5


def test_a_flood_in_place_of_an_answer_takes_no_memory(tmp_path):
    flood = program(tmp_path, "flood", "tr '\\0' x < /dev/zero")
    code = (
        "import resource, sys; from outrider.worker.program_version import version_answer\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30,) * 2)\n"
        "print(len(version_answer((sys.argv[1], '--version'), {'PATH': '/usr/bin:/bin'}, 3)))"
    )
    words = [sys.executable, "-c", code, str(flood)]
    assert subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout == "200\n"


def test_an_answer_may_come_after_the_end_of_a_short_program(attempt, tmp_path):
    job = attempt(Asked(place=program(tmp_path, "slow", "sleep 0.7; echo v7")))
    job.run()
    assert job.record.provenance.program_version == "v7"


def test_a_program_that_is_asked_has_no_secrets_to_tell(attempt, tmp_path):
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "key").write_text("hunter2hunter2")
    (secrets / "key").chmod(0o600)
    place = program(tmp_path, "telling", 'echo "v1 [$KEY]"', '[ "$KEY" ] && sleep 0.5')
    job = attempt(AskedWithSecret(place=place), secrets=secrets)
    assert job.run().state == "succeeded"
    assert job.record.provenance.program_version == "v1 []"
