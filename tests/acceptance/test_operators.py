"""O: what operators see in Flower."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from little_tasks import Shell, Sum
from support import eventually


class Flower:
    def __init__(self, process, port):
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return answer.read().decode()

    def post(self, path):
        request = urllib.request.Request(f"{self.url}{path}", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def answers(self):
        with contextlib.suppress(OSError, urllib.error.URLError):
            return self.get("/healthcheck")
        return None

    def task(self, job_id):
        with contextlib.suppress(urllib.error.HTTPError):
            return json.loads(self.get(f"/api/task/info/{job_id}"))
        return {}

    def row(self, job_id):
        query = {"draw": 1, "start": 0, "length": 100, "search[value]": job_id}
        query |= {"order[0][column]": 0, "order[0][dir]": "asc", "columns[0][data]": "name"}
        rows = json.loads(self.get(f"/tasks/datatable?{urllib.parse.urlencode(query)}"))["data"]
        return next((row for row in rows if row["uuid"] == job_id), {})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def flower(worker, environment, short_folder, tmp_path_factory):
    port = free_port()
    with (short_folder / "flower.log").open("wb") as log:
        words = [sys.executable, "-m", "celery", "-A", "outrider", "flower", f"--port={port}"]
        process = subprocess.Popen(words, stdout=log, stderr=log, env=dict(os.environ))
    flower = Flower(process, port)
    eventually(flower.answers, "Flower answers", 30)
    eventually(lambda: "flower_worker_online{" in flower.get("/metrics"), "Flower hears the workers' events", 30)
    yield flower
    process.terminate()
    process.wait(10)


def test_o1_jobs_stand_under_their_programs_names_with_parameters_and_result(flower, producer, worker):
    job = producer.submit(Sum(left=19, right=23))
    assert job.result(timeout=20) == 42
    task = eventually(lambda: flower.task(job.id).get("state") == "SUCCESS" and flower.task(job.id), "Flower knows")
    assert task["name"] == "outrider.sum"
    assert "'left': 19" in task["kwargs"]
    assert task["result"] == "42"
    assert task["worker"] == worker.name


def test_o1_progress_shows_and_keeps_the_terminate_button_which_kills_the_tree(flower, producer, worker, tmp_path):
    script = f"sleep 61 & echo $! > {tmp_path}/child; echo at 3 of 7 frames; sleep 62"
    job = producer.submit(Shell(script=script))
    row = eventually(lambda: flower.row(job.id).get("progress") and flower.row(job.id), "the progress is in the table")
    assert row["progress"] == "3/7 frames"
    assert row["state"] == "STARTED"
    page = flower.get(f"/task/{job.id}")
    assert "task-terminate" in page
    pids = [job.record().run.pid, int((tmp_path / "child").read_text())]
    flower.post(f"/api/task/revoke/{job.id}?terminate=true")
    assert job.wait(timeout=10).state == "cancelled"
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}") and _state(pid) != "Z"]
    eventually(lambda: flower.row(job.id).get("state") == "REVOKED", "Flower says REVOKED")


def test_o1_failures_are_shown_with_their_reason(flower, producer, worker):
    job = producer.submit(Shell(script="echo no beam >&2; exit 3"))
    job.wait(timeout=20)
    task = eventually(lambda: flower.task(job.id).get("state") == "FAILURE" and flower.task(job.id), "Flower knows")
    assert "no beam" in task["exception"]


def test_o3_flower_is_not_open_to_strangers(environment):
    words = [sys.executable, "-m", "celery", "-A", "outrider", "flower", "--address=0.0.0.0", f"--port={free_port()}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "--basic-auth" in done.stderr


def test_celerys_own_result_tells_the_truth(producer, worker, environment):
    from outrider import app

    done, bad = producer.submit(Sum(left=1, right=2)), producer.submit(Shell(script="echo why >&2; exit 5"))
    assert app.AsyncResult(done.id).get(timeout=20) == 3
    with pytest.raises(producer.JobFailed, match="why"):
        app.AsyncResult(bad.id).get(timeout=20)


def _state(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_o1_a_flower_that_is_started_late_knows_the_job(producer, worker, environment, tmp_path):
    """Its first event is the last one, so that one must say all."""
    from outrider import app

    job = producer.submit(Shell(script=f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"))
    eventually(lambda: job.status() == "running", "the program runs")
    seen = []

    def note(event):
        if event.get("uuid") == job.id:
            seen.append(event)

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": note})
        (tmp_path / "go").touch()
        with contextlib.suppress(TimeoutError):
            for _ in receiver.itercapture(timeout=5, wakeup=False):
                if seen and seen[-1]["type"] == "task-succeeded":
                    break
    assert seen[-1]["type"] == "task-succeeded"
    assert seen[-1]["name"] == "outrider.shell"
    assert str(tmp_path) in seen[-1]["kwargs"]
