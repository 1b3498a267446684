"""Telling many what jobs say: nobody is disturbed by anybody, and nothing that matters is lost."""

import asyncio

import pytest

from outrider import Finished, JobState, LogLines, Outcome, Publisher
from outrider.communicators import publisher as module

END = Finished(outcome=Outcome(state=JobState.SUCCEEDED))


def lines(count):
    return [LogLines(stream="stdout", lines=(str(number),)) for number in range(count)]


def run(body):
    async def main():
        async with asyncio.timeout(10):
            await body(Publisher())

    asyncio.run(main())


def test_functions_and_coroutine_functions_get_everything_in_order():
    async def body(publisher):
        quick, slow = [], []

        async def slowly(message):
            await asyncio.sleep(0)
            slow.append(message)

        publisher.subscribe(quick.append)
        publisher.subscribe(slowly)
        said = lines(100)
        for message in said:
            publisher.publish(message)
        assert await publisher.close() == 0
        assert quick == slow == said

    run(body)


def test_c10_a_subscriber_that_raises_goes_on_to_be_told_and_disturbs_nobody(caplog):
    async def body(publisher):
        told, others = [], []

        def fails(message):
            told.append(message)
            raise ValueError("no")

        async def fails_later(_message):
            raise ValueError("later")

        for subscriber in (fails, fails_later, others.append):
            publisher.subscribe(subscriber)
        for message in lines(3):
            publisher.publish(message)
        await publisher.close()
        assert told == others == lines(3)

    run(body)
    assert [record.exc_info[0] for record in caplog.records] == [ValueError] * 6


def test_c10_a_subscriber_that_never_returns_holds_up_only_itself_and_the_close_is_bounded():
    async def body(publisher):
        told = []

        async def never(_message):
            await asyncio.Event().wait()

        publisher.subscribe(never)
        publisher.subscribe(told.append)
        for message in lines(3):
            publisher.publish(message)
        assert await publisher.close(0.1) == 2
        assert told == lines(3)

    run(body)


def test_c10_a_subscriber_may_leave_inside_its_callback():
    async def body(publisher):
        told, others = [], []

        def leaves(message):
            told.append(message)
            publisher.unsubscribe(subscription)

        subscription = publisher.subscribe(leaves)
        publisher.subscribe(others.append)
        for message in lines(3):
            publisher.publish(message)
        assert await publisher.close() == 0
        assert told == lines(1)
        assert others == lines(3)

    run(body)


def test_what_is_published_just_before_the_close_is_delivered():
    async def body(publisher):
        told = []

        async def slowly(message):
            await asyncio.sleep(0.01)
            told.append(message)

        publisher.subscribe(slowly)
        for message in (*lines(5), END):
            publisher.publish(message)
        assert await publisher.close() == 0
        assert told == [*lines(5), END]

    run(body)


def test_where_too_many_wait_lines_make_room_and_are_counted_but_ends_are_kept(monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 10)

    async def body(publisher):
        told = []
        subscription = publisher.subscribe(told.append)
        for message in [END] * 8 + lines(20) + [END] * 8:
            publisher.publish(message)
        await publisher.flush()
        assert told.count(END) == 16
        assert subscription.dropped == 20 - len([m for m in told if isinstance(m, LogLines)])
        assert subscription.dropped == 20

    run(body)


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_comes_late_hears_what_comes_later(when):
    async def body(publisher):
        told = []
        if when == "before":
            publisher.subscribe(told.append)
        publisher.publish(END)
        if when == "after":
            publisher.subscribe(told.append)
        await publisher.close()
        assert told == ([END] if when == "before" else [])

    run(body)


def test_very_many_that_all_matter_are_kept_and_cost_no_more_each(monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 100)

    async def body(publisher):
        told = []
        subscription = publisher.subscribe(told.append)
        for _ in range(20_000):
            publisher.publish(END)
        publisher.publish(lines(1)[0])
        await publisher.flush()
        assert told == [END] * 20_000
        assert subscription.dropped == 1

    run(body)
