"""The life of a job as a table."""

import pytest

from outrider import JobState
from outrider.communicators import TRANSITIONS
from outrider.communicators.states import sources

TERMINAL = {JobState.SUCCEEDED, JobState.FAILED, JobState.TIMED_OUT, JobState.CANCELLED, JobState.LOST}
OPEN = set(JobState) - TERMINAL

ARROWS = [
    ("queued", "starting", True),
    ("queued", "running", False),
    ("queued", "succeeded", False),
    ("queued", "cancelled", True),
    ("queued", "cancelling", False),
    ("starting", "running", True),
    ("starting", "queued", True),
    ("starting", "paused", False),
    ("running", "paused", True),
    ("running", "starting", False),
    ("running", "queued", True),
    ("paused", "running", True),
    ("cancelling", "running", False),
    ("cancelling", "succeeded", True),
    ("cancelling", "cancelled", True),
    ("succeeded", "failed", False),
    ("cancelled", "queued", False),
    ("lost", "queued", False),
]


@pytest.mark.parametrize(("origin", "target", "there"), ARROWS)
def test_the_arrows_are_as_drawn(origin, target, there):
    assert (JobState(target) in TRANSITIONS[JobState(origin)]) is there


def test_every_state_is_in_the_table():
    assert set(TRANSITIONS) == set(JobState)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_terminal_state_has_no_way_out(state):
    assert TRANSITIONS[state] == frozenset()
    assert state.is_terminal


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_open_state_reaches_each_end(state):
    reached, ahead = set(), {state}
    while ahead:
        reached |= ahead
        ahead = {target for origin in ahead for target in TRANSITIONS[origin]} - reached
    assert reached >= TERMINAL
    assert not state.is_terminal


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_open_state_can_fail_be_cancelled_time_out_or_get_lost_at_once(state):
    assert TRANSITIONS[state] >= TERMINAL - {JobState.SUCCEEDED}


@pytest.mark.parametrize("state", sorted(JobState))
def test_no_state_follows_itself(state):
    assert state not in TRANSITIONS[state]


def test_sources_is_the_table_read_backwards():
    backwards = {(origin, target) for target in JobState for origin in sources(target)}
    assert backwards == {(origin, target) for origin, targets in TRANSITIONS.items() for target in targets}
