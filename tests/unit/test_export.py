"""What an exported folder holds, and that nothing in it leads out of where it belongs."""

import hashlib
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar

import pytest

from outrider import Flag, JobState, Limits, Output, Positional, RetryPolicy, Settings, Stdin, Stdout, ThirdPartyTask
from outrider.client.export import export_job
from outrider.client.export.job_file import job_file
from outrider.client.export.renaming import Renaming, file_names
from outrider.client.export.run_script import RunScript
from outrider.communicators import InputFile, JobRecord, JobSpec, Outcome, OutputFile, Provenance, RunFacts
from outrider.config.errors import CannotExport
from outrider.tasklets import TaskletCall
from outrider.tasks import Catalogue, load_job

AT = datetime(2026, 11, 20, tzinfo=UTC)


class Join(ThirdPartyTask):
    """Joins files, after what it reads on standard input; a configuration names one of them again."""

    executable: ClassVar[str] = "sh"
    subcommand: ClassVar[tuple[str, ...]] = ("-c", 'cat "$@"; cat - settings/join.conf; echo "$MARK"', "join")

    sources: Annotated[list[Path], Positional()]
    first: Annotated[Path | None, Stdin()] = None
    out: Annotated[Path, Stdout()] = Path("joined")
    ignored: Annotated[Path | None, Output(optional=True), Flag()] = None

    def input_files(self) -> dict[str, str]:
        return {"settings/join.conf": f"first={self.sources[0]}\n"}


class Ran:
    """A finished job of `Join`, as a worker would have left it."""

    def __init__(self, folder: Path, task: Join, environment: dict[str, str] | None = None, **changes: object) -> None:
        self.jobs = folder / "jobs"
        self.job = self.jobs / "job-1"
        self.settings = Settings(project=folder, work_root=self.jobs)
        work = self.job / "attempt-1" / "work"
        work.mkdir(parents=True)
        (self.job / "outputs").mkdir()
        for name, text in task.input_files().items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        for log in ("stdout.log", "stderr.log"):
            (self.job / "attempt-1" / log).write_text("")
        inputs = [*task.sources, *([task.first] if task.first else [])]
        files = {path: path.read_bytes() for path in inputs if path.is_file()}
        self.record = JobRecord(
            spec=JobSpec(id="job-1", task="join", version="1", parameters=task.parameters(), queue="q"),
            state=JobState.SUCCEEDED,
            attempt=1,
            queued_at=AT,
            run=RunFacts(
                host="h", pid=1, argv=("/bin/sh", *task.argv()[1:]), directory=work, environment=environment or {}
            ),
            provenance=Provenance(
                inputs={str(p): InputFile(size=len(c), modified=AT, sha256=sha256(c)) for p, c in files.items()}
            ),
            outcome=Outcome(state=JobState.SUCCEEDED, outputs=changes.get("outputs", {})),
        )

    def export(self, destination: Path, **words: object):
        return export_job(self.record, Catalogue([Join]), self.settings, destination, **words)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run_script(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", folder / "run.sh"], env={**os.environ, **variables}, capture_output=True, text=True)


def test_two_inputs_of_one_name_standard_input_and_a_configuration_travel(tmp_path):
    paths = [tmp_path / folder / "x.txt" for folder in ("a", "b", "c d")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"{path.parent.name}\n")
    ran = Ran(tmp_path, Join(sources=paths[:2], first=paths[2]), {"MARK": "it's $HOME", "OUTRIDER_JOB": "job-1"})
    exported = ran.export(tmp_path / "out")
    assert exported.problems == ()
    for path in paths:
        path.unlink()
    (tmp_path / "out").rename(tmp_path / "moved 'here'")
    folder = tmp_path / "moved 'here'"
    assert sorted(p.name for p in (folder / "inputs").iterdir()) == ["x-2.txt", "x-3.txt", "x.txt"]
    done = run_script(folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "run" / "joined").read_text() == "a\nb\nc d\nfirst=../inputs/x.txt\nit's $HOME\n"


def test_a_secret_is_asked_for_by_name_and_is_nowhere(tmp_path):
    source = tmp_path / "x"
    source.write_text("x\n")
    ran = Ran(tmp_path, Join(sources=[source]), {"MARK": "***", "URL": "redis://me:***@`h`/$(id)}"})
    ran.export(tmp_path / "out")
    asked = run_script(tmp_path / "out", URL="u")
    assert asked.returncode != 0
    assert "MARK" in asked.stderr
    assert not (tmp_path / "out" / "run").exists(), "nothing is begun without it"
    assert run_script(tmp_path / "out", MARK="known", URL="u").returncode == 0
    assert (tmp_path / "out" / "run" / "joined").read_text().endswith("known\n")
    assert "Set these first: MARK, URL" in (tmp_path / "out" / "README.txt").read_text()


def test_a_folder_as_an_input_is_copied_without_links_that_lead_out(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x").write_text("x")
    (folder / "inside").symlink_to("deep/x")
    (folder / "outside").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    exported = Ran(tmp_path, Join(sources=[folder])).export(folder / "out")
    copied = folder / "out" / "inputs" / "data"
    assert sorted(str(p.relative_to(copied)) for p in copied.rglob("*")) == ["deep", "deep/x", "inside"]
    assert (copied / "inside").read_text() == "x"
    problems = " ".join(exported.problems)
    assert all(name in problems for name in ("outside", "up", "pipe"))


def test_an_output_that_became_a_link_out_of_the_job_is_not_followed(tmp_path):
    source, secret = tmp_path / "x", tmp_path / "secret"
    source.write_text("x")
    secret.write_text("secret")
    made = tmp_path / "jobs" / "job-1" / "outputs" / "joined"
    outputs = {"out": OutputFile(path=made, size=6, sha256=sha256(b"secret"))}
    outputs["../../up"] = OutputFile(path=tmp_path / "jobs" / "job-1" / "outputs" / ".." / "up", size=1, sha256="")
    ran = Ran(tmp_path, Join(sources=[source]), outputs=outputs)
    made.symlink_to(secret)
    (ran.job / "up").write_text("u")
    exported = ran.export(tmp_path / "deep" / "er" / "out")
    assert any("leads elsewhere" in problem for problem in exported.problems)
    assert not list((tmp_path / "deep").rglob("joined"))
    assert {p.name for p in (tmp_path / "deep").rglob("up")} <= {"up"}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["er"]
    assert [p.name for p in (tmp_path / "deep" / "er").iterdir()] == ["out"]


def test_an_input_that_shrank_a_lot_says_both_sums_and_is_copied_as_it_is(tmp_path):
    source = tmp_path / "x"
    source.write_text("before")
    ran = Ran(tmp_path, Join(sources=[source]))
    source.write_text("after")
    exported = ran.export(tmp_path / "out")
    assert sha256(b"before") in exported.problems[0]
    assert sha256(b"after") in exported.problems[0]
    assert "HAS CHANGED" in (tmp_path / "out" / "README.txt").read_text()
    assert (tmp_path / "out" / "inputs" / "x").read_text() == "after"


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar.gz"])
def test_nothing_is_overwritten_and_nothing_half_done_stays(tmp_path, name):
    source = tmp_path / "x"
    source.write_text("x")
    ran = Ran(tmp_path, Join(sources=[source]))
    (tmp_path / name).symlink_to("nowhere")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(CannotExport, match="exists already"):
        ran.export(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_task_that_nobody_knows_any_more_is_exported_with_a_warning(tmp_path):
    source = tmp_path / "x"
    source.write_text("x")
    ran = Ran(tmp_path, Join(sources=[source]))
    exported = export_job(ran.record, Catalogue([]), ran.settings, tmp_path / "out")
    assert "no task is called 'join'" in exported.problems[0]
    assert (tmp_path / "out" / "inputs" / "x").exists(), "the record knows the inputs that were hashed"


def test_names_are_the_last_parts_of_paths_and_never_lead_anywhere():
    paths = ["/a/x.gz", "/b/x.gz", "/", "/a/..", "/c/x-2.gz", "/b/-n"]
    assert list(file_names(paths).values()) == ["x.gz", "x-2.gz", "input", "input-2", "x-2-2.gz", "-n"]


def test_paths_are_renamed_where_they_stand_whole():
    renaming = Renaming({"/data/a": "../inputs/a", "/data/a.h5": "../inputs/a.h5"})
    words = {
        "/data/a": "../inputs/a",
        "--in=/data/a": "--in=../inputs/a",
        "-n/data/a": "-n../inputs/a",
        "/data/a,/data/a.h5": "../inputs/a,../inputs/a.h5",
        "/data/a/b": "../inputs/a/b",
        "/data/a.txt": "/data/a.txt",
        "/mnt/data/a": "/mnt/data/a",
        "/data/ab": "/data/ab",
        "x": "x",
    }
    assert {word: renaming.word(word) for word in words} == words
    assert Renaming({}).word("/data/a") == "/data/a"


def test_each_word_arrives_as_it_was(tmp_path):
    words = ["a b", "it's", '"', "$(touch bad)", "`x`", "new\nline", "", "-n", "*", "ü", "\\"]
    argv = ("/bin/sh", "-c", 'for word; do printf "%s\\0" "$word"; done; printf "%s" "$ODD"', "sh", *words)
    script = RunScript("a title\nof two lines", argv, {"ODD": "$X'\n", "dotted.name": "1"}, stdout="said")
    (tmp_path / "run.sh").write_text(script.text())
    done = run_script(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "said").read_bytes() == "".join(f"{w}\0" for w in words).encode() + b"$X'\n"
    assert not list(tmp_path.rglob("bad"))


def test_the_exit_code_is_the_programs(tmp_path):
    (tmp_path / "run.sh").write_text(RunScript("t", ("/bin/sh", "-c", "exit 7"), {}).text())
    assert run_script(tmp_path).returncode == 7


def test_a_job_file_keeps_text_text_and_quotes_what_would_be_a_reference():
    import yaml

    words = ["0012", "1e5", "yes", "12:30", "null", "", "{{ name }}", "a: b", "plain word", "~", ".5"]
    spec = JobSpec(
        id="1",
        task="join",
        version="1",
        parameters={"words": words, "source": "/data/a", "other": "see /data/a", "n": 5, "x": 1.5e-7, "none": None},
        queue="big",
        limits=Limits(run=timedelta(hours=2), memory="2GiB"),
        retry=RetryPolicy(exit_codes={75, 3}),
    )
    text = job_file(spec, Renaming({"/data/a": "./inputs/a"}))
    read = yaml.safe_load(text)
    assert read["parameters"]["words"] == [w.replace("{{", r"\{{") for w in words]
    assert '"1e5"' in text, "YAML 1.2 takes it for a number"
    assert (read["parameters"]["source"], read["parameters"]["other"]) == ("./inputs/a", "see /data/a")
    assert (read["parameters"]["n"], read["parameters"]["x"], read["parameters"]["none"]) == (5, 1.5e-7, None)
    assert (read["task"], read["queue"]) == ("join", "big")
    assert Limits.model_validate(read["limits"]) == spec.limits
    assert RetryPolicy.model_validate(read["retry"]) == spec.retry


def test_t2_a_job_file_asks_for_the_recorded_tasklets_and_no_others(tmp_path):
    calls = {
        "before": ("copy_file a 0012", "checksum"),
        "after": (
            r"plot x={{ result.x }} title='\{{ a b' --when=always --optional --time-limit=90s --queue=web",
            "grep_text a b=c",
        ),
    }
    asked = {place: tuple(map(TaskletCall.of, words)) for place, words in calls.items()}
    spec = JobSpec(id="1", task="join", version="1", parameters={"sources": ["/x"]}, queue="big", **asked)
    (tmp_path / "job.yaml").write_text(job_file(spec, Renaming({})))
    described = load_job(tmp_path / "job.yaml", Catalogue([Join]))
    assert described.without == ("all",)
    assert {place: tuple(t.call for t in described.tasklets if t.place == place) for place in asked} == asked


def test_t5_what_tasklets_have_changed_is_what_is_run_again(tmp_path):
    (tmp_path / "a").write_text("a\n")
    (tmp_path / "b").write_text("b\n")
    ran = Ran(tmp_path, Join(sources=[tmp_path / "b"]), {"MARK": "m"})
    submitted = Join(sources=[tmp_path / "a"]).parameters()
    changed = ran.record.run.model_copy(update={"parameters": ran.record.spec.parameters})
    spec = ran.record.spec.model_copy(update={"parameters": submitted, "before": (TaskletCall.of("choose b"),)})
    ran.record = ran.record.model_copy(update={"spec": spec, "run": changed})
    exported = ran.export(tmp_path / "out")
    assert ["tasklets ran before the program (choose)" in problem for problem in exported.problems] == [True]
    assert run_script(tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "run" / "joined").read_text() == "b\nfirst=../inputs/b\nm\n"
    assert str(tmp_path / "a") in (tmp_path / "out" / "job.yaml").read_text()
