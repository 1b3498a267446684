"""Whoever is at the other end of the socket: what it says arrives, all of it and in order, and what it is told."""

import asyncio
import contextlib
import dataclasses
import gc
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from socket_peers import (
    all_of,
    connected,
    heard,
    listening,
    log_actions,
    raw,
    rest_of,
    somebody_is_there,
    start_child,
    through_a_link,
    until,
)

from outrider import LogLines, Progress
from outrider.communicators import (
    Artifact,
    Cancel,
    ExecutorLink,
    Message,
    Pause,
    Raised,
    Report,
    Returned,
    SocketCommunicator,
    UserMessage,
)
from outrider.communicators.peers import socket_communicator
from outrider.communicators.peers.process_end import is_ending


def test_10_000_messages_written_right_before_the_end_arrive_in_order_and_are_known_to_be_all(socket_path):
    async def main() -> None:
        async with listening(socket_path, None) as communicator:
            child = start_child(
                socket_path, "[link.send(Report(value=n)) for n in range(10_000)]; link.close(); os._exit(0)"
            )
            communicator.trust(child.pid)
            reading = asyncio.create_task(rest_of(communicator))
            await asyncio.to_thread(child.wait)
            await communicator.wait_drained(20)
            assert communicator.complete is True
            await communicator.close()
            messages = await reading
        assert [message.value for message in messages] == list(range(10_000))
        assert [message.sequence for message in messages] == list(range(1, 10_001))
        assert {message.source for message in messages} == {"socket"}

    asyncio.run(main())


#: Forks a child for each line that names a socket, and prints its id. The child speaks once there is a byte in the pipe
#: that an argument names; on the next line, it is waited for.
FORKER = """
import os, sys
from outrider.communicators import *
for line in sys.stdin:
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        sys.stdin.readline()
        os.waitpid(pid, 0)
        print("gone", flush=True)
        continue
    path, count, kind = line.split()
    os.read(int(sys.argv[1]), 1)
    if kind == "frames":
        with ExecutorLink.connect(path) as link:
            for number in range(int(count)):
                link.send(Report(value=number))
    else:
        import socket
        with socket.socket(socket.AF_UNIX) as lines:
            lines.connect(path)
            lines.sendall(b"".join(b'{"kind":"report","value":%d}\\n' % n for n in range(int(count))))
    os._exit(0)
"""


@pytest.mark.parametrize("kind", ["frames", "lines"])
def test_c4_n_of_n_messages_written_before_the_exit_arrive_in_1_000_of_1_000_runs(socket_path, kind):
    read_end, write_end = os.pipe()
    forker = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", FORKER, str(read_end)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[read_end],
    )

    def say(word: str) -> str:
        forker.stdin.write(f"{word}\n")
        forker.stdin.flush()
        return forker.stdout.readline()

    async def one_run(number: int) -> int:
        async with listening(socket_path, None) as communicator:
            communicator.trust(int(say(f"{socket_path} {number % 30 + 1} {kind}")))
            os.write(write_end, b"x")
            if number % 2:  # the Executor listens meanwhile; else the child was there and has gone before it looks
                await asyncio.to_thread(say, "")
            else:
                say("")
            messages = await all_of(communicator)
            assert communicator.complete in ((True,) if kind == "frames" else (None,))
        return len(messages) - (number % 30 + 1)

    async def main() -> Counter[int]:
        return Counter([await one_run(number) for number in range(1000)])

    try:
        assert asyncio.run(main()) == {0: 1000}
    finally:
        forker.stdin.close()
        forker.wait()
        forker.stdout.close()
        os.close(read_end)
        os.close(write_end)


def test_c4_n_of_n_messages_of_fresh_processes_arrive(socket_path):
    async def main() -> None:
        for number in range(10):
            async with listening(socket_path, None) as communicator:
                code = (
                    f"[link.send(Report(value='x' * 1000)) for _ in range({100 * number})]; link.close(); os._exit(0)"
                )
                child = start_child(socket_path, code)
                communicator.trust(child.pid)
                reading = asyncio.create_task(rest_of(communicator))
                await asyncio.to_thread(child.wait)
                await communicator.wait_drained(20)
                await communicator.close()
                assert (len(await reading), communicator.complete) == (100 * number, True)

    asyncio.run(main())


def test_a_helper_that_came_and_went_before_anybody_looked_is_heard(socket_path):
    async def main() -> list[Message]:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as connection:
                connection.sendall(b'{"kind":"progress","done":3,"total":10,"unit":"frames"}')
            return await all_of(communicator)

    assert asyncio.run(main()) == [Progress(done=3, total=10, unit="frames", source="socket", sequence=1)]


def test_the_end_is_not_waited_for_when_nobody_ever_came(socket_path):
    async def main() -> float:
        async with listening(socket_path) as communicator:
            begun = time.monotonic()
            await communicator.wait_drained(30)
            assert communicator.complete is None
            return time.monotonic() - begun

    assert asyncio.run(main()) < 1


def test_one_who_stays_cannot_hold_the_end(socket_path):
    async def main() -> None:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as connection:
                connection.sendall(b'{"kind":"report","value":1}\n')
                begun = time.monotonic()
                await communicator.wait_drained(0.3)
                assert 0.3 <= time.monotonic() - begun < 3
                await communicator.close()
                assert [message.value for message in await rest_of(communicator)] == [1]

    asyncio.run(main())


def test_a_child_killed_within_a_frame_has_said_what_came_before(socket_path, caplog):
    caplog.set_level(logging.INFO, "outrider")
    whole = "[link.send(Report(value=n)) for n in range(3)]; "
    part = "link._connection.sendall(b'\\xf5ORF\\1\\4'); os.kill(os.getpid(), 9)"

    async def main() -> list[Message]:
        async with listening(socket_path, None) as communicator:
            child = start_child(socket_path, whole + part)
            communicator.trust(child.pid)
            assert await asyncio.to_thread(child.wait) == -signal.SIGKILL
            messages = await all_of(communicator)
            assert communicator.complete is False
            return messages

    assert [message.value for message in asyncio.run(main())] == [0, 1, 2]
    (record,) = caplog.records
    assert (record.levelname, record.action) == ("INFO", "socket_incomplete"), "its end is told with its job"


ARRAYS = [
    np.arange(1_000_000, dtype="f4").reshape(100, 100, 100),
    np.asfortranarray(np.arange(90_000.0).reshape(300, 300)),
    np.arange(90_000.0).reshape(300, 300)[::2, ::3],
    np.arange(20_000, dtype=">i8"),
    np.zeros(5000, dtype=[("x", "f8"), ("name", "U3")]),
    np.array(["2024-01-01"], dtype="datetime64[D]"),
    np.array([{"a": 1}, None], dtype=object),
    np.array(3.5),
    np.empty((0, 3)),
]


@dataclasses.dataclass
class Peak:
    position: tuple[float, float]
    profile: Any


def test_c4_arrays_keep_their_type_and_shape_and_dataclasses_theirs(socket_path):
    messages = heard(
        socket_path, through_a_link(*(Report(value=value) for value in [*ARRAYS, Peak((1, 2), ARRAYS[0])]))
    )
    for sent, message in zip(ARRAYS, messages[:-1], strict=True):
        assert (message.value.dtype, message.value.shape) == (sent.dtype, sent.shape)
        assert message.value.flags.writeable
        assert np.array_equal(message.value, sent)
    peak = messages[-1].value
    assert (type(peak), peak.position, peak.profile.shape) == (Peak, (1, 2), (100, 100, 100))


def test_each_kind_that_a_task_may_say_arrives(socket_path):
    said = [
        Progress(done=1, total=3, unit="frames"),
        LogLines(stream="stdout", lines=("a", "b")),
        Report(value={1, 2}),
        Artifact(name="plot.png", path=Path("plot.png")),
        Raised(error="ValueError: \udcff"),
        Returned(value=None),
    ]
    expected = [message.model_copy(update={"source": "socket", "sequence": n}) for n, message in enumerate(said, 1)]
    expected[1] = expected[1].model_copy(update={"stream": "socket"})
    expected[4] = expected[4].model_copy(update={"error": "ValueError: ?"})
    assert heard(socket_path, through_a_link(*said)) == expected


def test_two_speak_at_once_and_each_is_heard_in_order(socket_path):
    async def main() -> list[Message]:
        async with listening(socket_path) as communicator:
            lines = b"".join(b'{"kind":"report","value":["lines",%d]}\n' % n for n in range(2000))
            frames = [Report(value=["frames", n]) for n in range(2000)]
            speaking = [
                asyncio.to_thread(raw(lines), socket_path),
                asyncio.to_thread(through_a_link(*frames), socket_path),
            ]
            speaking = [asyncio.create_task(one) for one in speaking]
            reading = asyncio.create_task(rest_of(communicator))
            await asyncio.gather(*speaking)
            await communicator.wait_drained(20)
            await communicator.close()
            return await reading

    messages = asyncio.run(main())
    assert [message.sequence for message in messages] == list(range(1, 4001))
    for who in ("lines", "frames"):
        assert [message.value[1] for message in messages if message.value[0] == who] == list(range(2000))


def test_more_may_connect_at_once_than_are_let_in_at_once(socket_path):
    async def main() -> list[Message]:
        async with listening(socket_path) as communicator:
            with contextlib.ExitStack() as stack:
                for number in range(300):
                    connection = stack.enter_context(connected(socket_path))
                    connection.sendall(b'{"kind":"report","value":%d}\n' % number)
                await until(lambda: len(communicator._peers) == 16, "as many as may be are let in")
            return await all_of(communicator)

    assert sorted(message.value for message in asyncio.run(main())) == list(range(300))


@pytest.mark.parametrize("said", [b"", b'{"kind":'], ids=["nothing", "half a line"])
def test_those_who_say_nothing_do_not_keep_others_out(socket_path, said, monkeypatch, caplog):
    monkeypatch.setattr(socket_communicator, "_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(socket_communicator, "_LOOK_SECONDS", 0.05)

    async def main() -> list[object]:
        async with listening(socket_path) as communicator:
            with contextlib.ExitStack() as stack:
                speaker, *silent = [stack.enter_context(connected(socket_path)) for _ in range(16)]
                speaker.sendall(b'{"kind":"report","value":"first"}\n')
                for connection in silent:
                    connection.sendall(said)
                values = [(await communicator.read()).value]
                await asyncio.sleep(0.5)
                assert communicator.refused == 0, "nobody else waits"
                late = stack.enter_context(connected(socket_path))
                late.sendall(b'{"kind":"report","value":"late"}\n')
                async with asyncio.timeout(5):
                    values.append((await communicator.read()).value)
                    await until(lambda: communicator.refused == 15, "the silent ones are let out")
                    speaker.sendall(b'{"kind":"report","value":"last"}\n')
                    values.append((await communicator.read()).value)
            return values

    assert asyncio.run(main()) == ["first", "late", "last"]


def test_one_who_comes_while_no_descriptor_is_left_is_let_in_later(socket_path, caplog):
    async def main() -> Message | None:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as connection:
                connection.sendall(b'{"kind":"report","value":1}\n')
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            spare = os.dup(0)
            os.close(spare)
            resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
            try:
                await until(lambda: "socket_not_accepted" in log_actions(caplog), "it cannot be let in")
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            async with asyncio.timeout(10):
                return await communicator.read()

    assert asyncio.run(main()).value == 1


@pytest.mark.parametrize(("size", "most"), [(100, 8000), (10_000, 1200), (60_000, 90), (200_000, 70), (8 << 20, 9)])
def test_one_who_is_not_read_waits_and_loses_nothing(socket_path, size, most):
    sent = 0

    def speak(path: Path) -> None:
        nonlocal sent
        with ExecutorLink.connect(path) as link:
            for number in range(2 * most):
                link.send(Report(value=(number, b"x" * size)))
                sent += 1

    async def main() -> list[int]:
        async with listening(socket_path) as communicator:
            speaking = asyncio.create_task(asyncio.to_thread(speak, socket_path))
            before = -1
            while sent == 0 or sent != before:
                before = sent
                await asyncio.sleep(0.3)
            assert sent <= most
            reading = asyncio.create_task(numbers(communicator))
            await speaking
            await communicator.wait_drained(20)
            assert communicator.complete
            await communicator.close()
            return await reading

    async def numbers(communicator: SocketCommunicator) -> list[int]:
        found = []
        while (message := await communicator.read()) is not None:
            found.append(message.value[0])
        return found

    assert asyncio.run(main()) == list(range(2 * most))


def test_lines_that_are_not_read_wait_too(socket_path):
    async def main() -> int:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as connection:
                connection.setblocking(False)
                sent = before = 0
                while sent == 0 or sent != before:
                    before = sent
                    with contextlib.suppress(BlockingIOError):
                        while sent < 1 << 26:
                            sent += connection.send(b'{"kind":"report","value":1}\n' * 100)
                    await asyncio.sleep(0.2)
                assert sent < 2 << 20
            messages = await all_of(communicator)
            return len(messages) - sent // 28

    assert asyncio.run(main()) == 0


def test_a_flood_of_what_is_skipped_leaves_the_event_loop_to_others(socket_path, caplog):
    flood = b'{"kind":"unknown"}\n\n\n' * 100_000

    async def main() -> float:
        async with listening(socket_path) as communicator:
            speaking = asyncio.create_task(asyncio.to_thread(raw(flood), socket_path))
            longest, before = 0.0, time.thread_time()  # of this thread: others of the machine do not count
            while not speaking.done():
                await asyncio.sleep(0)
                longest = max(longest, time.thread_time() - before)
                before = time.thread_time()
            assert await all_of(communicator) == []
            return longest

    gc.disable()  # it would take its time at any time
    try:
        assert asyncio.run(main()) < 0.03
    finally:
        gc.enable()
    assert len(caplog.records) == 11
    assert "100000 messages" in caplog.records[-1].getMessage()


def test_c8_what_the_child_is_told_arrives_as_objects_also_if_told_before_it_came(socket_path):
    told = [Cancel(), UserMessage(value=np.arange(100_000)), Pause(), UserMessage(value={"a": {1, 2}})]
    got: list[Message] = []

    def speak(path: Path) -> None:
        with ExecutorLink.connect(path) as link:
            while len(got) < 2 * len(told):
                got.append(link.receive())
                if len(got) == len(told):
                    link.send(Report(value="more"))

    async def main() -> None:
        async with listening(socket_path) as communicator:
            for message in told:
                await communicator.write(message)
            speaking = asyncio.create_task(asyncio.to_thread(speak, socket_path))
            assert (await communicator.read()).value == "more"
            for message in told:
                await communicator.write(message)
            await speaking

    asyncio.run(main())
    assert [message.kind for message in got] == [message.kind for message in told] * 2
    assert (got[1].value == got[5].value).all()
    assert got[3].value == got[7].value == {"a": {1, 2}}


def test_c8_other_programs_are_told_in_lines(socket_path):
    async def main() -> list[dict[str, Any]]:
        async with listening(socket_path, None) as communicator:
            with connected(socket_path) as connection:
                await somebody_is_there(communicator)
                await communicator.write(Cancel())
                await communicator.write(UserMessage(value={"threshold": 3}))
                await communicator.write(UserMessage(value={1, 2}))
                await communicator.write(UserMessage(value=object()))
                await communicator.write(UserMessage(value="x" * (2 << 20)))
                await communicator.write(Pause())
                await communicator.close()
                return [json.loads(line) for line in connection.makefile("rb")]

    assert asyncio.run(main()) == [
        {"kind": "cancel"},
        {"kind": "message", "value": {"threshold": 3}},
        {"kind": "message", "value": [1, 2]},
        {"kind": "pause"},
    ]


@pytest.mark.parametrize("comes", ["early", "late"])
def test_a_program_that_reads_late_hears_all_that_a_producer_may_send(socket_path, comes, caplog):
    def read(connection: socket.socket) -> list[int]:
        with connection.makefile("rb") as lines:
            return [json.loads(next(lines))["value"][0] for _ in range(2000)]

    async def main() -> list[int]:
        async with listening(socket_path, None) as communicator, contextlib.AsyncExitStack() as stack:
            if comes == "early":
                connection = stack.enter_context(connected(socket_path))
                await somebody_is_there(communicator)
            for number in range(2000):
                await communicator.write(UserMessage(value=[number, "x" * 1000]))
            if comes == "late":
                connection = stack.enter_context(connected(socket_path))
            return await asyncio.to_thread(read, connection)

    assert asyncio.run(main()) == list(range(2000))
    assert log_actions(caplog) == []


def test_one_who_does_not_listen_misses_the_oldest_and_is_still_heard(socket_path, caplog):
    async def main() -> list[Message]:
        async with listening(socket_path, None) as communicator:
            with connected(socket_path) as connection:
                await somebody_is_there(communicator)
                begun = time.monotonic()
                for _ in range(3000):
                    await communicator.write(UserMessage(value="x" * 1000))
                    await asyncio.sleep(0)
                assert time.monotonic() - begun < 5
                connection.sendall(b'{"kind":"report","value":"still here"}\n')
                message = await communicator.read()
                assert connection.recv(100).startswith(b'{"kind":"message"')
            return [message, *await all_of(communicator)]

    assert [message.value for message in asyncio.run(main())] == ["still here"]
    assert Counter(log_actions(caplog))["message_lost"] == 1


def test_one_who_goes_without_hearing_what_it_was_told_has_still_been_heard(socket_path):
    async def main() -> list[Message]:
        async with listening(socket_path, None) as communicator:
            with connected(socket_path) as connection:
                await somebody_is_there(communicator)
                await communicator.write(Cancel())
                await asyncio.to_thread(connection.recv, 1, socket.MSG_PEEK)
                connection.sendall(b'{"kind":"progress","done":1}\n{"kind":"progress","done":2}')
            return await all_of(communicator)

    assert [message.done for message in asyncio.run(main())] == [1, 2]


def test_what_is_kept_for_a_child_that_never_comes_is_bounded(socket_path, caplog):
    async def main() -> None:
        async with listening(socket_path) as communicator:
            for number in range(2003):
                await communicator.write(UserMessage(value=number))
            link = await asyncio.to_thread(ExecutorLink.connect, socket_path)
            first = asyncio.create_task(asyncio.to_thread(link.receive))
            assert (await first).value == 3
            await asyncio.to_thread(link.close)

    asyncio.run(main())
    (total,) = (record for record in caplog.records if record.action == "message_lost")
    assert total.getMessage().startswith("3 messages for the program were dropped")


def test_whether_a_process_ends_is_known_before_its_connections_are_closed():
    for _ in range(50):
        ours, theirs = socket.socketpair()
        with ours:
            child = subprocess.Popen(["sleep", "30"], stdin=theirs)
            theirs.close()
            assert not is_ending(child.pid)
            child.kill()
            assert ours.recv(1) == b""
            assert is_ending(child.pid)
            child.wait()
            assert is_ending(child.pid)
