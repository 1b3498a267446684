"""The child's end: what a task relies on when it speaks to its Executor from any thread, at any time."""

import asyncio
import pickle
import signal
import threading
from pathlib import Path

import pytest
from socket_peers import all_of, heard, listening, start_child, until

from outrider.communicators import Cancel, ExecutorLink, Message, Report, SocketCommunicator


def test_many_threads_of_a_task_may_speak(socket_path):
    def speak(path: Path) -> None:
        with ExecutorLink.connect(path) as link:
            threads = [threading.Thread(target=say, args=(link, name)) for name in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def say(link: ExecutorLink, name: int) -> None:
        for number in range(200):
            link.send(Report(value=(name, number, b"x" * (number % 3) * 40_000)))

    values = [message.value for message in heard(socket_path, speak)]
    assert len(values) == 800
    for name in range(4):
        assert [number for who, number, _ in values if who == name] == list(range(200))


def test_one_who_waits_for_an_executor_that_goes_learns_it(socket_path):
    async def main() -> None:
        async with listening(socket_path) as communicator:
            with pytest.raises(BrokenPipeError):
                await asyncio.gather(asyncio.to_thread(speak), stop(communicator))

    def speak() -> None:
        with ExecutorLink.connect(socket_path) as link:
            for _ in range(100):
                link.send(Report(value=bytes(8 << 20)))

    async def stop(communicator: SocketCommunicator) -> None:
        await asyncio.sleep(0.5)
        await communicator.close()

    asyncio.run(main())


def test_one_who_receives_is_woken_by_the_end_of_either(socket_path):
    async def close_meanwhile(link: ExecutorLink) -> None:
        """Close it while the event loop waits here: the Executor has no part in it."""
        link.close()

    async def main() -> None:
        async with listening(socket_path) as communicator:
            for close in (close_meanwhile, lambda _: communicator.close()):
                link = await asyncio.to_thread(ExecutorLink.connect, socket_path)
                receiving = asyncio.create_task(asyncio.to_thread(link.receive))
                await asyncio.sleep(0.1)
                assert not receiving.done()
                await close(link)
                async with asyncio.timeout(5):
                    assert await receiving is None
                await asyncio.to_thread(link.close)
                assert link.receive() is None

    asyncio.run(main())


def test_a_fork_of_the_task_can_neither_speak_nor_end_for_it(socket_path):
    code = """
link.send(Report(value=1))
pid = os.fork()
if pid == 0:
    try:
        link.send(Report(value='forged'))
    except BrokenPipeError as error:
        link.close()
        os._exit(0 if 'forks' in str(error) else 1)
    os._exit(2)
assert os.waitpid(pid, 0)[1] == 0
link.send(Report(value=2))
link.close()
"""

    async def main() -> list[Message]:
        async with listening(socket_path, None) as communicator:
            child = start_child(socket_path, code)
            communicator.trust(child.pid)
            assert await asyncio.to_thread(child.wait) == 0
            messages = await all_of(communicator)
            assert communicator.complete
            return messages

    assert [message.value for message in asyncio.run(main())] == [1, 2]


def test_a_fork_that_lives_on_does_not_hold_the_end(socket_path):
    async def main() -> None:
        async with listening(socket_path, None) as communicator:
            code = "os.fork() or (os.dup2(os.open('/dev/null', 1), 1), os.execvp('sleep', ['sleep', '30']))"
            child = start_child(
                socket_path, f"os.set_inheritable(link._connection.fileno(), True); {code}; link.close()"
            )
            communicator.trust(child.pid)
            assert await asyncio.to_thread(child.wait) == 0
            async with asyncio.timeout(5):
                await communicator.wait_drained(20)
            assert communicator.complete

    asyncio.run(main())


def test_a_link_that_is_closed_says_so_and_closing_it_twice_is_closing_it_once(socket_path):
    def speak(path: Path) -> None:
        link = ExecutorLink.connect(path)
        link.close()
        link.close()
        with pytest.raises(BrokenPipeError, match="closed"):
            link.send(Cancel())
        assert link.receive() is None

    assert heard(socket_path, speak) == []
    with pytest.raises(FileNotFoundError):
        ExecutorLink.connect(socket_path)


def test_a_value_that_cannot_be_pickled_is_the_tasks_error_and_the_link_goes_on(socket_path):
    def speak(path: Path) -> None:
        with ExecutorLink.connect(path) as link:
            with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
                link.send(Report(value=lambda: None))
            link.send(Report(value=1))

    assert [message.value for message in heard(socket_path, speak)] == [1]


def test_a_link_that_was_interrupted_within_a_message_says_no_more(socket_path):
    """A signal handler may raise at any time; half a message must not be taken for the beginning of the next one."""

    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stop

    def flood(link: ExecutorLink) -> None:
        """Send more than there is room for: nobody reads while the event loop waits here."""
        for _ in range(1000):
            link.send(Report(value=b"x" * 60_000))

    async def main() -> list[Message]:
        async with listening(socket_path) as communicator:
            link = ExecutorLink.connect(socket_path)
            before = signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            try:
                with pytest.raises(Stop):
                    flood(link)
            finally:
                signal.signal(signal.SIGALRM, before)
            with pytest.raises(BrokenPipeError, match="broke within"):
                link.send(Report(value="after"))
            link.close()
            messages = await all_of(communicator)
            assert communicator.complete is False
            return messages

    assert {message.value for message in asyncio.run(main())} == {b"x" * 60_000}


@pytest.mark.parametrize("size", [60_000, 8 << 20], ids=["in a message", "before a large message"])
def test_what_a_signal_handler_says_within_a_message_comes_right_after_it(socket_path, size):
    """Nobody reads at first, so the signals meet a thread that waits."""
    code = f"""
import signal
said = []
def speak(*_):
    link.send(Report(value=len(said)))
    said.append(len(said))
signal.signal(signal.SIGALRM, speak)
signal.setitimer(signal.ITIMER_REAL, 0.2, 0.02)
sent = 0
while len(said) < 5:
    link.send(Report(value=b"x" * {size}))
    sent += 1
signal.setitimer(signal.ITIMER_REAL, 0)
link.send(Report(value=(sent, len(said))))
link.close()
"""

    async def main() -> list[Message]:
        async with listening(socket_path, None) as communicator:
            child = start_child(socket_path, code)
            communicator.trust(child.pid)
            await until(lambda: communicator._peers, "it has connected")
            await asyncio.sleep(0.8)
            messages = await all_of(communicator)
            assert await asyncio.to_thread(child.wait) == 0
            assert communicator.complete
            return messages

    *values, (sent, said) = [message.value for message in asyncio.run(main())]
    assert [value for value in values if isinstance(value, int)] == list(range(said))
    assert len(values) == sent + said
    first, second = values.index(0), values.index(1)
    assert second == first + 1, "both met the same message"


def test_what_a_handler_said_before_it_raised_is_sent_with_the_next_message(socket_path):
    """The large message waits for the Executor, which reads nothing yet: it is given up, and the link is not broken."""

    class Stop(Exception):
        pass

    link: ExecutorLink

    def speak_and_stop(*_: object) -> None:
        link.send(Report(value="from the handler"))
        raise Stop

    async def main() -> list[Message]:
        nonlocal link
        async with listening(socket_path) as communicator:
            link = ExecutorLink.connect(socket_path)
            before = signal.signal(signal.SIGALRM, speak_and_stop)
            large = Report(value=bytes(40 << 20))
            link.send(large)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            try:
                with pytest.raises(Stop):
                    link.send(large)
            finally:
                signal.signal(signal.SIGALRM, before)
            speaking = asyncio.create_task(asyncio.to_thread(speak_on))
            messages = await all_of(communicator)
            await speaking
            assert communicator.complete
            return messages

    def speak_on() -> None:
        link.send(Report(value="after"))
        link.close()

    assert [message.value for message in asyncio.run(main())][1:] == ["from the handler", "after"]
