"""Tasklets that tests run; most of them misbehave."""

import contextlib
import ctypes
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from outrider.tasklets import tasklet


@tasklet
def nothing():
    pass


@tasklet
def same(value=None):
    return value


@tasklet
def add(a, b=0):
    return a + b


@tasklet
def where():
    return {"directory": os.getcwd(), "variables": dict(os.environ), "pid": os.getpid(), "parent": os.getppid()}


@tasklet
def prints():
    sys.stdout.write("to stdout\n")
    sys.stderr.write("to stderr\n")
    logging.getLogger("mine").warning("to the log")
    subprocess.run(["echo", "from a child"], check=True)
    os.write(1, b"\xff raw\n")


@tasklet
def floods(megabytes):
    for _ in range(megabytes):
        os.write(1, b"spam\n" * 200_000)
    sys.stdout.write("the end\n")


@tasklet
def fails(message="no peak"):
    sys.stdout.write("so far so good\n")
    raise ValueError(message)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


@tasklet
def fails_unspeakably():
    raise Unspeakable


@tasklet
def interrupts():
    raise KeyboardInterrupt


@tasklet
def leaves(code):
    sys.exit(code)


@tasklet
def leaves_at_once(code):
    os._exit(code)


@tasklet
def crashes():
    ctypes.string_at(0)


@tasklet
def kills_itself(number=signal.SIGKILL):
    os.kill(os.getpid(), number)
    time.sleep(60)


@tasklet
def kills_its_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


@tasklet
def sleeps(seconds=60):
    Path("began").write_text(str(os.getpid()))
    time.sleep(seconds)


@tasklet
def is_deaf():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_IGN)
    sleeps()


@tasklet
def stops_itself():
    Path("began").write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


@tasklet
def eats(megabytes):
    return len(b"x" * (megabytes << 20))


@tasklet
def returns_large(megabytes):
    return "x" * (megabytes << 20)


@tasklet
def returns_what_is_no_json():
    return threading.Lock()


@tasklet
def leaves_children(then="return"):
    """Leave a child, one that fled to a session of its own, and one without our cookies."""
    children = [
        subprocess.Popen(["sleep", "60"]),
        subprocess.Popen(["sleep", "60"], start_new_session=True, env={}),
    ]
    pids = [child.pid for child in children]
    reader, writer = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            os.write(writer, f"{os.getpid()}\n".encode())
            time.sleep(60)
        os._exit(0)
    pids.append(int(os.read(reader, 100)))
    Path("children").write_text(" ".join(map(str, pids)))
    match then:
        case "crash":
            os.abort()
        case "hang":
            sleeps()
    return pids


@tasklet
def leaves_a_thread():
    threading.Thread(target=time.sleep, args=(60,)).start()


@tasklet
def spoils_everything():
    """Change whatever a process has."""
    os.chdir("/")
    os.environ["SPOILED"] = "yes"
    os.environ.pop("PATH")
    os.umask(0o777)
    sys.path.clear()
    sys.modules.pop("json", None)
    sys.stdout = sys.stderr = None
    random.seed(1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    logging.disable()
    globals()["same"] = None
    return "spoiled"


@tasklet
def closes_everything():
    os.closerange(0, 1000)


@tasklet
def talks_nonsense():
    """Write into every file that is open."""
    for descriptor in range(3, 50):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"\x00\x00\x00\x05nonsense")
    os._exit(0)


@tasklet
def draws():
    return random.random()


@tasklet
def draws_with_numpy():
    import numpy as np

    return np.random.random()  # noqa: NPY002 - it is the old generator that all forks would share


@tasklet
def imports(module):
    """Return whether a module was there already."""
    there = module in sys.modules
    __import__(module)
    return there
