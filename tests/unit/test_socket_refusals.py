"""What is refused and what is skipped on the socket, and that nothing that is said there harms the Executor."""

import asyncio
import contextlib
import json
import os
import pickle
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socket_peers import (
    all_of,
    connected,
    heard,
    listening,
    log_actions,
    raw,
    rest_of,
    start_child,
    through_a_link,
    until,
)
from support import eventually

from outrider import LogLines, Progress
from outrider.communicators import (
    Artifact,
    ExecutorLink,
    Message,
    Raised,
    Report,
    Returned,
    SocketCommunicator,
    UserMessage,
)
from outrider.communicators.peers.framing import MAGIC, Format, Header, Layout, end
from outrider.communicators.peers.memory_file import create_memory_file
from outrider.communicators.peers.message_frames import frame_of
from outrider.communicators.peers.waiting import in_thread
from outrider.config.errors import CannotRun

HELLO = Header(Format.HELLO, attached=False, layout=Layout()).encode()


@pytest.fixture
def no_descriptor_stays_open() -> Iterator[None]:
    before = os.listdir("/proc/self/fd")
    yield
    eventually(lambda: os.listdir("/proc/self/fd") == before, "all descriptors are closed", 5)


def pickle_frame(body: bytes) -> bytes:
    return Header(Format.PICKLE, attached=False, layout=Layout(len(body))).encode() + body


REFUSED = {
    "neither": b"GET / HTTP/1.1\r\n\r\n",
    "NUL": b"\0",
    "not JSON": b'{"kind": progress}\n',
    "not UTF-8": b'{"kind":"report","value":"\xff"}\n',
    "half a character": rb'{"kind":"report","value":"\ud800"}' + b"\n",
    "no object": b"  [1]\n",
    "deep": b'{"kind":"report","value":' + b"[" * 100_000,
    "cut": b'{"kind":"report","val',
    "long": b'{"kind":"report","value":"' + b"x" * (1 << 20) + b'"}\n',
    "endless": b"{" + b" " * (3 << 20),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_line_of_json_ends_its_connection_and_no_other(socket_path, case, caplog, no_descriptor_stays_open):
    async def main() -> tuple[list[Message], int]:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as other:
                other.sendall(b'{"kind":"report","value":"before"}\n')
                assert (await communicator.read()).value == "before"
                await asyncio.to_thread(raw(REFUSED[case]), socket_path)
                assert communicator.refused == 1
                other.sendall(b'{"kind":"report","value":"after"}\n')
            return await all_of(communicator), communicator.refused

    messages, refused = asyncio.run(main())
    assert [message.value for message in messages] == ["after"]
    assert refused == 1
    assert log_actions(caplog) == ["socket_refused"]
    assert caplog.records[0].job_id == "job-1"


def test_however_often_it_is_refused_a_program_does_not_fill_the_log(socket_path, caplog):
    async def main() -> None:
        async with listening(socket_path) as communicator:
            for _ in range(100):
                await asyncio.to_thread(raw(b"garbage"), socket_path)
                await asyncio.to_thread(raw(b'{"kind":"unknown"}'), socket_path)
            assert communicator.refused == 100
            await all_of(communicator)

    asyncio.run(main())
    assert Counter(log_actions(caplog)) == {"socket_refused": 11, "message_skipped": 11}
    totals = [record for record in caplog.records if record.getMessage().startswith("100 ")]
    assert [record.getMessage() for record in totals] == ["100 connections were refused", "100 messages were skipped"]
    assert {record.job_id for record in totals} == {"job-1"}


def test_what_came_before_a_refusal_is_heard(socket_path, caplog):
    line, frame = b'{"kind":"report","value":1}\n', frame_of(Progress(done=1)).data
    for data in (line * 2 + b"?\n" + line, HELLO + frame * 2 + b"?" * 100, frame * 2 + MAGIC + b"\1\4\7\7" + bytes(12)):
        assert len(heard(socket_path, raw(data))) == 2
    assert log_actions(caplog).count("socket_refused") == 3


def test_descriptors_that_come_with_lines_are_refused(socket_path, caplog, no_descriptor_stays_open):
    def speak(path: Path) -> None:
        with connected(path) as connection:
            socket.send_fds(connection, [b'{"kind":"progress","done":1}\n'], [0, 1])
            assert connection.recv(1) == b""

    assert heard(socket_path, speak) == []
    assert log_actions(caplog) == ["socket_refused"]
    caplog.clear()
    assert len(heard(socket_path, send_line_with_descriptor, trusted=None)) == 1, "they are dropped"
    assert log_actions(caplog) == []


def send_line_with_descriptor(path: Path) -> None:
    with connected(path) as connection:
        socket.send_fds(connection, [b'{"kind":"progress","done":1}\n'], [0])


def test_c5_a_pickle_of_one_who_is_not_trusted_is_not_executed(socket_path, tmp_path, caplog):
    marker = tmp_path / "executed"
    bomb = b"report\n" + pickle.dumps(Bomb(str(marker)))
    for data in (pickle_frame(bomb), HELLO + pickle_frame(bomb), bomb, b"{" + pickle_frame(bomb) + b"\n"):
        assert heard(socket_path, raw(data), trusted=None) == []
    assert not marker.exists()
    assert log_actions(caplog) == ["socket_refused"] * 4
    heard(socket_path, raw(HELLO + pickle_frame(bomb)))
    assert marker.exists(), "it would have worked"


class Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_child_of_the_trusted_process_is_not_trusted(socket_path, caplog):
    async def main() -> list[Message]:
        async with listening(socket_path) as communicator:
            child = start_child(socket_path, "link.send(Report(value=1)); link.close()")
            await asyncio.to_thread(child.wait)
            return await all_of(communicator)

    assert asyncio.run(main()) == []
    assert log_actions(caplog) == ["socket_refused"]


SKIPPED = [
    b'{"kind":"finished","outcome":{"state":"succeeded"}}',
    b'{"kind":"state","state":"succeeded"}',
    b'{"kind":"returned","value":1}',
    b'{"kind":"raised","error":"x"}',
    b'{"kind":"cancel"}',
    b'{"kind":"end","count":0}',
    b'{"kind":"log","lines":3}',
    b'{"kind":"progress"}',
    b'{"kind":["progress"],"done":1}',
    b'{"kind":"artifact","name":"a\\u0000b"}',
    b"{}",
]


@pytest.mark.parametrize("line", SKIPPED)
def test_what_a_program_may_not_say_is_skipped_and_it_may_go_on(socket_path, line, caplog):
    messages = heard(socket_path, raw(line + b'\n \r\n{"kind":"report","value":1}\r\n'))
    assert [message.value for message in messages] == [1]
    assert log_actions(caplog) == ["message_skipped"]


def test_a_program_can_neither_speak_for_others_nor_point_to_what_others_have_stored(socket_path):
    forged = {"source": "executor", "sequence": 99, "reference": {"key": "other", "size": 1, "sha256": "0" * 64}}
    forged["stamp"] = {"job_id": "other", "attempt": 1, "at": 0, "position": "0-1"}
    lines = [{"kind": "artifact", "name": "a", "path": "a", **forged}, {"kind": "log", "lines": ["a"], **forged}]
    assert heard(socket_path, raw("\n".join(map(json.dumps, lines)).encode())) == [
        Artifact(name="a", path=Path("a"), source="socket", sequence=1),
        LogLines(stream="socket", lines=("a",), source="socket", sequence=2),
    ]


def test_log_lines_are_text_that_can_be_shown(socket_path):
    lines = ["\x1b[31mred\x1b[0m", "two\nlines", "x" * 3000, *(str(n) for n in range(300))]
    (message,) = heard(socket_path, raw(json.dumps({"kind": "log", "lines": lines, "dropped": -5}).encode()))
    assert (len(message.lines), message.dropped, message.lines[-1]) == (200, 104, "299")
    (message,) = heard(socket_path, raw(json.dumps({"kind": "log", "lines": lines[:3]}).encode()))
    assert message.lines == ("red", "two", "lines", "… " + "x" * 2000)


HOSTILE = "\x1b]0;title\x07\x1b[2Ja\r\nb\u2028c\x9b"


@pytest.mark.parametrize("speak", ["lines", "frames"])
def test_units_and_names_are_one_short_line_that_can_be_shown(socket_path, speak):
    said = [
        Progress(done=1, unit=HOSTILE),
        Progress(done=2, unit="x" * 100_000),
        Artifact(name=HOSTILE, path=Path("a")),
        Artifact(name="é" * 100_000 + ".tar", path=Path("a")),
        Artifact(name="a\nb"),
        Artifact(name="x." + "y" * 1000, path=Path("a")),
    ]
    lines = b"".join(message.model_dump_json(exclude={"stamp"}).encode() + b"\n" for message in said)
    messages = heard(socket_path, raw(lines) if speak == "lines" else through_a_link(*said))
    units = [message.unit for message in messages[:2]]
    assert units == ["a b c", "x" * 199 + "…"]
    assert [message.name for message in messages[2:]] == [
        "a b c",
        "é" * 195 + "….tar",
        "a b",
        "x." + "y" * 197 + "…",
    ]
    assert messages[4].path == Path("a\nb"), "where the file is stays as it was said"


def test_a_path_of_any_length_is_skipped(socket_path, caplog):
    long = Artifact(name="a", path=Path("x" * 100_000))
    assert heard(socket_path, raw(long.model_dump_json().encode())) == []
    assert log_actions(caplog) == ["message_skipped"]


@pytest.mark.parametrize("length", [3, 3999, 4000, 4001, 7999, 8000, 8001, 5_000_000])
def test_what_a_task_ended_with_has_a_beginning_and_an_end_and_is_bounded(socket_path, length):
    said = "\x1b[31mb" + "x" * (length - 2) + "e"
    (message,) = heard(socket_path, through_a_link(Raised(error=said)))
    assert message.error[0] + message.error[-1] == "be"
    assert len(message.error) <= 4000
    assert ("…" in message.error) == (length > 4000)
    assert "\x1b" not in message.error


class Unreadable:
    """An object that only its sender can make."""

    def __init__(self, error: type[BaseException], text: str = "no") -> None:
        self.error = error
        self.text = text

    def __reduce__(self):
        return _fail, (self.error, self.text)


def _fail(error: type[BaseException], text: str) -> None:
    raise error(text)


@pytest.mark.parametrize("error", [ImportError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_what_cannot_be_unpickled_leaves_a_line_in_its_place_but_for_the_tasks_end(socket_path, error, caplog):
    value = [Unreadable(error), np.zeros(100_000)]
    messages = heard(socket_path, through_a_link(Report(value=value), Report(value=2), Returned(value=value)))
    assert [type(message) for message in messages] == [LogLines, Report, Raised]
    (line,) = messages[0].lines
    assert line.startswith("outrider: a report was not kept: it cannot be unpickled: ")
    assert error.__name__ in line
    assert messages[1].value == 2
    assert messages[2].error.startswith("what the task returned was lost")
    assert error.__name__ in messages[2].error
    assert log_actions(caplog) == ["message_skipped"]


def test_what_cannot_be_unpickled_gives_its_credit_back(socket_path):
    wrong = Report(value=[Unreadable(ValueError), np.zeros(1_000_000)])
    messages = heard(socket_path, through_a_link(*[wrong] * 30, Report(value="after")))
    assert messages.pop(-2).value == "after"
    *places, total = (message.lines[0] for message in messages)
    assert len(places) == 10
    assert total == "outrider: 30 messages in all were not kept"


def test_why_a_report_was_not_kept_is_short_text(socket_path, caplog):
    reports = [Report(value=Unreadable(ValueError, "\x1b[2J\nfaked\udcff" + "x" * 1_000_000)) for _ in range(2)]
    messages = heard(socket_path, through_a_link(*reports))
    for text in [*(message.lines[0] for message in messages), *(record.getMessage() for record in caplog.records)]:
        assert "ValueError:  faked?xxx" in text
        assert len(text) < 1000
    messages = heard(socket_path, raw(HELLO + Header(77, attached=False, layout=Layout(2)).encode() + b"{}"))
    assert "a message was not kept: this version knows no format 77" in messages[0].lines[0]


@pytest.mark.parametrize("counted", [0, 2, 2**63])
def test_a_count_that_does_not_fit_is_told(socket_path, counted, caplog):
    async def main() -> bool | None:
        async with listening(socket_path) as communicator:
            await asyncio.to_thread(speak)
            await all_of(communicator)
            return communicator.complete

    def speak() -> None:
        with connected(socket_path) as connection:
            connection.sendall(frame_of(Progress(done=1)).data + end(counted).data)

    assert asyncio.run(main()) is False
    (record,) = caplog.records
    assert (record.levelname, record.action) == ("WARNING", "socket_incomplete"), "its process goes on"


def test_s3_the_socket_is_0600_in_a_0700_directory_and_gone_afterwards(socket_path):
    async def main() -> tuple[int, int]:
        async with listening(socket_path):
            return socket_path.stat().st_mode, socket_path.parent.stat().st_mode

    before = os.umask(0)
    try:
        modes = asyncio.run(main())
    finally:
        os.umask(before)
    assert [oct(stat.S_IMODE(mode)) for mode in modes] == ["0o600", "0o700"]
    assert not socket_path.exists()


def test_each_level_that_is_missing_is_made_for_us_alone(socket_path):
    deep = socket_path.parent / "of the project" / "of the worker" / "socket"

    async def main() -> list[str]:
        async with listening(deep):
            return [oct(stat.S_IMODE(level.stat().st_mode)) for level in list(deep.parents)[:3]]

    assert asyncio.run(main()) == ["0o700"] * 3


def test_a_place_that_others_can_enter_is_refused(socket_path):
    async def complaint(path: Path) -> str:
        with pytest.raises(CannotRun) as caught:
            await SocketCommunicator(path).open()
        return str(caught.value)

    socket_path.parent.mkdir(mode=0o750)
    socket_path.parent.chmod(0o750)
    assert "mode 750" in asyncio.run(complaint(socket_path))
    socket_path.parent.chmod(0o700)
    assert "107 are the most" in asyncio.run(complaint(socket_path.parent / ("x" * 100)))
    link = socket_path.parent / "link"
    link.symlink_to(socket_path.parent)
    assert "no directory" in asyncio.run(complaint(link / "socket"))
    socket_path.write_text("")
    assert "in use" in asyncio.run(complaint(socket_path))
    assert "cannot open the socket" in asyncio.run(complaint(socket_path / "socket"))
    if os.geteuid() == 0:
        os.chown(socket_path.parent, 65534, 65534)
        assert "belongs to user 65534" in asyncio.run(complaint(socket_path.parent / "other"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_processes_of_other_users_are_refused(socket_path, caplog):
    async def main() -> int:
        async with listening(socket_path) as communicator:
            for place, mode in (
                (socket_path, 0o777),
                *((folder, 0o711) for folder in (socket_path.parent, *socket_path.parents[1:3])),
            ):
                place.chmod(mode)
            code = "import os, socket, sys; os.setuid(65534); "
            code += "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); assert s.recv(1) == b''"
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(socket_path)], check=True)
            return communicator.refused

    assert asyncio.run(main()) == 1
    assert "belongs to user 65534" in caplog.records[0].getMessage()


def descriptors(count: int) -> list[int]:
    """Open some that are of no use."""
    openers = (create_memory_file, lambda: os.eventfd(0), lambda: os.dup(0), lambda: os.open("/dev/zero", os.O_RDONLY))
    return [opener() for opener in openers[:count]]


frames = st.builds(
    lambda kind, attached, body, lie, buffers: (
        Header(kind, attached, Layout(max(len(body) + lie, 0), tuple(buffers))).encode() + body
    ),
    st.integers(0, 6),
    st.booleans(),
    # without `r`: LONG_BINPUT makes the unpickler of CPython take memory for as many entries as it names
    st.binary(max_size=40).map(lambda body: body.replace(b"r", b"")),
    st.sampled_from([0, 0, 0, -1, 1, 100, 2**40]),
    st.lists(st.sampled_from([0, 1, 5000, 2**60]), max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=60), frames, st.just(HELLO), st.just(b'{"kind":"report"}\n')), max_size=5),
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
    st.booleans(),
)
def test_c6_whatever_comes_the_executor_goes_on(short_folder, pieces, counts, trusted):
    socket_path = short_folder / "fuzz" / "socket"

    def speak() -> None:
        with connected(socket_path) as connection, contextlib.suppress(OSError):
            for piece, count in zip(pieces, counts, strict=False):
                made = descriptors(count)
                try:
                    socket.send_fds(connection, [piece or b"\n"], made)
                finally:
                    for descriptor in made:
                        os.close(descriptor)

    async def main() -> None:
        async with listening(socket_path, os.getpid() if trusted else None) as communicator:
            speak()
            with contextlib.suppress(OSError):  # it is not trusted
                await asyncio.to_thread(through_a_link(Report(value="sound")), socket_path)
            messages = await all_of(communicator, 5)
            assert not trusted or "sound" in [getattr(message, "value", None) for message in messages]

    before = os.listdir("/proc/self/fd")
    asyncio.run(main())
    assert os.listdir("/proc/self/fd") == before


def test_no_descriptor_stays_open_whatever_was_said(socket_path, no_descriptor_stays_open):
    big = Report(value=np.zeros(1_000_000))
    for speak in (through_a_link(big, big), raw(b"?"), raw(HELLO + MAGIC + b"??????????????????????")):
        heard(socket_path, speak)

    async def leave_in_the_middle() -> None:
        async with listening(socket_path) as communicator:
            link = await asyncio.to_thread(ExecutorLink.connect, socket_path)
            for _ in range(5):
                await asyncio.to_thread(link.send, big)
            await communicator.write(UserMessage(value=big.value))
            await communicator.write(UserMessage(value=Slow()))
            await communicator.close()
            link.close()
            await rest_of(communicator)

    asyncio.run(leave_in_the_middle())


class Slow:
    """Is pickled only after the communicator has lost its patience."""

    def __reduce__(self):
        time.sleep(1)
        return bytes, (b"x" * 100_000,)


def test_connections_that_were_just_let_in_are_closed_when_all_is_cancelled(socket_path, no_descriptor_stays_open):
    async def main() -> None:
        async with listening(socket_path) as communicator:
            with connected(socket_path) as connection:
                communicator._accept_waiting()
                (serving,) = communicator._peers.values()
                serving.cancel()
                await asyncio.wait([serving])
                assert connection.recv(1) == b""

    asyncio.run(main())


def test_work_in_a_thread_runs_to_its_end_also_when_nobody_waits_for_it_any_more():
    begin, unwanted, done = threading.Event(), [], threading.Event()

    def work() -> str:
        done.set()
        return "result"

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        busy = asyncio.create_task(asyncio.to_thread(begin.wait))
        waiting = asyncio.create_task(in_thread(work, unwanted=unwanted.append))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not done.is_set()
        begin.set()
        await busy
        await until(lambda: unwanted == ["result"], "the result is given to whom it may concern")

    asyncio.run(main())
