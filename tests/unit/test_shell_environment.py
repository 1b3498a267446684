"""What scripts and modules make of an environment, by a real bash; and what becomes of the job when they fail."""

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempt, Shell, runs
from support import eventually

from outrider import Environment, Limits
from outrider.communicators import Wish
from outrider.config.errors import CannotRun, Superseded
from outrider.worker.shell_environment import captured_variables
from outrider.worker.shell_steps import ShellSteps

INHERITED = {"PATH": os.environ["PATH"], "KEPT": "as it was", "SHLVL": "7", "PWD": "/elsewhere"}


@pytest.fixture
def script(tmp_path):
    """Write a script, and return its path."""

    def write(text: str, name: str = "setup.sh") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def left(environment: Environment, folder: Path, inherited=INHERITED, init: Path | None = None) -> dict[str, str]:
    """Return what is left, and check that nobody is."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    steps = ShellSteps.of(environment, inherited, init)
    return asyncio.run(captured_variables(steps, inherited, work, folder / "environment.log"))


def changed(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if INHERITED.get(name) != value}


LEAVE: dict[str, tuple[str, dict[str, str]]] = {
    "exported": ("export A=1; B=2", {"A": "1"}),
    "declared": ("declare -x A=1; typeset -x B=2", {"A": "1", "B": "2"}),
    "lines": ("export A=$'x\\ny\\n'", {"A": "x\ny\n"}),
    "an equals sign": ("export A=b=c=", {"A": "b=c="}),
    "no unicode": ("export A=$'\\xff'", {"A": "\udcff"}),
    "changed": ("export KEPT=changed", {"KEPT": "changed"}),
    "a function": ("f() { echo hi; }; export -f f", {"BASH_FUNC_f%%": "() {  echo hi\n}"}),
    "strict": ("set -eu -o pipefail; export A=1", {"A": "1"}),
    "posix": ("set -o posix; export A=1", {"A": "1"}),
    "allexport": ("set -a; A=1", {"A": "1"}),
    "a trace": ("set -x; export A=1", {"A": "1"}),
    "traps": ("trap 'exit 9' EXIT ERR; trap 'echo at work' DEBUG; export A=1", {"A": "1"}),
    "elsewhere": ("cd /; pushd /tmp; export A=1", {"A": "1"}),
    "words of its own": ("shift 2>&1; set -- x y; export A=$#", {"A": "2"}),
    "low descriptors": ("exec 3</dev/null 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; export A=1", {"A": "1"}),
    "most descriptors": ('for n in {3..99}; do eval "exec $n>&-"; done; export A=1', {"A": "1"}),
    "no streams": ("exec >&- 2>&-; export A=1", {"A": "1"}),
    "another separator": ("IFS=0123456789; export A=1", {"A": "1"}),
    "reads": ("read x && exit 1; export A=1", {"A": "1"}),
    "another path": ("export PATH=/nowhere", {"PATH": "/nowhere"}),
    "functions in the way": ("env() { exit 3; }; echo() { exit 3; }; source() { exit 3; }; export A=1", {"A": "1"}),
    "printing": ("echo out; echo err >&2; export A=1", {"A": "1"}),
    "no code": ('export A="`echo no` $(echo code)"', {"A": "no code"}),
}


@pytest.mark.parametrize("kind", LEAVE)
def test_p6_what_a_script_exports_is_kept_and_nothing_else(tmp_path, script, kind):
    text, variables = LEAVE[kind]
    assert changed(left(Environment(source=(script(text),)), tmp_path)) == variables


def test_p6_what_a_script_would_tidy_up_at_the_shells_end_is_there_for_the_program(tmp_path, script):
    left(Environment(source=(script("touch made; trap 'rm made' EXIT"),)), tmp_path)
    assert (tmp_path / "work" / "made").exists()


def test_p6_what_a_script_unsets_is_gone(tmp_path, script):
    assert "KEPT" not in left(Environment(source=(script("unset KEPT"),)), tmp_path)


def test_p6_what_the_shell_keeps_for_itself_is_as_it_was(tmp_path, script):
    variables = left(Environment(source=(script("cd /"),)), tmp_path)
    assert (variables["SHLVL"], variables["PWD"]) == ("7", "/elsewhere")
    assert not {"_", "OLDPWD"} & set(variables)


def test_p6_variables_that_would_change_bash_do_not_and_arrive(tmp_path, script):
    hook = script("export HOOKED=1; exit 4", "hook.sh")
    special = {"BASH_ENV": hook, "SHELLOPTS": "noexec:xtrace", "POSIXLY_CORRECT": "1"}
    variables = left(Environment(source=(script("export A=1"),)), tmp_path, {**INHERITED, **special})
    assert changed(variables) == {"A": "1", **special}


def test_p6_scripts_are_sourced_in_order_with_their_own_words(tmp_path, script):
    tell = 'export TOLD="$TOLD<$#:$*>" HERE="${BASH_SOURCE[0]}"'
    words = ("a b", "$(touch bad)", "; touch bad", "'\"")
    first, second = script(tell, "first one.sh"), script(tell, "$(touch bad).sh")
    variables = left(Environment(source=((first, *words), second)), tmp_path)
    assert variables["TOLD"] == f"<4:{' '.join(words)}><0:>"
    assert variables["HERE"] == second
    assert not (tmp_path / "work" / "bad").exists()


def test_p6_a_script_sees_what_the_one_before_left(tmp_path, script):
    source = (script("export A=1; f() { export B=$A; }; local_one=2", "a.sh"), script("f; export C=$local_one", "b.sh"))
    assert changed(left(Environment(source=source), tmp_path)) == {"A": "1", "B": "1", "C": "2"}


def test_p6_it_runs_in_the_working_directory_and_what_it_prints_is_kept(tmp_path, script):
    left(Environment(source=(script("pwd; echo complaint >&2"),)), tmp_path)
    assert (tmp_path / "environment.log").read_text() == f"{tmp_path}/work\ncomplaint\n"


def test_a_home_is_that_of_the_worker(tmp_path, script, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    script("export A=1")
    assert changed(left(Environment(source=("~/setup.sh",)), tmp_path)) == {"A": "1"}


FAIL = {
    "returns": ("echo why >&2; return 5", r"the script .*/setup\.sh failed with exit code 5\n  \| why"),
    "last command fails": ("export A=1; false", "setup.sh failed with exit code 1"),
    "exits": ("echo why; exit 6", r"setup\.sh ended the shell with exit code 6\n  \| why"),
    "exits well": ("exit 0", "setup.sh ended the shell with exit code 0"),
    "is strict": ("set -e; false; export A=1", "setup.sh ended the shell with exit code 1"),
    "uses what is not set": (
        "set -u; echo $NOT_THERE",
        r"ended the shell with exit code \d+\n  \| .*NOT_THERE: unbound",
    ),
    "makes no sense": ("if", r"setup\.sh failed with exit code \d+\n  \| .*syntax error"),
    "becomes another": ("exec true", "ended the shell with exit code 0"),
    "does nothing any more": ("set -n", "ended the shell with exit code 0"),
    "kills": ("kill -KILL $$", "was killed by SIGKILL"),
    "prints for ever where nobody sees it": (
        "rm ../environment.log; yes",
        "removed the file of what they print",
    ),
    "prints for ever": ("yes", r"printed more than \d+ bytes; see .*environment\.log"),
    "exports too much": (
        "export A=$(head -c 3000000 /dev/zero | tr '\\0' a)",
        "set more than a program can be started",
    ),
}


@pytest.mark.parametrize("kind", FAIL)
def test_p6_a_script_that_fails_is_named_with_its_words(tmp_path, script, kind):
    text, words = FAIL[kind]
    begun = time.monotonic()
    with pytest.raises(CannotRun, match=words) as refusal:
        left(Environment(source=(script(text),)), tmp_path)
    assert refusal.value.reason == "environment"
    assert len(str(refusal.value)) < 50_000
    assert time.monotonic() - begun < 10


def test_p6_only_the_last_lines_are_quoted(tmp_path, script):
    with pytest.raises(CannotRun) as refusal:
        left(Environment(source=(script("for ((i = 0; i < 1000; i++)); do echo line $i; done; return 1"),)), tmp_path)
    assert str(refusal.value).count("\n") == 10
    assert str(refusal.value).endswith("| line 999")


def test_p6_the_second_of_two_is_named(tmp_path, script):
    source = (script("true", "good.sh"), script("false", "bad.sh"), script("touch reached", "never.sh"))
    with pytest.raises(CannotRun, match=r"bad\.sh failed with exit code 1"):
        left(Environment(source=source), tmp_path)
    assert not (tmp_path / "work" / "reached").exists()


def test_p6_a_script_that_is_missing_or_no_file_is_named_before_any_runs(tmp_path, script):
    os.mkfifo(tmp_path / "pipe")
    good = script("touch reached")
    for name, why in (("missing", "No such file"), ("pipe", "is no file"), (".", "is no file")):
        with pytest.raises(CannotRun, match=f"the script .*{why}") as refusal:
            left(Environment(source=(good, str(tmp_path / name))), tmp_path)
        assert str(tmp_path / name) in str(refusal.value)
    with pytest.raises(CannotRun, match=r"the script ~nobody-here/x\.sh cannot be read"):
        left(Environment(source=("~nobody-here/x.sh",)), tmp_path)
    assert not (tmp_path / "work" / "reached").exists()


def test_who_holds_the_log_holds_up_nobody(tmp_path, script):
    begun = time.monotonic()
    variables = left(Environment(source=(script("setsid sleep 4 & export A=$!"),)), tmp_path)
    assert time.monotonic() - begun < 3
    eventually(lambda: not runs(int(variables["A"])), "it ends", 8)


#: A small `module`, in three ways to fail.
FAKE_INIT = """
module() {
    case $2 in
        fine*) export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}$2/1.0" FINE="$FINE$2 " ;;
        alias) export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}fine/2.0" ;;
        quiet) echo "ERROR: unable to locate a modulefile for $2" >&2 ;;
        *) echo "ERROR: no $2" >&2; return 1 ;;
    esac
}
false
"""


@pytest.fixture
def fake_init(script):
    return Path(script(FAKE_INIT, "init"))


def test_p6_modules_are_loaded_before_scripts(tmp_path, script, fake_init):
    environment = Environment(modules=("fine", "alias", "fine-too"), source=(script('export SEEN="$FINE"'),))
    variables = left(environment, tmp_path, init=fake_init)
    assert variables["LOADEDMODULES"] == "fine/1.0:fine/2.0:fine-too/1.0"
    assert variables["SEEN"] == "fine fine-too "


@pytest.mark.parametrize("name", ["here", "here/1.2", "here/1"])
def test_a_module_that_is_there_already_is_loaded(tmp_path, script, name):
    init = Path(script("module() { :; }", "init"))
    left(Environment(modules=(name,)), tmp_path, {**INHERITED, "LOADEDMODULES": "other/1:here/1.2"}, init)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("quiet", "`module load quiet` loaded nothing\n  | ERROR: unable to locate a modulefile for quiet"),
        ("missing", "`module load missing` failed with exit code 1\n  | ERROR: no missing"),
    ],
)
def test_p6_a_module_that_cannot_be_loaded_is_named_with_its_words(tmp_path, fake_init, name, words):
    with pytest.raises(CannotRun) as refusal:
        left(Environment(modules=("fine", name)), tmp_path, init=fake_init)
    assert str(refusal.value) == words


def test_p6_the_modules_home_says_where_they_are_defined(tmp_path, script):
    (tmp_path / "init").mkdir()
    script(FAKE_INIT, "init/bash")
    inherited = {**INHERITED, "MODULESHOME": str(tmp_path)}
    assert left(Environment(modules=("fine",)), tmp_path, inherited)["FINE"] == "fine "


def test_p6_without_modules_the_setting_is_named(tmp_path, script, monkeypatch):
    monkeypatch.setattr("outrider.worker.shell_steps._USUAL_PLACES", ())
    with pytest.raises(CannotRun, match="OUTRIDER_MODULES_INIT"):
        left(Environment(modules=("fine",)), tmp_path)
    with pytest.raises(CannotRun, match=r"OUTRIDER_MODULES_INIT names .*/nothing cannot be read: No such file"):
        left(Environment(modules=("fine",)), tmp_path, init=tmp_path / "nothing")
    with pytest.raises(CannotRun, match="defines no `module`; OUTRIDER_MODULES_INIT"):
        left(Environment(modules=("fine",)), tmp_path, init=Path(script("true", "init")))


@pytest.mark.skipif(
    shutil.which("modulecmd") is None and not Path("/usr/share/modules/init/bash").is_file(),
    reason="no Environment Modules here",
)
def test_p6_real_modules(tmp_path):
    folder = tmp_path / "modulefiles"
    folder.mkdir()
    (folder / "tool").write_text("#%Module\nsetenv TOOL_HOME /opt/tool\nprepend-path PATH /opt/tool/bin\n")
    inherited = {**INHERITED, "MODULEPATH": str(folder)}
    variables = left(Environment(modules=("tool",)), tmp_path, inherited)
    assert (variables["TOOL_HOME"], variables["LOADEDMODULES"]) == ("/opt/tool", "tool")
    assert variables["PATH"] == f"/opt/tool/bin:{INHERITED['PATH']}"
    with pytest.raises(CannotRun, match=r"`module load no-tool`.*\n  \|.*no-tool"):
        left(Environment(modules=("no-tool",)), tmp_path, inherited)


def task_with(environment: Environment, script: str = "env") -> Shell:
    return type(Shell)("Sources", (Shell,), {"environment": environment, "__module__": __name__})(script=script)


def test_p6_the_program_sees_what_the_scripts_left(attempt, script):
    environment = Environment(source=(script("export A=1 B=2 PROGRAMS=; unset PATH"),), append={"B": "3"})
    job = attempt(task_with(Environment(**{**environment.model_dump(), "set": {"PATH": os.environ["PATH"]}})))
    assert job.run().state == "succeeded"
    seen = dict(line.partition("=")[::2] for line in job.lines())
    assert (seen["A"], seen["B"], seen["PROGRAMS"], seen["OUTRIDER_JOB"]) == ("1", "2:3", "", "job-1")
    assert {"A": "1", "B": "2:3", "PROGRAMS": ""}.items() <= job.record.run.environment.items()


def test_p6_a_failing_script_ends_the_job_before_the_program(attempt, script):
    job = attempt(task_with(Environment(source=(script("echo why >&2; exit 3"),)), "touch reached"))
    outcome = job.run()
    assert (outcome.state, outcome.reason, outcome.exit) == ("failed", "environment", None)
    assert "setup.sh ended the shell with exit code 3" in outcome.error
    assert "why" in outcome.error
    assert job.record.run is None
    assert not (job.directory / "attempt-1" / "work" / "reached").exists()


def pids_in(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()] if path.exists() else []


@pytest.fixture
def stubborn(script, tmp_path):
    """A script that hangs, deaf to TERM, with somebody who fled; and the file where their ids are."""
    pids = tmp_path / "pids"
    text = f"""trap '' TERM
    setsid sh -c 'trap "" TERM; echo $$ >> {pids}; while :; do sleep 0.1; done' &
    echo $$ >> {pids}
    while :; do sleep 0.1; done
    """
    return script(text), pids


ENDINGS: dict[str, Any] = {
    "cancel": lambda job: (job.ledger.wish("job-1", Wish.CANCEL), job.executor.upward.wake()),
    "hand back": lambda job: job.executor.hand_back("was stopped"),
    "hand back at once": lambda job: job.executor.hand_back("was stopped", at_once=True),
    "another has it": lambda job: job.executor.superseded(Superseded("job-1")),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_x2_an_attempt_that_is_to_end_ends_while_scripts_run(attempt, stubborn, how):
    path, pids = stubborn
    job = attempt(task_with(Environment(source=(path,))))
    begun = 0.0

    async def end(job: Attempt) -> None:
        nonlocal begun
        await job.until(lambda: len(pids_in(pids)) == 2, "the script runs")
        begun = time.monotonic()
        if (waiting := ENDINGS[how](job)) and asyncio.iscoroutine(waiting):
            await waiting

    if how == "another has it":
        with pytest.raises(Superseded):
            job.run(end)
    else:
        end_of_it = job.run(end)
        if how == "cancel":
            assert end_of_it.state == "cancelled"
            assert end_of_it.error == "the attempt was cancelled"
        else:
            assert end_of_it.note == "again: the attempt was stopped"
    assert time.monotonic() - begun < 0.5 + 1
    assert job.record.run is None
    assert not [pid for pid in pids_in(pids) if runs(pid)]


def test_x2_a_cancel_from_before_the_scripts_is_heard(attempt, stubborn):
    path, _ = stubborn
    job = attempt(task_with(Environment(source=(path,))))
    job.ledger.wish("job-1", Wish.CANCEL)
    begun = time.monotonic()
    assert job.run().state == "cancelled"
    assert time.monotonic() - begun < 3


def test_x4_the_preparations_limit_ends_scripts(tmp_path, stubborn):
    path, pids = stubborn
    task = task_with(Environment(source=(path,)))
    job = Attempt(tmp_path, task, limits=Limits(preparation="700ms"))
    begun = time.monotonic()
    outcome = job.run()
    assert time.monotonic() - begun < 3
    assert (outcome.state, outcome.error) == ("timed_out", "the preparation took longer than 0:00:00.700000")
    assert len(pids_in(pids)) == 2
    assert not [pid for pid in pids_in(pids) if runs(pid)]


@pytest.mark.parametrize("program", ["sh", "no-such-program"])
def test_what_a_script_leaves_is_gone_after_the_attempt(attempt, script, tmp_path, program):
    pids = tmp_path / "pids"
    path = script(f"setsid sh -c 'echo $$ > {pids}; exec sleep 300' & while [ ! -s {pids} ]; do sleep 0.01; done")
    members = {"environment": Environment(source=(path,)), "executable": program, "__module__": __name__}
    task = type(Shell)("Leaves", (Shell,), members)(script=f"kill -0 $(cat {pids})")

    async def end(job: Attempt) -> None:
        await job.until(lambda: job.record.state.is_terminal, "the attempt has ended")
        await job.until(lambda: not [pid for pid in pids_in(pids) if runs(pid)], "nobody is left")

    outcome = attempt(task).run(end)
    assert outcome.state == ("succeeded" if program == "sh" else "failed"), outcome.message
    assert pids_in(pids)


def test_p6_two_attempts_at_a_time_see_each_their_own(tmp_path, script):
    before = dict(os.environ)
    jobs = []
    for name in ("one", "two"):
        path = script(f"export ONLY_{name}=1 BOTH={name}; sleep 0.2", f"{name}.sh")
        task = task_with(Environment(source=(path,)), 'sleep 0.2; echo "$ONLY_one/$ONLY_two/$BOTH"')
        jobs.append(Attempt(tmp_path, task, job_id=name))

    async def main() -> None:
        await asyncio.gather(*(job.executor.run() for job in jobs))

    asyncio.run(main())
    assert [job.lines() for job in jobs] == [["1//one"], ["/1/two"]]
    assert dict(os.environ) == before
