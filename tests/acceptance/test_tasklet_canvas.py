"""Tasklets are Celery tasks: any canvas may hold them, and a worker of ours runs them."""

import json

import pytest

SENT = """
import json, sys
from celery import chain, group
from outrider import app
from own_tasklets import add, count_lines, two_rows

made = [
    chain(add.s(1), add.s(10), add.s(y=5)),
    group(add.s(n) for n in range(3)),
    chain(two_rows.s(), add.si(1)),
    count_lines.s(sys.argv[1]),
]
print(json.dumps([one.apply_async().get(timeout=30) for one in made]))
"""


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_worker_runs_chains_and_groups_of_tasklets(start_worker, other_process, pool, tmp_path):
    ours = {"OUTRIDER_TASKS": "own_tasklets", "OUTRIDER_QUEUE": f"tasklets-{pool}"}
    start_worker(pool=pool, **ours)
    (tmp_path / "log").write_text("one line\n")
    done = other_process(SENT, str(tmp_path / "log"), **ours)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [17, [1, 2, 3], 2, 1]
