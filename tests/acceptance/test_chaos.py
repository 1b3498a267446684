"""R6: jobs in a storm. `make chaos` is the same with 500 jobs."""

import json
import subprocess
import sys

import pytest
from support import TESTS


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    """What came of one storm."""
    report = tmp_path_factory.mktemp("chaos") / "report.json"
    words = [sys.executable, str(TESTS / "chaos" / "run.py"), "--jobs", "60", "--json", str(report)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said, _ = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.terminate()  # it ends what it has started
            said, _ = process.communicate(timeout=25)
    sys.stdout.write(said)  # shown when something fails
    assert report.exists(), said
    return json.loads(report.read_text())


@pytest.mark.slow
def test_r6_jobs_end_once_and_rightly_whatever_happens_to_workers_and_redis(storm):
    found = storm["found"]
    assert found["jobs"] == found["submitted"] == 60
    assert found["not_closed"] == []
    assert found["open_records"] == 0
    assert found["terminal_messages_not_one"] == []
    assert found["unexpected_ends"] == []
    assert found["wrong_results"] == found["wrong_files"] == []


@pytest.mark.slow
def test_r6_nothing_is_started_that_is_not_an_attempt_of_an_open_job(storm):
    assert storm["found"]["starts_without_attempt"] == []
    assert storm["found"]["starts_after_the_end"] == []


@pytest.mark.slow
def test_r6_no_process_is_left(storm):
    assert storm["processes_left"] == []
    assert storm["workers_that_did_not_end"] == 0


@pytest.mark.slow
def test_r6_there_was_a_storm(storm):
    injected = storm["injected"]
    assert injected["Redis killed with -9 and restarted"] == 2
    assert injected["workers killed with -9"] >= 3
    assert injected["workers stopped for longer than the lease, then woken"] >= 1
    assert injected["workers stopped for longer than the lease, then killed"] >= 1
    assert injected["connections cut (CLIENT KILL)"] > 0
    assert injected["messages delivered twice"] > 0
    assert len(storm["found"]["seconds_to_run_again"]) > 0
