"""A worker says that it lives for as long as it does, whatever becomes of Redis."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from support import eventually

from outrider.communicators import RedisClient, commands
from outrider.worker.presence import Presence

INTERVAL = timedelta(seconds=0.05)


def facts():
    words = {"host": "a", "pid": 1, "pool": "solo", "outrider_version": "1", "python_version": "3"}
    return commands.WorkerFacts(
        name="w@a", slots=1, queues=(), interval=INTERVAL, started_at=datetime.now(UTC), **words
    )


@pytest.fixture
def ledger(own_redis):
    return RedisClient(own_redis.url, timedelta(seconds=1))


@pytest.fixture
def presence(ledger):
    presence = Presence(ledger, "w@a", INTERVAL, facts)
    yield presence
    presence.end()


def heard(own_redis):
    return own_redis.client.zscore("outrider:workers", "w@a") or 0


def goes_on(own_redis):
    before = heard(own_redis)
    return eventually(lambda: heard(own_redis) > before, "it is heard again")


def test_it_is_heard_at_once_and_again_and_again(presence, own_redis):
    presence.begin()
    presence.begin()
    goes_on(own_redis)
    goes_on(own_redis)
    presence.end()
    assert not heard(own_redis)


def test_an_outage_of_redis_is_survived_and_complained_of_once(presence, own_redis, caplog):
    presence.begin()
    goes_on(own_redis)
    own_redis.stop()
    eventually(lambda: "presence_failed" in said(caplog), "it complains")
    presence._ended.wait(10 * INTERVAL.total_seconds())  # some more beats
    own_redis.start()
    goes_on(own_redis)
    assert said(caplog) == ["presence_failed"]


def said(caplog):
    return [getattr(line, "action", "") for line in caplog.records if line.levelno >= logging.WARNING]


def test_facts_that_cannot_be_told_do_not_end_it(ledger, own_redis, caplog):
    troubles = [RuntimeError("the pool is being replaced")]

    def trouble_first():
        if troubles:
            raise troubles.pop()
        return facts()

    presence = Presence(ledger, "w@a", INTERVAL, trouble_first)
    presence.begin()
    goes_on(own_redis)
    presence.end()
    assert "the pool is being replaced" in caplog.text


def test_its_end_is_quiet_where_redis_is_away(presence, own_redis, caplog):
    presence.begin()
    goes_on(own_redis)
    own_redis.stop()
    eventually(lambda: said(caplog), "it complains")
    presence.end()
    assert said(caplog) == ["presence_failed"]


def test_one_that_never_began_forgets_nobody(ledger, own_redis):
    ledger.run(commands.beat(facts()))
    Presence(ledger, "w@a", INTERVAL, facts).end()
    assert heard(own_redis)
