"""P6, P10, S3: variables, wrappers and secrets, with a real worker."""

import json
import time
from pathlib import Path

import pytest
import redis
from environment_tasks import Fails, Hangs, Misses, ReportSecret, Tell, TellFirst, TellSecond, TellSecret, Wrapped
from support import PROGRAMS, celery_events, eventually

import outrider
from outrider import JobFailed

QUEUE = "environments"
SECRET = "s3cr3t-v4lue-of-the-service"
WRAPPERS = {"wrapped": "env WRAPPED_BY={job_id} nice -n 3 {program}", "report_*": f"{PROGRAMS}/wrap-fork"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "service").write_text(f"{SECRET}\n")
    (secrets / "service").chmod(0o600)
    return {
        "OUTRIDER_QUEUE": QUEUE,
        "OUTRIDER_TASKS": "environment_tasks",
        "OUTRIDER_SECRETS": str(secrets),
        "OUTRIDER_LAUNCH": json.dumps(WRAPPERS),
    }


@pytest.fixture(scope="module")
def worker(start_worker, settings):
    worker = start_worker("-E", **settings)
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def client(worker):
    return outrider.Client(outrider.Settings(queue=QUEUE, tasks=("environment_tasks",)))


def without_ours(variables):
    return {name: value for name, value in variables.items() if not name.startswith("OUTRIDER_")}


def test_p6_two_jobs_in_one_worker_do_not_see_each_others_environment_and_its_own_is_untouched(client):
    before = without_ours(client.submit(Tell()).result(timeout=20))
    jobs = [client.submit(TellFirst()), client.submit(TellSecond())]
    first, second = (without_ours(job.result(timeout=20)) for job in jobs)
    records = [job.record() for job in jobs]
    assert records[0].claimed_at < records[1].ended_at, "they ran at the same time"
    assert records[1].claimed_at < records[0].ended_at
    assert records[0].run.pid != records[1].run.pid
    assert first == {
        **before,
        "CHOSEN": "first",
        "ONLY_first": "1",
        "ONLY_FIRST": "1",
        "PATH": f"/first:{before['PATH']}",
        "PWD": first["PWD"],
    }
    home = before.pop("HOME")
    assert second == {
        **before,
        "CHOSEN": "second",
        "ONLY_second": "1",
        "PATH": f"{before['PATH']}:/second",
        "PWD": second["PWD"],
    }
    after = without_ours(client.submit(Tell()).result(timeout=20))
    assert after == {**before, "HOME": home, "PWD": after["PWD"]}


def test_p6_a_failing_script_fails_the_job_before_the_program_starts_with_its_stderr(client, tmp_path):
    job = client.submit(Fails(script=f"touch {tmp_path}/reached"))
    with pytest.raises(JobFailed, match="set-up: say which") as failure:
        job.result(timeout=20)
    assert failure.value.reason == "environment"
    assert f"{PROGRAMS}/set-up.sh failed with exit code 4" in str(failure.value)
    record = job.record()
    assert (record.run, record.started_at) == (None, None)
    assert not (tmp_path / "reached").exists()


def test_p6_a_missing_script_fails_the_job_before_the_program_starts(client, tmp_path):
    with pytest.raises(JobFailed, match=r"no-such-script\.sh cannot be read: No such file") as failure:
        client.submit(Misses(script=f"touch {tmp_path}/reached")).result(timeout=20)
    assert failure.value.reason == "environment"
    assert not (tmp_path / "reached").exists()


def test_x2_a_job_is_cancelled_while_its_script_hangs(client):
    job = client.submit(Hangs())
    log = client_directory(job) / "attempt-1" / "environment.log"
    eventually(log.exists, "the script runs")
    begun = time.monotonic()
    job.cancel()
    assert job.wait(timeout=10).state == "cancelled"
    assert time.monotonic() - begun < 1 + 1
    assert not with_job(job.id)


def client_directory(job) -> Path:
    return Path(outrider.Settings().jobs_directory) / job.id


def with_job(job_id):
    """Return who carries the job's variable."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"OUTRIDER_JOB={job_id}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_p10_a_wrapper_is_a_setting_and_the_task_knows_nothing_of_it(client, cli, settings):
    job = client.submit(Wrapped(script="env -0; nice >&2"))
    seen = job.result(timeout=20)
    assert seen["WRAPPED_BY"] == job.id
    run = job.record().run
    assert run.argv[1:5] == (f"WRAPPED_BY={job.id}", "nice", "-n", "3")
    assert (Path(run.argv[0]).name, Path(run.program).name, Path(run.argv[5]).name) == ("env", "sh", "sh")
    assert [line for log in job.logs() if log.stream == "stderr" for line in log.lines] == ["3"]
    shown = json.loads(cli("dry-run", "wrapped", "-p", "script=env -0; nice >&2", "--json", **settings).stdout)
    assert [word.replace("<job id>", job.id) for word in shown["argv"]] == list(run.argv)
    assert "WRAPPED_BY" not in client.submit(Tell()).result(timeout=20)


def test_p8_a_dry_run_shows_what_scripts_change(cli, settings):
    done = cli("dry-run", "tell_first", "--json", **settings)
    shown = json.loads(done.stdout)
    assert {"CHOSEN": "first", "ONLY_first": "1", "ONLY_FIRST": "1"}.items() <= shown["environment"].items()
    assert shown["environment"]["PATH"].startswith("/first:")
    assert json.loads(cli("dry-run", "tell_second", "--json", **settings).stdout)["unset"] == ["HOME"]
    assert "CHOSEN" not in cli("dry-run", "tell_first", "--no-source", "--json", **settings).stdout
    failed = cli("dry-run", "fails", **settings)
    assert failed.returncode == 1
    assert "set-up: say which" in failed.stderr


def everything_in(server: redis.Redis) -> str:
    """Return all keys with all that they hold."""
    read = {
        b"string": server.get,
        b"hash": server.hgetall,
        b"list": lambda key: server.lrange(key, 0, -1),
        b"set": server.smembers,
        b"zset": lambda key: server.zrange(key, 0, -1, withscores=True),
        b"stream": server.xrange,
    }
    return "\n".join(f"{key!r} {read[server.type(key)](key)!r}" for key in server.scan_iter() if server.exists(key))


@pytest.fixture
def events(worker):
    """All that Celery says while a test runs, as text."""
    heard: list[str] = []
    with celery_events(lambda event: heard.append(repr(event))):
        yield heard


TOLD = [
    TellSecret(
        script='echo "key $SERVICE_KEY"; echo "3/5 $SERVICE_KEY"; env; echo "$SERVICE_KEY $SERVICE_URL" >&2; sleep 1.5'
    ),
    TellSecret(script='echo "$SERVICE_KEY" >&2; exit 3'),
    TellSecret(script='echo "$SERVICE_KEY"; : raise'),
    ReportSecret(),
]


def test_s3_a_secret_is_in_no_record_message_event_log_or_dry_run(client, worker, cli, settings, redis_server, events):
    jobs = [client.submit(task) for task in TOLD]
    ends = [job.wait(timeout=30) for job in jobs]
    assert [end.state for end in ends] == ["succeeded", "failed", "failed", "failed"]
    assert [end.reason for end in ends[1:]] == ["exit_code", "result", "exception"], [end.error for end in ends]
    eventually(lambda: all(any(job.id in event for event in events) for job in jobs), "Celery has told of the jobs")
    raw = "".join(
        (client_directory(job) / "attempt-1" / f"std{name}.log").read_text() for job in jobs for name in ("out", "err")
    )
    assert SECRET in raw, "the programs had it"
    records = "".join(path.read_text() for job in jobs for path in client_directory(job).rglob("*.json"))
    dry_runs = "".join(
        done.stdout + done.stderr
        for name in ("tell_secret", "report_secret")
        for done in (cli("dry-run", name, *words, **settings) for words in ((), ("--json",)))
    )
    shown = "".join(
        cli(*words, job.id, **settings).stdout for job in jobs for words in (("show",), ("show", "--json"), ("logs",))
    )
    places = {
        "Redis": everything_in(redis_server.client),
        "the worker's log": worker.text(),
        "Celery's events": "\n".join(events),
        "dry runs": dry_runs,
        "the job directories' records": records,
        "the command line": shown,
    }
    assert "***" in places["Redis"]
    assert "SERVICE_KEY" in dry_runs
    for place, text in places.items():
        assert len(text) > 100, f"{place} was looked at"
        assert SECRET not in text, place
    environments = [job.record().run.environment for job in jobs]
    assert {environment["SERVICE_KEY"] for environment in environments} == {"***"}
    assert environments[0]["SERVICE_URL"] == "https://me:***@host/"


def test_s3_a_missing_secret_is_named_with_its_setting(client, settings):
    place = Path(settings["OUTRIDER_SECRETS"], "service")
    place.rename(place.with_name("other"))
    try:
        with pytest.raises(JobFailed, match=r"cannot read the secret 'service' in OUTRIDER_SECRETS=.*No such file"):
            client.submit(TellSecret(script="true")).result(timeout=20)
    finally:
        place.with_name("other").rename(place)
