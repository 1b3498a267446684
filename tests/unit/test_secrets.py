"""Secrets reach the program, and nothing else: a folder of files in, and no trace in what we say and keep."""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from attempts import Attempt, Shell

import outrider
from outrider import Environment, Flag, JobState, Outcome, ProgramRun, Report, ThirdPartyTask
from outrider.communicators import Artifact, LogLines, Progress, Raised, pack
from outrider.communicators.values import with_texts
from outrider.config.errors import CannotRun
from outrider.worker.redaction import Redaction
from outrider.worker.secret_folder import is_careless, read_secrets

SECRET = "s3cr3t-v4lue"


@pytest.fixture
def folder(tmp_path):
    """A folder with a secret, as an operator makes it."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    put(folder, "token", SECRET)
    return folder


def put(folder: Path, name: str, content: str | bytes, mode: int = 0o600) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / name).chmod(mode)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("a", "a"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        (" a b ", " a b "),
        ("é\nx", "é\nx"),
        (b"\xff", "\udcff"),
    ],
)
def test_a_secret_is_its_files_content_without_the_last_line_end(folder, content, value):
    put(folder, "key", content)
    assert read_secrets({"KEY": "key", "T": "token"}, folder) == {"KEY": value, "T": SECRET}


def test_a_folder_as_kubernetes_mounts_it_is_read(tmp_path):
    (tmp_path / "..2026_01_01").mkdir()
    put(tmp_path / "..2026_01_01", "key", "value")
    (tmp_path / "..data").symlink_to("..2026_01_01")
    (tmp_path / "key").symlink_to("..data/key")
    (tmp_path / "mounted").symlink_to(tmp_path)
    assert read_secrets({"K": "key"}, tmp_path) == read_secrets({"K": "key"}, tmp_path / "mounted") == {"K": "value"}


def test_s3_a_secret_that_cannot_be_read_is_named_with_the_setting(folder, tmp_path):
    put(tmp_path, "outside", "other")
    (folder / "out").symlink_to("../outside")
    os.mkfifo(folder / "pipe")
    put(folder, "empty", "\n")
    put(folder, "large", "x" * 70_000)
    put(folder, "nul", "v4l\0ue")
    (folder / "sub").mkdir()
    cases = {
        "missing": "No such file or directory",
        "out": "it is a link that leads out of the folder",
        "pipe": "it is no file",
        "sub": "it is no file",
        "empty": "it is empty",
        "large": "it has more than 65536 bytes",
        "nul": "it holds a NUL byte, and no variable can",
    }
    for name, why in cases.items():
        with pytest.raises(CannotRun) as refusal:
            read_secrets({"KEY": name}, folder)
        assert str(refusal.value) == f"cannot read the secret {name!r} in OUTRIDER_SECRETS={folder}: {why}"
        assert refusal.value.reason == "environment"
    with pytest.raises(CannotRun, match=r"no secret 'token': .* OUTRIDER_SECRETS"):
        read_secrets({"KEY": "token"}, None)


@pytest.mark.parametrize(
    ("mode", "owner", "user", "careless"),
    [
        (0o100600, 5, 5, False),
        (0o100400, 5, 5, False),
        (0o100640, 5, 5, True),
        (0o100604, 5, 5, True),
        (0o100644, 0, 5, False),  # root has put it there: a mount
        (0o100644, 0, 0, False),  # root in a container
    ],
)
def test_s3_a_secret_of_our_own_is_for_us_alone(mode, owner, user, careless):
    assert is_careless(mode, owner, user) is careless


class WithSecret(Shell):
    environment: ClassVar[Environment] = Environment(secrets={"KEY": "token"})
    progress: ClassVar[str] = r"(?P<done>\d+)/(?P<total>\d+) (?P<unit>\S+)"

    def read_result(self, run: ProgramRun) -> Any:
        if run.stdout.startswith("raise"):
            raise ValueError(run.stdout)
        return {"said": run.stdout, run.stdout.strip(): [run.stdout], "number": 3}


def everything_kept(job: Attempt) -> str:
    """Return all that the ledger has of a job, and all that we wrote about it; not what its program printed."""
    ours = [path.read_text() for path in job.directory.rglob("*.json")]
    logs = [path.read_text() for path in job.directory.rglob("environment.log")]
    return "\n".join([repr(job.record), job.record.model_dump_json(), repr(job.messages), *ours, *logs])


SAYS = {
    "a line": 'echo "key=$KEY"',
    "a complaint and a failure": 'echo "bad $KEY" >&2; exit 3',
    "progress": 'echo "3/5 $KEY"',
    "without an end": 'printf "%s" "$KEY"',
    "in colour": r'printf "${KEY%-*}\033[31m-${KEY#*-}\n"; exit 1',
    "a long line": 'printf "%s" "$KEY"; head -c 1995 /dev/zero | tr "\\0" x; echo',
    "a result": 'echo "$KEY"',
    "an exception": 'echo "raise $KEY"',
    "all of its variables": "env; env >&2; exit 1",
}


@pytest.mark.parametrize("how", SAYS)
def test_s3_what_a_program_says_of_its_secret_is_kept_nowhere(attempt, folder, how, caplog):
    job = attempt(WithSecret(script=SAYS[how]), secrets=folder)
    outcome = job.run()
    assert outcome.state in ("succeeded", "failed")
    assert job.record.run.environment["KEY"] == "***"
    everything = everything_kept(job)
    assert SECRET not in everything
    assert "v4lue" not in everything, "not even its end"
    assert "***" in everything
    assert SECRET not in caplog.text
    if how not in ("in colour", "all of its variables"):
        printed = (job.directory / "attempt-1" / "stdout.log").read_text() + (
            job.directory / "attempt-1" / "stderr.log"
        ).read_text()
        assert SECRET in printed, "the program had it, and its own log is as it was"


def test_s3_scripts_do_not_see_secrets(attempt, folder, tmp_path):
    (tmp_path / "setup.sh").write_text('export SEEN="<$KEY>"; env')
    environment = Environment(source=(str(tmp_path / "setup.sh"),), secrets={"KEY": "token"})
    task = type(WithSecret)("Both", (WithSecret,), {"environment": environment, "__module__": __name__})
    job = attempt(task(script='test "$KEY" && echo "$SEEN"'), secrets=folder)
    assert job.run().state == "succeeded"
    assert job.lines() == ["<>"]
    assert SECRET not in everything_kept(job)


def test_s3_a_missing_secret_fails_the_job_before_its_program(attempt, folder, tmp_path):
    (folder / "token").unlink()
    job = attempt(WithSecret(script=f"touch {tmp_path}/reached"), secrets=folder)
    outcome = job.run()
    assert (outcome.state, outcome.reason) == ("failed", "environment")
    assert "'token'" in outcome.error
    assert "OUTRIDER_SECRETS" in outcome.error
    assert not (tmp_path / "reached").exists()


class OwnWithSecret(outrider.Task):
    """It says its secret in every way that it can."""

    environment: ClassVar[Environment] = Environment(secrets={"KEY": "token"})
    fails: bool

    def run(self) -> dict[str, Any]:
        key = os.environ["KEY"]
        self.report({"said": key, key: [f"<{key}>"]})
        self.progress(1, 2, key)
        self.log.warning("key %s", key)
        Path("file").write_text("harmless")
        self.artifact("file", key)
        if self.fails:
            raise ValueError(key)
        return {"said": key}


@pytest.mark.parametrize("fails", [False, True])
def test_s3_what_a_task_of_our_own_says_of_its_secret_is_kept_nowhere(attempt, folder, fails, caplog):
    job = attempt(OwnWithSecret(fails=fails), secrets=folder)
    outcome = job.run()
    assert outcome.state == ("failed" if fails else "succeeded"), outcome.message
    assert [message.value for message in job.said(Report)] == [{"said": "***", "***": ["<***>"]}]
    assert set(outcome.artifacts) == {"***"}
    assert "***" in (outcome.error if fails else outcome.result["said"])
    assert SECRET not in everything_kept(job) + caplog.text
    assert not [path for path in job.directory.rglob("*") if SECRET in path.name]


FORMS = {
    "itself": ('a"b\\c', 'a"b\\c'),
    "as json": ('a"b\\c', 'a\\"b\\\\c'),
    "as python writes it": ("a\\b'c", '"a\\\\b\'c"'),
    "in a url": ("a/b@c d", "https://x:a%2Fb%40c%20d@host"),
    "one of its lines": ("-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----", "MIIEvQIBADANBg"),
    "no unicode": ("caf\udce9 secret", "caf\ufffd secret"),
}


@pytest.mark.parametrize("form", FORMS)
def test_s3_a_secret_is_known_in_other_forms(form):
    secret, text = FORMS[form]
    shown = Redaction([secret]).text(f"before {text} after")
    assert "***" in shown
    assert shown.startswith("before")
    assert shown.endswith("after")


def test_s3_the_rest_of_a_secret_at_a_cut_is_known():
    line = Redaction([SECRET]).message(LogLines(stream="stdout", lines=("… v4lue and more", "… other", "v4lue")))
    assert line.lines == ("… *** and more", "… other", "v4lue")


def test_the_longest_of_two_secrets_goes_first():
    assert Redaction(["abc", "abcdef"]).text("abcdef abc") == "*** ***"


def test_without_secrets_everything_is_handed_back_as_it_is():
    redaction = Redaction()
    for message in (LogLines(stream="stdout", lines=("",)), Progress(done=1), Raised(error="x"), Artifact(name="a")):
        assert redaction.message(message) is message
    outcome, value = Outcome(state=JobState.FAILED, error="x"), {"a": ["b"]}
    assert redaction.outcome(outcome) is outcome
    assert redaction.value(value) is value


def test_what_is_no_json_in_a_value_stays(tmp_path):
    from outrider.communicators import ArtifactStore

    store = ArtifactStore(f"file://{tmp_path}")
    tree = pack({"a": b"abc", "b": "abc", "c": {"$outrider": "abc"}, "d": 1}, store, "x", 1024)
    changed = with_texts(tree, lambda text: text.replace("abc", "***"))
    assert changed["a"] == tree["a"]
    assert changed["b"] == "***"
    assert changed["c"]["$outrider"]["mapping"] == {"$outrider": "***"}
    assert changed["d"] == 1


def test_a_task_without_secrets_needs_no_folder(attempt):
    class Plain(ThirdPartyTask):
        executable: ClassVar[str] = "true"
        word: Annotated[str, Flag()] = ""

    assert attempt(Plain()).run().state == "succeeded"
