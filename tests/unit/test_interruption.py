"""A first-party task that is cancelled learns it, wherever it stands."""

import signal
from datetime import timedelta

from own_tasks import DestroysSlowly, Forks, OthersReport

from outrider import Report
from outrider.communicators import Wish


def cancelled(job):
    """Carry out a job that is cancelled at its first report, and return the names of the files that it left."""

    async def cancel(job):
        await job.until(lambda: job.said(Report), "it reported")
        job.ledger.wish("job-1", Wish.CANCEL)
        job.executor.upward.wake()

    assert job.run(cancel).state == "cancelled"
    return {path.name for path in (job.directory / "attempt-1" / "work").iterdir()}


def test_a_task_is_interrupted_also_while_its_other_threads_report(attempt):
    assert cancelled(attempt(OthersReport())) == {"interrupted"}


def test_a_forked_child_of_a_task_can_be_terminated(attempt):
    assert attempt(Forks()).run().result == -signal.SIGTERM


def test_a_task_that_stands_in_a_destructor_is_interrupted_again_and_only_once(attempt):
    assert cancelled(attempt(DestroysSlowly(), grace=timedelta(seconds=2))) == {"cleaned up"}
