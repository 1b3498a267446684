"""Which jobs a filter takes, and that pages join without a gap."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pytest

from outrider import JobState
from outrider.client.job_filter import STATE_WORDS, job_filter, states_of
from outrider.client.listing import find_id, newest_jobs
from outrider.communicators import JobSpec, RedisClient, commands
from outrider.config.errors import JobNotFound

NOW = 1_000_000


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("recorded", "wanted", "matches"),
    [
        (500, 500, True),
        (500, 500.0, True),
        (500, "500", False),
        ("0012", "0012", True),
        ("0012", 12, False),
        (1, True, False),
        (True, True, True),
        (None, None, True),
        (["a", "b"], "b", True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b"], False),
        (["a", "b"], "c", False),
        ({"x": 1}, {"x": 1}, True),
        ("/data/a", Path("/data/a"), True),
        ("red", Colour.RED, True),
    ],
)
def test_a_parameter_has_a_value_or_holds_it(recorded, wanted, matches):
    facts = commands.JobFacts(JobState.FAILED, "fit", {"x": recorded})
    assert job_filter(NOW, parameters={"x": [wanted]}).matches(facts) is matches
    assert not job_filter(NOW, parameters={"y": [wanted]}).matches(facts), "what is not there is not `null` either"


def test_states_may_be_words_groups_or_several():
    assert states_of("open") | states_of("closed") == set(JobState)
    assert states_of(JobState.LOST) == {JobState.LOST}
    assert states_of(["open", "lost"]) == states_of("open") | {JobState.LOST}
    assert {"open", "queued", "timed_out"} < set(STATE_WORDS)
    with pytest.raises(ValueError, match="no state is called 'done'; there are open, closed, queued"):
        states_of(["failed", "done"])


def test_a_moment_is_so_long_ago_or_a_time_which_is_local_without_a_zone():
    moment = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    ms = int(moment.timestamp() * 1000)
    assert job_filter(NOW, since=timedelta(seconds=10)).since_ms == NOW - 10_000
    assert job_filter(NOW, until=moment).until_ms == ms
    assert job_filter(NOW, until=moment.astimezone().replace(tzinfo=None)).until_ms == ms


@pytest.fixture
def ledger(own_redis):
    return RedisClient(own_redis.url, timedelta(seconds=5))


def test_pages_join_also_where_many_jobs_were_submitted_at_one_moment(ledger):
    ids = [f"job-{number:04}" for number in range(1203)]
    moments = [5 if number < 600 else 5 + number // 7 for number in range(len(ids))]
    for job_id, moment in zip(ids, moments, strict=True):
        ledger._redis.zadd("outrider:jobs", {job_id: moment})
        spec = JobSpec(id=job_id, task="even" if moment % 2 == 0 else "odd", version="", parameters={}, queue="q")
        fields = {"spec": spec.model_dump_json(), "state": "queued", "queued_at": moment}
        ledger._redis.hset(f"outrider:job:{job_id}", mapping=fields)

    def found(limit=10_000, **wanted):
        return [record.id for record in newest_jobs(ledger, job_filter(NOW, **wanted), limit)]

    newest_first = [i for _, i in sorted(zip(moments, ids, strict=True), reverse=True)]
    assert found() == newest_first
    odd = [i for i in newest_first if moments[ids.index(i)] % 2]
    assert found(task="odd") == odd
    assert found(7, task="odd") == odd[:7]
    assert found(501, state="queued") == newest_first[:501]
    assert found(0) == []
    at = datetime.fromtimestamp(0.100, UTC)
    assert set(found(since=at)) == {i for i, m in zip(ids, moments, strict=True) if m >= 100}, "since includes"
    assert set(found(until=at)) == {i for i, m in zip(ids, moments, strict=True) if m < 100}, "until excludes"
    assert find_id(ledger, "job-0007") == "job-0007"
    ledger._redis.delete("outrider:job:job-0007")
    assert "job-0007" not in found(), "a record may expire while it is listed"
    with pytest.raises(JobNotFound):
        find_id(ledger, "nothing-begins-so")
