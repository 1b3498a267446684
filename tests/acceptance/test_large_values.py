"""C7: results that are no JSON, or too large for Redis, come back as if they were neither."""

import asyncio
import json

import numpy as np
import pytest
from celery import Celery
from large_tasks import Draws, Fills, Pattern, Photograph
from support import RedisServer

QUEUE = "large"


@pytest.fixture(scope="module")
def large_worker(start_worker):
    """A worker that has the tasks of this file."""
    return start_worker(OUTRIDER_QUEUE=QUEUE, OUTRIDER_TASKS="large_tasks")


@pytest.fixture
def client(producer, large_worker, monkeypatch):
    """A producer whose jobs go to that worker."""
    return producer.Client(producer.Settings(queue=QUEUE, tasks=("large_tasks",)))


def check_photograph(result: Pattern) -> None:
    assert type(result) is Pattern
    assert (result.title, result.taken.year) == ("first light", 2024)
    assert (result.image.dtype.str, result.image.shape, result.image.flags.f_contiguous) == (">f4", (300, 300), True)
    assert result.image[1, 0] == 1.0
    assert result.masks["hot"].tolist() == [[True, False]]


def test_c4_arrays_in_a_dataclass_come_back_with_type_and_shape(client):
    check_photograph(client.submit(Photograph()).result(timeout=20))


def test_c4_arrays_come_back_in_another_process(client, other_process):
    job = client.submit(Photograph())
    code = """
import outrider, sys
pattern = outrider.job(sys.argv[1]).result(timeout=20)
print(type(pattern).__name__, pattern.image.dtype.str, pattern.image.shape, float(pattern.image.sum()))
"""
    done = other_process(code, job.id, OUTRIDER_TASKS="large_tasks")
    assert done.stdout.split(maxsplit=1) == ["Pattern", ">f4 (300, 300) 4049955072.0\n"], done.stderr


def test_a_process_without_the_task_gets_the_arrays_in_plain_mappings(client, other_process):
    job = client.submit(Photograph())
    code = "import outrider, sys; print(outrider.job(sys.argv[1]).result(timeout=20)['image'].shape)"
    assert other_process(code, job.id, OUTRIDER_TASKS="").stdout == "(300, 300)\n"


def test_the_record_stays_small_and_refers_to_the_job_directory(client):
    job = client.submit(Photograph())
    outcome = job.wait(timeout=20)
    reference = outcome.result["image"]["$outrider"]["reference"]
    assert reference["key"].startswith(f"{job.id}/artifacts/")
    assert "base64" in outcome.result["masks"]["hot"]["$outrider"]
    assert len(job.record().model_dump_json()) < 5000
    on_disk = job.record().run.directory.parents[2] / reference["key"]
    assert np.load(on_disk, allow_pickle=False).shape == (300, 300)


def test_every_way_to_wait_gives_the_arrays(client, producer):
    jobs = client.submit_many([Photograph(), Photograph(side=10)])
    assert sorted(job.result(timeout=20).image.size for job in producer.as_completed(jobs, timeout=20)) == [100, 90_000]

    async def in_a_loop() -> None:
        check_photograph(await jobs[0].result_async(timeout=20))
        async for job in producer.as_completed_async(jobs, timeout=20):
            assert (await job.result_async()).title == "first light"

    asyncio.run(in_a_loop())


def test_the_command_line_shows_a_line_in_place_of_an_array(client, cli):
    job = client.submit(Photograph())
    job.wait(timeout=20)
    shown = json.loads(cli("result", job.id).stdout)
    assert shown["title"] == "first light"
    assert shown["image"].startswith(f"array >f4 (300, 300), 360000 bytes, {job.id}/artifacts/")
    assert shown["masks"] == {"hot": "array bool (1, 2), 2 bytes"}
    assert "array bool (1, 2), 2 bytes" in cli("show", job.id).stdout
    assert "$outrider" in cli("show", job.id, "--json").stdout


def test_celerys_own_result_is_the_same_json(client, redis_server):
    job = client.submit(Photograph())
    outcome = job.wait(timeout=20)
    url = f"redis+socket://{redis_server.socket}?virtual_host=0"
    with Celery("stranger", broker=url, backend=url) as app:
        assert app.AsyncResult(job.id).get(timeout=20) == outcome.result


def test_a_figure_arrives_as_a_picture_and_an_object_waits_for_its_user(client, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plots)")
    report = client.submit(Draws()).result(timeout=20)
    report.plot.save(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert report.thing.unpickle().tolist() == [None, 2]
    assert report.count == 3


@pytest.fixture(scope="module")
def small_redis(short_folder):
    """A Redis that takes 64 MB and not a byte more."""
    folder = short_folder / "64mb"
    folder.mkdir()
    server = RedisServer(folder, "--maxmemory", "64mb", "--maxmemory-policy", "noeviction").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def worker_of_small_redis(start_worker, small_redis):
    """A worker that knows no other Redis."""
    return start_worker(OUTRIDER_BROKER_URL=small_redis.url, OUTRIDER_TASKS="large_tasks")


SIZES = {"array": "result.nbytes", "bytes": "len(result)", "text": "len(result)", "list": "len(result) * 8"}


@pytest.mark.parametrize("kind", SIZES)
def test_c7_a_hundred_megabytes_pass_a_redis_of_64(kind, small_redis, worker_of_small_redis, other_process):
    code = f"""
import outrider, sys
result = outrider.submit("fills", megabytes=100, kind=sys.argv[1]).result(timeout=60)
print(type(result).__name__, {SIZES[kind]})
"""
    variables = {"OUTRIDER_BROKER_URL": small_redis.url, "OUTRIDER_TASKS": "large_tasks"}
    done = other_process(code, kind, **variables)
    types = {"array": "ndarray", "text": "str"}
    assert done.stdout.split() == [types.get(kind, kind), "100000000"], done.stderr
    assert small_redis.client.info("memory")["used_memory_peak"] < 20e6


RESULT = """
import outrider, sys
try:
    print(outrider.job(sys.argv[1]).result(timeout=20).image.shape)
except outrider.ArtifactUnavailable as error:
    print(error)
"""


def test_c7_a_producer_without_the_workers_file_system_needs_the_artefact_store(
    start_worker, producer, other_process, tmp_path
):
    store = f"file://{tmp_path}/somewhere/else"
    roots = [str(tmp_path / name) for name in ("of the worker", "of the producer")]
    start_worker(
        OUTRIDER_QUEUE="apart", OUTRIDER_TASKS="large_tasks", OUTRIDER_WORK_ROOT=roots[0], OUTRIDER_ARTIFACT_URL=store
    )
    job = producer.Client(producer.Settings(queue="apart", tasks=("large_tasks",))).submit(Photograph())
    job.wait(timeout=20)
    apart = {"OUTRIDER_TASKS": "large_tasks", "OUTRIDER_WORK_ROOT": roots[1]}
    assert other_process(RESULT, job.id, OUTRIDER_ARTIFACT_URL=store, **apart).stdout == "(300, 300)\n"
    without = other_process(RESULT, job.id, **apart).stdout
    assert f"no such file in file://{roots[1]}" in without
    assert "OUTRIDER_ARTIFACT_URL" in without
    assert "OUTRIDER_WORK_ROOT" in without


def test_a_store_that_takes_nothing_fails_the_job_with_a_word_on_the_setting(start_worker, producer):
    start_worker(
        OUTRIDER_QUEUE="storeless", OUTRIDER_TASKS="large_tasks", OUTRIDER_ARTIFACT_URL="ftp://me:secret@127.0.0.1:1/x"
    )
    client = producer.Client(producer.Settings(queue="storeless", tasks=("large_tasks",)))
    outcome = client.submit(Photograph()).wait(timeout=20)
    assert (outcome.state, outcome.reason) == ("failed", "result")
    assert "OUTRIDER_ARTIFACT_URL" in outcome.error
    assert "secret" not in outcome.error
    assert client.submit(Fills(megabytes=0.001, kind="text")).result(timeout=20) == "x" * 1000
