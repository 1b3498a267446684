"""A picture of how things stand: nothing in it can be changed, it survives JSON, and its sums are right."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from outrider import JobState
from outrider.client.system_detail import JobCounts, QueueDetail, StrategyDetail, SystemDetail, WorkerDetail

QUEUES = (QueueDetail(name="fast", queued=3, limit=100), QueueDetail(name="slow", queued=0))
WORKERS = (
    WorkerDetail(name="w0@a", host="a", pid=1, heartbeat_age_seconds=0.25, slots=4, running=2, queues=("fast", "slow")),
    WorkerDetail(name="w1@b", host="b", pid=2, heartbeat_age_seconds=90, silent=True, slots=8),
)
CLUSTER = StrategyDetail(
    mode="celery", jobs=JobCounts(queued=3, running=2, succeeded=40, lost=1), queues=QUEUES, workers=WORKERS
)
LOCAL = StrategyDetail(mode="thread", jobs=JobCounts(running=1, paused=1, succeeded=2))
DETAIL = SystemDetail(at=datetime(2026, 11, 20, 14, 30, tzinfo=UTC), strategies=(CLUSTER, LOCAL))


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (DETAIL, "accepting"),
        (DETAIL, "strategies"),
        (CLUSTER, "jobs"),
        (CLUSTER.jobs, "queued"),
        (CLUSTER.queues[0], "queued"),
        (CLUSTER.workers[0], "running"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_nothing_in_it_can_be_changed(model, field):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, field, 7)


def test_it_can_be_a_key_so_no_part_of_it_is_mutable():
    assert hash(DETAIL) == hash(DETAIL.model_copy(deep=True))


def test_it_is_the_same_after_json():
    plain = json.loads(json.dumps(DETAIL.model_dump(mode="json")))
    assert SystemDetail.model_validate(plain) == DETAIL
    assert plain["strategies"][0]["jobs"]["succeeded"] == 40
    assert plain["strategies"][0]["workers"][1]["silent"] is True


def test_what_a_newer_version_adds_is_passed_over():
    assert JobCounts.model_validate({"queued": 1, "dreaming": 2}) == JobCounts(queued=1)


def test_each_state_has_a_count():
    assert list(JobCounts.model_fields) == [str(state) for state in JobState]
    for number, state in enumerate(JobState, start=1):
        assert JobCounts(**{state: number}).of(state) == number


def test_counts_add_up_state_by_state():
    assert DETAIL.jobs == JobCounts(queued=3, running=3, paused=1, succeeded=42, lost=1)
    assert SystemDetail(at=DETAIL.at).jobs == JobCounts()


def test_open_jobs_are_those_that_have_not_ended():
    everywhere = JobCounts(**{state: 10**number for number, state in enumerate(JobState)})
    assert everywhere.open == 11_111
