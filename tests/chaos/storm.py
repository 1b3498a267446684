"""What is done to workers and Redis while jobs run."""

import base64
import heapq
import json
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet import Fleet, Worker
from lab import Lab

__all__ = ["Injected", "Storm"]

#: Longer than the lease of the lab.
_STOPPED_SECONDS = 4.5
_KILL_EVERY = 3.5
_STOP_EVERY = 6.0
_CUT_EVERY = 4.0
_DUPLICATE_EVERY = 1.0
#: For how long Redis is away, in turn; the second is longer than the lease.
_AWAY_SECONDS = (1.0, 4.0)
_RESTART_AT = (0.35, 0.7)
_TICK_SECONDS = 0.05
_WOKEN = "workers stopped for longer than the lease, then woken"
_DIED_STOPPED = "workers stopped for longer than the lease, then killed"
_QUEUE = "outrider"
_RECORD = "outrider:job:"


@dataclass
class Injected:
    """What was done, counted; and for each kill when it was, and which jobs the worker held."""

    counts: Counter[str] = field(default_factory=Counter)
    kills: list[tuple[float, list[str]]] = field(default_factory=list)


class Storm:
    """Does harm at intervals, one thing after another, from one thread."""

    def __init__(self, lab: Lab, fleet: Fleet, seconds: float, seed: int) -> None:
        """Plan a storm of some length."""
        self.injected = Injected()
        self._lab = lab
        self._fleet = fleet
        self._choice = random.Random(seed)
        self._ends = 0.0
        self._seconds = seconds
        self._order = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def run(self) -> None:
        """Rage, and return when the time is over and every stopped worker goes on."""
        begun = time.monotonic()
        self._ends = begun + self._seconds
        for share, away in zip(_RESTART_AT, _AWAY_SECONDS, strict=True):
            self._at(begun + share * self._seconds, lambda away=away: self._restart_redis(away))
        for every, act in self._habits().items():
            self._again(every, act)
        while self._due:
            self._fleet.tend()
            if self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            time.sleep(_TICK_SECONDS)

    def _habits(self) -> dict[float, Callable[[], None]]:
        return {
            _KILL_EVERY: self._kill_worker,
            _STOP_EVERY: self._stop_worker,
            _CUT_EVERY: self._cut_connections,
            _DUPLICATE_EVERY: self._deliver_again,
        }

    def _at(self, when: float, act: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._due, (when, self._order, act))

    def _again(self, every: float, act: Callable[[], None]) -> None:
        def do() -> None:
            act()
            self._again(every, act)

        if (when := time.monotonic() + every * self._choice.uniform(0.8, 1.2)) < self._ends:
            self._at(when, do)

    def _kill_worker(self) -> None:
        if ready := self._fleet.at_work:
            self._kill(self._choice.choice(ready), family=self._choice.choice([False, True]))
            self.injected.counts["workers killed with -9"] += 1

    def _kill(self, worker: Worker, *, family: bool) -> None:
        """Kill a worker; in a pool of processes with its children or without."""
        worker.signal(signal.SIGKILL, family=family)
        self.injected.kills.append((time.time(), self._held_by(worker)))

    def _stop_worker(self) -> None:
        if not (ready := self._fleet.at_work):
            return
        worker = self._choice.choice(ready)
        worker.signal(signal.SIGSTOP, family=True)
        self._at(time.monotonic() + _STOPPED_SECONDS, lambda: self._let_go_on(worker))

    def _let_go_on(self, worker: Worker) -> None:
        """Wake a stopped worker; or let it die with what Redis has sent it meanwhile, as with a machine that is gone."""
        counts = self.injected.counts
        if counts[_DIED_STOPPED] > counts[_WOKEN]:
            worker.signal(signal.SIGCONT, family=True)
            counts[_WOKEN] += 1
        else:
            self._kill(worker, family=True)
            counts[_DIED_STOPPED] += 1

    def _restart_redis(self, away: float) -> None:
        self._lab.kill_redis()
        time.sleep(away)
        self._lab.start_redis()
        self.injected.counts["Redis killed with -9 and restarted"] += 1

    def _cut_connections(self) -> None:
        clients = [client for client in self._lab.redis.client_list() if "subscribe" not in client["cmd"]]
        for client in self._choice.sample(clients, len(clients) // 2):
            self.injected.counts["connections cut (CLIENT KILL)"] += self._lab.redis.client_kill_filter(
                _id=client["id"]
            )

    def _deliver_again(self) -> None:
        """Copy messages that wait in the queue, and publish again those of jobs that run."""
        copies = self._lab.redis.lrange(_QUEUE, 0, 1)
        held = self._lab.redis.zrangebyscore("outrider:open", 0, "+inf")
        for job_id in self._choice.sample(held, min(2, len(held))):
            if raw := self._lab.redis.hget(_RECORD + job_id, "raw"):
                copies.append(_envelope(raw))
        for copy in copies:
            self._lab.redis.lpush(_QUEUE, copy)
        self.injected.counts["messages delivered twice"] += len(copies)

    def _held_by(self, worker: Worker) -> list[str]:
        held = self._lab.redis.zrangebyscore("outrider:open", 0, "+inf")
        return [job_id for job_id in held if self._lab.redis.hget(_RECORD + job_id, "worker") == worker.name]


def _envelope(raw: str) -> str:
    """Return a record's message as Celery's transport puts it in the queue."""
    message = json.loads(raw)
    properties = {
        **message["properties"],
        "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": _QUEUE},
        "delivery_tag": str(uuid.uuid4()),
        "delivery_mode": 2,
        "priority": 0,
    }
    envelope = {
        "body": base64.b64encode(message["body"].encode()).decode(),
        "content-type": message["content_type"],
        "content-encoding": message["content_encoding"],
        "headers": message["headers"],
        "properties": properties,
    }
    return json.dumps(envelope)
