"""T: tasklets around a job, with real workers in both pools."""

import os
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.events.state import State
from job_tasklets import changes, gives, is_slow, makes, tells
from little_tasklets import add, crashes, fails, is_deaf, leaves_children, nothing, sleeps, where
from little_tasks import Shell, ShellWithOutput, Sum
from notice_servers import HttpServer
from support import celery_events, eventually

import outrider
from outrider import Heartbeat, JobFailed, Settings, TaskletCall
from outrider.client import SubmitOptions
from outrider.communicators import (
    AttemptFacts,
    Bounds,
    JobSpec,
    RedisClient,
    TaskletEnded,
    TaskletRun,
    commands,
)

MODULES = "little_tasks,own_tasks,tasks_with_tasklets,little_tasklets,job_tasklets"
WEB = "tasklets-web"


def settings_for(queue):
    return {"OUTRIDER_TASKS": MODULES, "OUTRIDER_QUEUE": queue}


def client_for(queue):
    return outrider.Client(Settings(queue=queue, tasks=tuple(MODULES.split(","))))


@pytest.fixture(scope="module", params=["threads", "prefork"])
def queue(request, start_worker):
    """A queue that has one worker, of each pool in turn."""
    queue = f"tasklets-of-{request.param}"
    worker = start_worker(pool=request.param, concurrency=2, **settings_for(queue))
    yield queue
    worker.stop()


@pytest.fixture
def client(queue):
    return client_for(queue)


@pytest.fixture(scope="module")
def web_worker(start_worker):
    """A worker for another queue."""
    worker = start_worker(pool="threads", concurrency=2, **settings_for(WEB))
    yield worker
    worker.stop()


@pytest.fixture
def tasks_seen(environment):
    """What a monitor such as Flower knows of tasks, from Celery's events."""
    state = State()
    with celery_events(state.event):
        yield state.tasks


def submit(client, task, *, before=(), after=()):
    return client.submit(task, options=SubmitOptions(before=before, after=after))


def optional(tasklet, *args, **options):
    return TaskletCall.of(tasklet.si(*args), **{"required": False, **options})


def always(tasklet, *args, **options):
    return TaskletCall.of(tasklet.si(*args), **{"when": "always", **options})


def began(job, seconds=15):
    """Return the process of a tasklet that sleeps, once it does."""
    place = eventually(lambda: next(folder_of(job).glob("attempt-*/work/began"), None), "the tasklet runs", seconds)
    return int(eventually(place.read_text, "it has said who it is"))


def folder_of(job):
    return Path(os.environ["OUTRIDER_WORK_ROOT"], job.id)


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# --- what monitors see


def test_t3_monitors_list_each_with_its_arguments_result_and_run_time(client, tasks_seen):
    job = submit(client, Sum(left=1, right=2), before=[add.si(1, b=2)], after=[optional(fails, "no peak")])
    assert job.result(timeout=30) == 3
    ok, failed = (run.id for run in job.tasklets())
    eventually(
        lambda: {ok, failed} <= set(tasks_seen) and tasks_seen[failed].exception, "the monitor has heard of both"
    )
    seen = tasks_seen[ok]
    assert (seen.name, seen.state, seen.result) == ("outrider.tasklets.add", "SUCCESS", "3")
    assert (seen.args, seen.kwargs) == ("(1)", "{'b': 2}")
    assert (seen.parent_id, seen.root_id) == (job.id, job.id)
    assert 0 < seen.runtime < 5
    assert seen.worker.hostname == job.record().worker
    assert (tasks_seen[failed].state, tasks_seen[failed].exception) == ("FAILURE", "ValueError: no peak")
    assert "raise ValueError" in tasks_seen[failed].traceback


def test_t3_one_with_a_queue_runs_there(client, web_worker, tasks_seen):
    asked = [where.si().set(queue=WEB), add.s(b="{{ result }}").set(queue=WEB)]
    job = submit(client, Sum(left=1, right=2), after=[asked[0], add.si(1, b="{{ result }}").set(queue=WEB)])
    assert job.result(timeout=30) == 3
    there, added = job.tasklets()
    assert (there.queue, str(there.state)) == (WEB, "succeeded")
    runner = there.parts[0].values["parent"]
    assert parent_of(runner) == web_worker.process.pid
    work = folder_of(job) / "attempt-1" / "work"
    assert there.parts[0].values["directory"] == str(work), "both have the job's folder"
    assert added.parts[0].text == "4"
    eventually(
        lambda: there.id in tasks_seen and tasks_seen[there.id].state == "SUCCESS", "the monitor has heard of it"
    )
    assert tasks_seen[there.id].parent_id == job.id
    assert tasks_seen[there.id].worker.hostname == web_worker.name


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_t3_what_goes_wrong_on_a_queue_is_told_as_in_the_jobs_slot(client, web_worker):
    wrong = [optional(fails, "no", queue=WEB), optional(crashes, queue=WEB), optional(is_slow, queue=WEB)]
    job = submit(client, Sum(left=1, right=2), after=wrong)
    assert job.result(timeout=30) == 3
    assert [str(run.state) for run in job.tasklets()] == ["failed", "crashed", "timed_out"]
    assert [run.error for run in job.tasklets()][:2] == ["ValueError: no", "crashed by SIGSEGV"]
    assert "so far so good" in job.tasklets()[0].printed
    assert len(job.record().outcome.warnings) == 3


def test_t3_a_queue_without_a_worker_is_waited_for_as_long_as_the_limit_says(client):
    job = submit(client, Sum(left=1, right=2), after=[optional(nothing, queue="nobody-there", time_limit="0.5s")])
    assert job.result(timeout=30) == 3
    (run,) = job.tasklets()
    assert run.state == "timed_out"
    assert run.error == "there was no answer from the queue 'nobody-there' within its limit of 0.5 s"


def test_t3_a_cancel_ends_a_tasklet_on_a_queue(client, web_worker):
    job = submit(client, Sum(left=1, right=2), after=[sleeps.si(60).set(queue=WEB)])
    pid = began(job)
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    eventually(lambda: gone(pid), "the other worker has ended it", 5)


# --- inputs, parameters, returned values


def test_t5_inputs_are_made_and_parameters_changed_and_both_are_recorded(client):
    before = [makes.si("numbers.txt", "2\n"), changes.si(script="cat numbers.txt > made.txt")]
    job = submit(client, ShellWithOutput(script="exit 3"), before=before)
    assert job.result(timeout=30) == "2\n"
    record = job.record()
    assert record.spec.parameters["script"] == "exit 3"
    assert record.run.parameters["script"] == "cat numbers.txt > made.txt"
    assert [part.kind for run in record.tasklets for part in run.parts] == ["file", "parameters"]


def test_t5_a_task_of_our_own_gets_changed_parameters(client):
    job = client.submit("add", {"left": 1, "right": 1}, SubmitOptions(before=[changes.si(right=41)]))
    assert job.result(timeout=30) == 42


def test_t6_a_file_is_kept_and_a_summary_is_on_the_record(client):
    job = submit(client, Shell(script="echo '<svg/>' > plot.svg"), after=[gives.si("plot.svg"), where.si()])
    job.result(timeout=30)
    first, second = job.record().tasklets
    assert first.parts[0].media_type == "image/svg+xml"
    assert first.files["plot.svg"] == job.record().outcome.artifacts["plot.svg"]
    assert second.parts[0].values["directory"].endswith("attempt-1/work")
    assert (folder_of(job).parent / first.files["plot.svg"].key).read_text() == "<svg/>\n"


# --- conditions


@pytest.mark.parametrize("state", ["succeeded", "failed", "timed_out", "cancelled"])
def test_t7_which_ones_run_depends_on_the_end(client, state):
    script = {"succeeded": "true", "failed": "exit 3"}.get(state, "sleep 60")
    after = [TaskletCall.of(add.si(n, 0), when=when) for n, when in enumerate(("success", "failure", "always"))]
    limits = outrider.Limits(run="0.5s") if state == "timed_out" else None
    job = client.submit(Shell(script=script), options=SubmitOptions(after=after, limits=limits))
    if state == "cancelled":
        eventually(lambda: job.status() == "running", "the program runs")
        job.cancel()
    assert job.wait(timeout=20).state == state
    ran = [str(run.state) == "succeeded" for run in job.tasklets()]
    assert ran == [state == "succeeded", state == "failed", True]


def test_t7_a_required_one_that_fails_stops_the_job_before_its_program(client, tmp_path):
    job = submit(client, Shell(script=f"touch {tmp_path}/ran"), before=[fails.si("no frames")])
    with pytest.raises(JobFailed, match="the tasklet fails before the program failed: ValueError: no frames"):
        job.result(timeout=30)
    assert job.record().outcome.reason == "tasklet"
    assert not (tmp_path / "ran").exists()


def test_t7_an_optional_one_leaves_a_warning(client):
    job = submit(client, Sum(left=1, right=2), before=[optional(fails)])
    assert job.result(timeout=30) == 3
    assert job.record().outcome.warnings == ("fails: failed: ValueError: no peak",)


# --- limits, crashes, signs of life


@pytest.mark.alone
def test_t8_a_limit_ends_it_and_what_it_started_while_heartbeats_go_out(client):
    after = [
        optional(is_deaf, time_limit="1.8s"),
        optional(leaves_children, "hang", time_limit="1s"),
        optional(crashes),
        nothing.si(),
    ]
    job = submit(client, Sum(left=1, right=2), after=after)
    assert job.result(timeout=30) == 3
    runs = job.tasklets()
    assert [str(run.state) for run in runs] == ["timed_out", "timed_out", "crashed", "succeeded"]
    assert runs[0].elapsed_seconds < 2.8
    work = folder_of(job) / "attempt-1" / "work"
    assert gone(int((work / "began").read_text()))
    assert all(map(gone, map(int, (work / "children").read_text().split())))
    assert len([message for message in job.watch() if isinstance(message, Heartbeat)]) >= 3


@pytest.mark.alone
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_cancel_is_obeyed_within_a_second(client, place):
    job = submit(client, Sum(left=1, right=2), **{place: [sleeps.si(60)]})
    pid = began(job)
    asked = time.monotonic()
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert time.monotonic() - asked < 1
    assert gone(pid)


@pytest.mark.alone
def test_a_second_cancel_ends_those_that_always_run(client):
    job = submit(client, Shell(script="sleep 60"), after=[always(sleeps, 60), always(nothing)])
    eventually(lambda: job.status() == "running", "the program runs")
    job.cancel()
    pid = began(job)
    assert job.status() == "cancelling"
    asked = time.monotonic()
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert time.monotonic() - asked < 1
    assert gone(pid)
    assert [str(run.state) for run in job.tasklets()] == ["cancelled", "skipped"]


def test_a_new_attempt_begins_with_no_tasklets_on_its_record(redis_server):
    bounds, lease = Bounds(100, timedelta(minutes=1)), timedelta(minutes=1)
    redis = RedisClient(redis_server.url, timedelta(seconds=5))
    redis.run(commands.open_job(JobSpec(id="again-1", task="t", version="1", parameters={}, queue="q"), bounds))
    run = TaskletRun(id="1", tasklet="plot", place="before", number=1, state="succeeded")
    for attempt in (1, 2):
        held = redis.run(commands.claim("again-1", f"claim-{attempt}", "w", "", bounds, lease))
        assert redis.run(commands.read_record("again-1")).tasklets == ()
        redis.run(commands.emit(held, [TaskletEnded(run=run)], bounds))
        assert redis.run(commands.read_record("again-1")).tasklets == (run,)
        lost = AttemptFacts(worker="w", state="lost")
        redis.run(commands.release(held, lost, "again", timedelta(0), bounds))


@pytest.mark.alone
@pytest.mark.parametrize("pool", ["threads", "prefork"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_t8_a_worker_that_is_killed_leaves_no_tasklet_and_the_job_runs_again(start_worker, pool, place):
    queue = f"tasklets-killed-{pool}-{place}"
    lease = {"OUTRIDER_LEASE": "2s", "OUTRIDER_VISIBILITY_TIMEOUT": "2s"}
    victim = start_worker(pool=pool, concurrency=1, own_group=True, **settings_for(queue), **lease)
    job = submit(client_for(queue), Sum(left=1, right=2), **{place: [sleeps.si(2)]})
    pid = began(job)
    victim.process.kill()
    eventually(lambda: gone(pid), "the tasklet is gone", 10)
    other = start_worker(pool=pool, concurrency=1, **settings_for(queue), **lease)
    assert job.result(timeout=40) == 3
    record = job.record()
    assert record.attempt == 2
    assert [str(run.state) for run in record.tasklets] == ["succeeded"]
    other.stop()


# --- sinks


@pytest.mark.parametrize("trouble", ["slow", "refuses", "nobody"])
def test_t9_sinks_in_trouble_change_no_outcome_and_keep_no_job_waiting(start_worker, trouble):
    queue = f"tasklets-sink-{trouble}"
    server = HttpServer(200 if trouble == "slow" else 500, seconds=20 if trouble == "slow" else 0)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}" if trouble == "nobody" else server.url
        worker = start_worker(pool="threads", concurrency=1, OUTRIDER_WEBHOOK_URL=url, **settings_for(queue))
        job = submit(client_for(queue), Sum(left=1, right=2), after=[tells.si("{{ job.id }} is {{ job.state }}")])
        asked = time.monotonic()
        assert job.result(timeout=30) == 3
        assert time.monotonic() - asked < 10
        assert job.record().outcome.warnings == ()
        if trouble != "nobody":
            eventually(lambda: server.requests, "the notice has come")
            assert f"{job.id} is succeeded".encode() in server.requests[0][2]
        worker.stop()
    server.shutdown()
    server.server_close()


# --- producers without Outrider, and jobs without tasklets


def test_a_message_of_a_stranger_gets_the_tasklets_of_the_task(client, queue, redis_server):
    stranger = Celery("stranger", broker=f"redis+socket://{redis_server.socket}")
    sent = stranger.send_task("outrider.counted", kwargs={"number": 21}, queue=queue)
    job = eventually(lambda: known(client, sent.id), "the worker has opened the record")
    assert job.wait(timeout=30).result == 42, "a tasklet before the program has doubled it"
    assert [run.tasklet for run in job.tasklets()] == ["doubled", "digits_of", "checksum"]


def known(client, job_id):
    try:
        return client.job(job_id)
    except outrider.JobNotFound:
        return None


def test_t10_a_job_without_tasklets_ends_with_a_readable_summary(client, cli):
    job = client.submit(Sum(left=1, right=2))
    assert job.result(timeout=30) == 3
    assert str(list(job.watch())[-1]) == "succeeded"
    shown = cli("show", job.id).stdout
    assert "succeeded" in shown
    assert "sh -c" in shown
