"""The Executor when a job is to end before its program does, or another attempt has it."""

import asyncio
import contextlib
import os
import time

import pytest
from attempts import Attempt, Little, Makes, Shell, runs
from support import PROGRAMS, eventually

from outrider import (
    Finished,
    JobState,
    StateChanged,
)
from outrider.communicators import MemoryLedger, Wish
from outrider.config.errors import Superseded


async def cancel(job: Attempt) -> None:
    await job.running()
    job.ledger.wish("job-1", Wish.CANCEL)
    job.executor.upward.wake()


def test_x2_a_running_job_is_cancelled_at_once(attempt):
    job = attempt(Little(program="hang"))
    begun = time.monotonic()
    outcome = job.run(cancel)
    assert time.monotonic() - begun < 3
    assert (outcome.state, outcome.reason, outcome.exit.signal) == ("cancelled", None, "SIGTERM")
    assert JobState.CANCELLING in [message.state for message in job.said(StateChanged)]
    assert job.said(Finished) == [job.messages[-1]]


def test_x2_a_program_that_ignores_term_is_killed_after_the_grace(attempt):
    async def once_deaf(job: Attempt) -> None:
        await job.until(lambda: "deaf" in job.lines(), "it ignores TERM")
        await cancel(job)

    outcome = attempt(Little(program="ignore-term")).run(once_deaf)
    assert (outcome.state, outcome.exit.signal) == ("cancelled", "SIGKILL")


def test_x2_children_are_gone_after_cancelling(attempt):
    children: list[int] = []

    async def once_forked(job: Attempt) -> None:
        await job.until(job.lines, "it has a child")
        children.extend(map(int, job.lines()))
        assert runs(children[0])
        await cancel(job)

    assert attempt(Little(program="fork")).run(once_forked).state == "cancelled"
    eventually(lambda: not runs(children[0]), "the child is gone", 5)


def test_a_job_that_was_cancelled_before_its_program_started_does_not_run_on(attempt):
    job = attempt(Shell(script="exec sleep 15"))  # it says nothing, so nothing but its start asks the ledger
    job.ledger.wish("job-1", Wish.CANCEL)
    assert job.run().state == "cancelled"


class SlowQuestions(MemoryLedger):
    """It hears late, as over a network."""

    async def emit(self, held, messages):
        await asyncio.sleep(0.3)
        return await super().emit(held, messages)


def test_what_a_program_said_last_is_told_before_its_end(attempt):
    job = attempt(Little(program="fail"), ledger=SlowQuestions())
    assert job.run().state == "failed"
    assert (job.lines("stdout"), job.lines("stderr")) == (["half a result"], ["first complaint", "last complaint"])
    assert job.said(Finished) == [job.messages[-1]]


class SlowAnswers(MemoryLedger):
    """It answers late."""

    async def emit(self, held, messages):
        answer = await super().emit(held, messages)
        await asyncio.sleep(0.3)
        return answer


def test_c8_a_wish_to_cancel_is_seen_although_an_older_answer_is_under_way(attempt):
    async def while_an_answer_is_under_way(job: Attempt) -> None:
        await job.until(job.lines, "the ledger has its first lines")  # its answer is still under way
        await cancel(job)

    job = attempt(Shell(script="echo hello; exec sleep 3"), ledger=SlowAnswers())
    assert job.run(while_an_answer_is_under_way).state == "cancelled"


async def lose_the_claim(job: Attempt) -> None:
    await job.running()
    job.ledger.records.tokens["job-1"] += 1


def test_r2_an_attempt_whose_claim_was_taken_ends_its_program_and_says_nothing_more(attempt):
    async def and_wake(job: Attempt) -> None:
        await lose_the_claim(job)
        job.executor.upward.wake()

    job = attempt(Little(program="hang"))
    with pytest.raises(Superseded):
        job.run(and_wake)
    assert not runs(job.record.run.pid)
    assert job.said(Finished) == []
    assert job.record.state == "running"
    assert not (job.directory / "record.json").exists()
    assert not job.ledger._listeners


@pytest.mark.parametrize(
    "script",
    ["sleep 0.6; echo stale > made.txt; exit 3", "sleep 0.6; echo stale > made.txt"],
    ids=["failed", "succeeded"],
)
def test_r3_a_stale_attempt_leaves_neither_outcome_nor_outputs(attempt, script):
    job = attempt(Makes(script=script))
    with pytest.raises(Superseded):
        job.run(lose_the_claim)
    assert job.said(Finished) == []
    assert not (job.directory / "outputs").exists()
    assert not (job.directory / "partial").exists()
    assert not (job.directory / "record.json").exists()


def test_e1_an_escaped_grandchild_does_not_keep_the_job_from_ending(attempt):
    job = attempt(
        Little(program="escape"),
        environment={"PATH": os.environ["PATH"], "PROGRAMS": str(PROGRAMS), "ESCAPE_SECONDS": "15"},
    )
    begun = time.monotonic()
    try:
        assert job.run().state == "succeeded"
        assert time.monotonic() - begun < 3
    finally:
        for pid in map(int, job.lines()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


def test_no_task_and_no_descriptor_of_a_job_stays(attempt):
    job = attempt(Shell(script="echo one"))

    async def main() -> None:
        await asyncio.to_thread(int)  # the loop's own thread
        before = os.listdir("/proc/self/fd")
        await job.executor.run()
        assert os.listdir("/proc/self/fd") == before
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # the sweep after the end
            await asyncio.wait_for(task, 5)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


# --- what it depends on
